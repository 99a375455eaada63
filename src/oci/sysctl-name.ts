// Names of kernel parameters, in both forms that sysctl(8) takes.
import { invalidField } from "./invalid-spec.ts";

/**
 * The path of a sysctl below /proc/sys. The first separator says which one separates:
 * `net.ipv4.conf.eth0/1.forwarding` and `net/ipv4/conf/eth0.1/forwarding` are the same, where the
 * other sign stands for a dot within a name. Throws InvalidSpec for what would leave /proc/sys.
 */
export function sysctlPath(name: string): readonly string[] {
  const slashes = name.search(/[./]/) === name.indexOf("/") && name.includes("/");
  const path = slashes
    ? name.split("/")
    : name.split(".").map((component) => component.replaceAll("/", "."));
  const malformed = path.some((component) => ["", ".", ".."].includes(component));
  if (malformed || name.includes("\0")) throw invalidField("linux.sysctl", name);
  return path;
}
