// A program that makes one system call, by its number, and prints the errno: 0 if there is none.
import { existsSync } from "node:fs";
import { join } from "node:path";

const SOURCE = `
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int count, char **words) {
  long w[7] = {0};
  for (int i = 1; i < count && i < 8; i++) w[i - 1] = (long)strtoull(words[i], 0, 0);
  long result = syscall(w[0], w[1], w[2], w[3], w[4], w[5], w[6]);
  printf("%d\\n", result < 0 ? errno : 0);
  return 0;
}
`;

/** What the probe lacks here; undefined if nothing. */
export const missing = Bun.which("cc") === null ? "cc: Debian package gcc" : undefined;

/** Put the probe into a root file system as `/bin/probe`. */
export function installProbe(rootfs: string): void {
  installProgram(rootfs, "probe", SOURCE);
}

/** Put what is written in C into a root file system, below /bin, if it is not there yet. */
export function installProgram(rootfs: string, name: string, source: string): void {
  const path = join(rootfs, "bin", name);
  if (existsSync(path)) return;
  const command = ["cc", "-static", "-O1", "-x", "c", "-o", path, "-"];
  const { exitCode, stderr } = Bun.spawnSync(command, { stdin: Buffer.from(source) });
  if (exitCode !== 0) throw new Error(stderr.toString());
}
