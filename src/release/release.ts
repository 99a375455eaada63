// The files of a release: the executable as one of a name for each architecture, the archive that
// osbuilder takes as AGENT_TARBALL, and the bill of materials.
import type { Arch } from "../linux/arch.ts";
import { type Contents, type Digest, billOfMaterials } from "./bill-of-materials.ts";
import { type Packed, tar } from "./tar.ts";

export type ReleaseFile = {
  readonly name: string;
  readonly permissions: number;
  readonly bytes: Uint8Array;
};

/** What `uname -m` says, and Kata's own files are named by. */
const MACHINE: Readonly<Record<Arch, string>> = { x86_64: "x86_64", arm64: "aarch64" };

/** The smallest that every zstd unpacks without being told to: a minute of work. */
const LEVEL = 19;

/**
 * `unit` has the name and text of each unit of systemd. In the archive lies each file where Kata's own
 * agent installs it; that is all that osbuilder's rootfs.sh asks of it.
 */
export async function releaseFiles(
  agent: Uint8Array,
  contents: Omit<Contents, "agent">,
  units: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Promise<readonly ReleaseFile[]> {
  const name = `kata-agent-${MACHINE[contents.arch]}`;
  const packed: readonly Packed[] = [
    { path: "usr/bin/kata-agent", permissions: 0o755, bytes: agent },
    ...units.map((unit) => ({
      path: `usr/lib/systemd/system/${unit.name}`,
      permissions: 0o644,
      bytes: unit.bytes,
    })),
  ];
  const bill = billOfMaterials({ ...contents, agent: digestOf("kata-agent", agent) });
  return [
    { name, permissions: 0o755, bytes: agent },
    {
      name: `${name}.cdx.json`,
      permissions: 0o644,
      bytes: new TextEncoder().encode(`${JSON.stringify(bill, undefined, 2)}\n`),
    },
    {
      name: `${name}.tar.zst`,
      permissions: 0o644,
      bytes: await Bun.zstdCompress(tar(packed), { level: LEVEL }),
    },
  ];
}

export function digestOf(name: string, bytes: Uint8Array): Digest {
  return { name, sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex") };
}

/** What sha256sum(1) checks. */
export function sumsOf(files: readonly ReleaseFile[]): ReleaseFile {
  const lines = files.map(({ name, bytes }) => `${digestOf(name, bytes).sha256}  ${name}\n`);
  return {
    name: "SHA256SUMS",
    permissions: 0o644,
    bytes: new TextEncoder().encode(lines.join("")),
  };
}
