// systemd's own reading of units, in an image that has nothing but what is under test.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What it lacks here; undefined if nothing. */
export const noSystemd =
  Bun.which("systemd-analyze") === null ? "Debian's package systemd" : undefined;

/** What is in every image: programs that the units name, and units that they rest on. */
const PROGRAMS = ["usr/bin/systemctl", "bin/sync"];
const TARGETS = [
  "sysinit",
  "basic",
  "shutdown",
  "rescue",
  "umount",
  "local-fs",
  "local-fs-pre",
  "swap",
];

/** What systemd says of the units `names` in the image `root`, which then has all that every image has. */
export function verifyUnits(root: string, names: readonly string[]): string {
  for (const program of PROGRAMS) {
    mkdirSync(join(root, dirname(program)), { recursive: true });
    copyFileSync("/bin/true", join(root, program));
  }
  const units = join(root, "usr/lib/systemd/system");
  const unit = (name: string, text: string) => writeFileSync(join(units, name), text);
  for (const name of TARGETS) unit(`${name}.target`, "[Unit]\nDescription=in every image\n");
  unit("tmp.mount", "[Mount]\nWhat=tmpfs\nWhere=/tmp\nType=tmpfs\n");
  unit("rescue.service", "[Service]\nExecStart=/bin/sync\n");
  const command = ["systemd-analyze", "verify", "--man=no", `--root=${root}`, ...names];
  return Bun.spawnSync(command, { cwd: root }).stderr.toString();
}
