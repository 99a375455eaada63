// What Bun is made of: the libraries that are linked into it and the packages that it carries along.
// Source: the page on its licence in its documentation, of which bun-types has that of our version; a
// test holds this table against it.

export type BunPart = {
  readonly name: string;
  /** An SPDX expression; where there is none, words. */
  readonly license: string | { readonly name: string };
  /** The key of its version, mostly a commit, in process.versions. */
  readonly version?: string;
};

const SEVERAL = { name: "several, see its own file of licences" };

/** For programs that were written for other runtimes: all are MIT, and none says its version. */
const POLYFILLS = [
  "acorn",
  "acorn-walk",
  "assert",
  "browserify-zlib",
  "buffer",
  "constants-browserify",
  "crypto-browserify",
  "domain-browser",
  "events",
  "https-browserify",
  "os-browserify",
  "path-browserify",
  "process",
  "punycode",
  "querystring-es3",
  "stream-browserify",
  "stream-http",
  "string_decoder",
  "timers-browserify",
  "tty-browserify",
  "url",
  "util",
  "vm-browserify",
];

export const BUN_PARTS: readonly BunPart[] = [
  { name: "WebKit", license: "LGPL-2.0-or-later", version: "webkit" },
  { name: "boringssl", license: SEVERAL, version: "boringssl" },
  { name: "brotli", license: "MIT" },
  { name: "c-ares", license: "MIT", version: "ares" },
  { name: "HdrHistogram_c", license: "CC0-1.0 OR BSD-2-Clause" },
  { name: "highway", license: "Apache-2.0" },
  { name: "libarchive", license: SEVERAL, version: "libarchive" },
  { name: "libbase64", license: "BSD-2-Clause" },
  { name: "libdeflate", license: "MIT", version: "libdeflate" },
  { name: "libicu", license: "Unicode-3.0", version: "icu" },
  { name: "libjpeg-turbo", license: "BSD-3-Clause AND IJG AND Zlib" },
  { name: "libspng", license: "BSD-2-Clause AND libpng-2.0" },
  { name: "libwebp", license: "BSD-3-Clause" },
  { name: "llhttp", license: "MIT", version: "llhttp" },
  { name: "lol-html", license: "BSD-3-Clause", version: "lolhtml" },
  { name: "ls-hpack", license: "MIT AND BSD-2-Clause", version: "lshpack" },
  { name: "ls-qpack", license: "MIT" },
  { name: "lsquic", license: "MIT AND BSD-3-Clause" },
  { name: "mimalloc", license: "MIT", version: "mimalloc" },
  {
    name: "picohttp",
    license: "MIT OR Artistic-1.0-Perl OR GPL-1.0-or-later",
    version: "picohttpparser",
  },
  { name: "simdutf", license: "Apache-2.0" },
  { name: "sqlite", license: "blessing", version: "sqlite" },
  { name: "tinycc", license: "LGPL-2.1-or-later", version: "tinycc" },
  { name: "typescript", license: "Apache-2.0", version: "typescript" },
  { name: "uSockets", license: "Apache-2.0", version: "usockets" },
  { name: "uWebsockets", license: "Apache-2.0", version: "uwebsockets" },
  { name: "zig", license: "MIT", version: "zig" },
  { name: "zlib-ng", license: "Zlib", version: "zlib" },
  { name: "zstd", license: "BSD-3-Clause OR GPL-2.0-only", version: "zstd" },
  ...POLYFILLS.map((name) => ({ name, license: "MIT" })),
];
