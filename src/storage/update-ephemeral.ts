// UpdateEphemeralMounts: change what is mounted already, mostly the size of /dev/shm (rpc.md section 6.34).
import { work } from "../child/work.ts";
import { internal } from "../error.ts";
import { close } from "../linux/io.ts";
import {
  fsconfigFlag,
  fsconfigReconfigure,
  fsconfigString,
  fspick,
  mount_setattr,
} from "../linux/mount.ts";
import { parseMountOptions } from "../oci/mount-options.ts";
import { attributesOf, splitOption } from "../program/filesystem.ts";
import type { Tape } from "../tape/tape.ts";
import { mountsAt } from "./mount.ts";
import { openExisting } from "./place.ts";
import type { Storage } from "./storage.ts";

const LONGEST_MS = 60_000;

/** Its mount point is checked. Flags that are not named stay. Throws an AgentError or a TapeError. */
export async function updateEphemeral(storage: Storage, signal: AbortSignal): Promise<void> {
  const { mountPoint, fstype } = storage;
  const options = storage.options.filter((option) => !option.startsWith("fsgid="));
  if (mountsAt(mountPoint).at(-1)?.fstype !== fstype)
    throw internal(`update the storage ${mountPoint}: no ${fstype} is mounted there`);
  const parsed = parseMountOptions(options);
  const write = (tape: Tape) => {
    const place = openExisting(tape, mountPoint);
    const context = tape.fd(`pick ${mountPoint}`, fspick(place));
    for (const option of parsed.data) {
      const [key = "", value] = splitOption(option);
      const set =
        value === undefined ? fsconfigFlag(context, key) : fsconfigString(context, key, value);
      tape.do(`set ${option} of ${mountPoint}`, set);
    }
    tape.do(`remount ${mountPoint}`, fsconfigReconfigure(context));
    tape.do(`close ${mountPoint}`, close(context));
    const attributes = attributesOf(parsed);
    if (attributes.set !== 0 || attributes.clear !== 0)
      tape.do(`set the flags of ${mountPoint}`, mount_setattr(place, attributes));
  };
  await work(write, { signal, timeoutMs: LONGEST_MS });
}
