// The labels that SELinux and AppArmor give the program: taken by the execve that follows.
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { close, writeText } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import type { Tape } from "../tape/tape.ts";

/** What the guest's kernel can enforce of what the spec asks for. */
export type Labels = {
  /** process.selinuxLabel */
  readonly selinux?: string | undefined;
  /** process.apparmorProfile */
  readonly apparmor?: string | undefined;
};

/** Before the session keyring is made, which gets the label of the process. */
export function labelKeys(tape: Tape, { selinux }: Labels = {}): void {
  if (selinux !== undefined) write(tape, "process.selinuxLabel of keys", "keycreate", selinux);
}

/** While the agent's /proc is in sight: what the image has there might say yes to anything. */
export function labelProgram(tape: Tape, { selinux, apparmor }: Labels = {}): void {
  if (selinux !== undefined) write(tape, "process.selinuxLabel", "exec", selinux);
  if (apparmor !== undefined) {
    write(tape, "process.apparmorProfile", "apparmor/exec", `exec ${apparmor}`);
  }
}

function write(tape: Tape, field: string, attribute: string, value: string): void {
  const path = `/proc/self/attr/${attribute}`;
  const file = tape.fd(`open ${path}`, openat(AT_FDCWD, path, O.WRONLY));
  tape.do(`set ${field} to ${value}`, writeText(file, value));
  tape.do(`close ${path}`, close(file));
}
