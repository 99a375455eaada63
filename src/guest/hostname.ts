// The name of a guest whose PID 1 the agent is. A pod's own name is that of its uts namespace.
import { tryReadText } from "../kernel/file.ts";
import { perform } from "../kernel/perform.ts";
import { sethostname } from "../linux/host.ts";

const FILE = "/etc/hostname";

/** The first word of the file: process.md section 2.2. */
export function hostnameIn(text: string): string {
  const [name = ""] = text.trim().split(/\s/);
  return name === "" ? "localhost" : name;
}

/** Throws a KernelError. */
export function setHostname(): void {
  const name = hostnameIn(tryReadText(FILE) ?? "");
  perform(`set the hostname to ${name}`, sethostname(name));
}
