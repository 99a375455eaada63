import { describe, expect, test } from "bun:test";
import { type Contents, billOfMaterials } from "../../../src/release/bill-of-materials.ts";
import { BUN_PARTS } from "../../../src/release/bun-parts.ts";
import { ROOT } from "../repository/source.ts";

const SHA256 = "a".repeat(64);

function npm(name: string) {
  const integrity = `sha512-${new Uint8Array(64).fill(1).toBase64()}`;
  return { name, version: "1.2.3", license: "MIT", integrity };
}

const CONTENTS: Contents = {
  arch: "arm64",
  version: "0.1.0",
  commit: undefined,
  agent: { name: "kata-agent", sha256: SHA256 },
  packages: [npm("plain"), npm("@scope/named")],
  bun: { package: npm("@oven/bun"), sha256: SHA256, parts: process.versions },
  glibc: { version: "2.36-9+deb12u14", files: [{ name: "libc.so.6", sha256: SHA256 }] },
};

const DOCUMENTATION = `${ROOT}/node_modules/bun-types/docs/project/license.mdx`;

describe("a bill of materials", () => {
  test("names each npm package by its URL, with the digest that npm checks", () => {
    const [plain, scoped] = billOfMaterials(CONTENTS).components;
    expect(plain).toEqual({
      "bom-ref": "pkg:npm/plain@1.2.3",
      type: "library",
      name: "plain",
      version: "1.2.3",
      licenses: [{ expression: "MIT" }],
      purl: "pkg:npm/plain@1.2.3",
      hashes: [{ alg: "SHA-512", content: "01".repeat(64) }],
    });
    expect(scoped).toMatchObject({
      group: "@scope",
      name: "named",
      purl: "pkg:npm/%40scope/named@1.2.3",
    });
  });

  test("names Debian's package, and in it each file that was taken from it", () => {
    expect(billOfMaterials(CONTENTS).components.at(-1)).toMatchObject({
      purl: "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=arm64",
      version: "2.36-9+deb12u14",
      components: [{ name: "libc.so.6", hashes: [{ alg: "SHA-256", content: SHA256 }] }],
    });
  });

  test("has the commit only where one is known", () => {
    const properties = (commit: string | undefined) =>
      billOfMaterials({ ...CONTENTS, commit }).metadata.component.properties.map(
        ({ name, value }) => `${name}=${value}`,
      );
    expect(properties(undefined)).toEqual(["kata-agent:arch=arm64"]);
    expect(properties("abc-dirty")).toEqual([
      "kata-agent:arch=arm64",
      "kata-agent:commit=abc-dirty",
    ]);
  });

  test("is refused for a package without a digest, and a part of Bun without its version", () => {
    const packages = [{ ...npm("plain"), integrity: "sha1-AA==" }];
    expect(() => billOfMaterials({ ...CONTENTS, packages })).toThrow(
      "plain: its integrity is sha1-AA==",
    );
    const bun = { ...CONTENTS.bun, parts: {} };
    expect(() => billOfMaterials({ ...CONTENTS, bun })).toThrow("bun: no version of its part");
  });
});

/** What Bun only claims to be compatible with, and itself. */
const NO_PARTS = ["bun", "modules", "napi", "node", "openssl", "unicode", "uv", "v8"];

describe("the parts of Bun", () => {
  test("are all those that its documentation names, but for what is Windows'", async () => {
    const text = await Bun.file(DOCUMENTATION).text();
    const rows = text.split("\n").filter((line) => /^\| .*\[/.test(line));
    const named = rows
      .filter((line) => !/\(on Windows\)|Tigerbeetle/.test(line))
      .map((line) => /\[`([^`]+)`\]/.exec(line)?.[1] ?? line);
    expect(named.length).toBeGreaterThan(40);
    const parts = new Set(BUN_PARTS.map(({ name }) => name));
    expect(named.filter((name) => !parts.has(name))).toEqual([]);
    expect(parts.size).toBe(BUN_PARTS.length);
  });

  test("are all those whose version it knows", () => {
    const known = new Set([...NO_PARTS, ...BUN_PARTS.map(({ version }) => version)]);
    expect(Object.keys(process.versions).filter((name) => !known.has(name))).toEqual([]);
  });
});
