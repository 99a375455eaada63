// What is inside an executable, as a bill of materials in CycloneDX 1.6. It has no time and no serial
// number, which that leaves to whoever writes one: the same contents give the same bytes.
import type { Arch } from "../linux/arch.ts";
import { BUN_PARTS, type BunPart } from "./bun-parts.ts";

/** A name, and the SHA-256 of the bytes that it names, in hex. */
export type Digest = { readonly name: string; readonly sha256: string };

/** As package-lock.json has it; `integrity` is "sha512-" and base64. */
export type NpmPackage = {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly integrity: string;
};

export type Contents = {
  readonly arch: Arch;
  readonly version: string;
  /** The commit that it was built from, if one knows. */
  readonly commit: string | undefined;
  /** The sealed file. */
  readonly agent: Digest;
  /** Of which some file is part of the program. */
  readonly packages: readonly NpmPackage[];
  /** The executable that Bun folds the program into, and the versions of its parts. */
  readonly bun: {
    readonly package: NpmPackage;
    readonly sha256: string;
    readonly parts: Readonly<Record<string, string | undefined>>;
  };
  /** The loader and the libraries, and the version of Debian's libc6 that they are of. */
  readonly glibc: { readonly version: string; readonly files: readonly Digest[] };
};

/** Debian's words for the architectures. */
const DEBIAN: Readonly<Record<Arch, string>> = { x86_64: "amd64", arm64: "arm64" };

const GLIBC_LICENSE = "LGPL-2.1-or-later";

export function billOfMaterials(contents: Contents) {
  const { agent, version, packages, bun, glibc } = contents;
  const root = `${agent.name}@${version}`;
  const components = [...packages.map(npmComponent), bunComponent(bun), glibcComponent(contents)];
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        "bom-ref": root,
        type: "application",
        name: agent.name,
        version,
        hashes: sha256(agent),
        licenses: licensesOf("Apache-2.0"),
        properties: propertiesOf(contents),
      },
    },
    components,
    dependencies: [
      { ref: root, dependsOn: components.map((component) => component["bom-ref"]) },
      { ref: npmRef(bun.package), dependsOn: [glibcRef(glibc.version)] },
    ],
  };
}

function propertiesOf({ arch, commit }: Contents) {
  const known = { arch, ...(commit === undefined ? {} : { commit }) };
  return Object.entries(known).map(([name, value]) => ({ name: `kata-agent:${name}`, value }));
}

function npmComponent(each: NpmPackage) {
  return { ...npmIdentity(each), hashes: [integrityOf(each)] };
}

function bunComponent({ package: own, sha256: content, parts }: Contents["bun"]) {
  return {
    ...npmIdentity(own),
    hashes: sha256({ sha256: content }),
    components: BUN_PARTS.map((part) => bunPart(part, parts)),
  };
}

function npmIdentity(own: NpmPackage) {
  const { name, version, license } = own;
  const [scope, base] = name.startsWith("@") ? name.split("/", 2) : [undefined, name];
  const named = scope === undefined ? { name } : { group: scope, name: base ?? name };
  const ref = npmRef(own);
  return {
    "bom-ref": ref,
    type: "library",
    ...named,
    version,
    licenses: licensesOf(license),
    purl: ref,
  };
}

/** A package URL, which is a good name inside the document, too. */
function npmRef({ name, version }: NpmPackage): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

function integrityOf({ name, integrity }: NpmPackage) {
  const [algorithm, digest = ""] = integrity.split("-", 2);
  if (algorithm !== "sha512") throw new Error(`${name}: its integrity is ${integrity}`);
  return { alg: "SHA-512", content: Uint8Array.fromBase64(digest).toHex() };
}

function bunPart({ name, license, version }: BunPart, parts: Contents["bun"]["parts"]) {
  const known = version === undefined ? undefined : parts[version];
  if (version !== undefined && known === undefined) {
    throw new Error(`bun: no version of its part ${version}`);
  }
  return {
    "bom-ref": `bun/${name}`,
    type: "library",
    name,
    ...(known === undefined ? {} : { version: known }),
    licenses: licensesOf(license),
  };
}

function glibcRef(version: string): string {
  return `pkg:deb/debian/libc6@${encodeURIComponent(version)}`;
}

function glibcComponent({ arch, glibc: { version, files } }: Contents) {
  const ref = glibcRef(version);
  return {
    "bom-ref": ref,
    type: "library",
    name: "libc6",
    version,
    licenses: licensesOf(GLIBC_LICENSE),
    purl: `${ref}?arch=${DEBIAN[arch]}`,
    components: files.map((file) => ({
      "bom-ref": `${ref}#${file.name}`,
      type: "library",
      name: file.name,
      version,
      hashes: sha256(file),
      licenses: licensesOf(GLIBC_LICENSE),
    })),
  };
}

function sha256({ sha256: content }: Pick<Digest, "sha256">) {
  return [{ alg: "SHA-256", content }];
}

function licensesOf(license: BunPart["license"]) {
  return typeof license === "string" ? [{ expression: license }] : [{ license }];
}
