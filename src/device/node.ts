import { internal } from "../error.ts";
import { Fd } from "../kernel/fd.ts";
import { type DeviceNode, type DeviceNumber, deviceNodeOf } from "../kernel/file.ts";
import { attempt } from "../kernel/perform.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import { quote } from "../oci/invalid-spec.ts";

/** What device the node at `path` of the guest is. Throws an AgentError for no node. */
export function deviceAt(path: string): DeviceNumber {
  const node = nodeAt(path);
  if (node === undefined) throw internal(`VM device path ${quote(path)} doesn't exist`);
  if (node === "other") throw internal(`Unknown device ${quote(path)}'s cgroup type`);
  return node.number;
}

/** undefined: there is nothing. A link is followed: some names in /dev are links. */
export function nodeAt(path: string): DeviceNode | "other" | undefined {
  const number = attempt(openat(AT_FDCWD, path, O.PATH));
  if (number < 0) return undefined;
  using file = new Fd(number);
  return deviceNodeOf(file) ?? "other";
}
