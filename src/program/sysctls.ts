// `linux.sysctl`, written through a procfs of its own: what the image or the spec has put at /proc
// plays no part.
import { RESOLVE } from "../linux/constants.ts";
import { openInRoot } from "../linux/fs.ts";
import { close, writeText } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { parseMountOptions } from "../oci/mount-options.ts";
import { sysctlPath } from "../oci/sysctl-name.ts";
import type { Tape } from "../tape/tape.ts";
import { newFilesystem } from "./filesystem.ts";

export function writeSysctls(tape: Tape, sysctls: Readonly<Record<string, string>>): void {
  const sorted = Object.entries(sysctls).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (sorted.length === 0) return;
  const options = parseMountOptions(["nosuid", "nodev", "noexec"]);
  const proc = newFilesystem(tape, "proc", { destination: "sysctls" }, options);
  for (const [key, value] of sorted) {
    const open = openInRoot(
      proc,
      `/sys/${sysctlPath(key).join("/")}`,
      O.WRONLY,
      0,
      RESOLVE.NO_SYMLINKS,
    );
    const file = tape.fd(`open sysctl ${key}`, open);
    tape.do(`set sysctl ${key}`, writeText(file, value));
    tape.do(`close sysctl ${key}`, close(file));
  }
  tape.do("close the procfs of the sysctls", close(proc));
}
