// A directory of the guest's: an emptyDir. It outlives the containers that use it.
import { work } from "../child/work.ts";
import { fchmod, fchown, openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import { removeDirectory } from "./directories.ts";
import type { Driver } from "./driver.ts";
import { idOption, modeOption } from "./options.ts";
import { openDirectory } from "./place.ts";

const SET_GID = 0o2000;
const KEEP_OWNER = -1;
const LONGEST_MS = 60_000;

export const local: Driver = {
  name: "local",
  lasts: true,
  plan: ({ mountPoint, options }) => {
    const gid = idOption(options, "fsgid");
    const mode = modeOption(options);
    return async ({ signal, undo }) => {
      undo.defer(() => removeDirectory(mountPoint));
      await work(
        (tape) => {
          const place = openDirectory(tape, mountPoint);
          const directory = openat(place, ".", O.RDONLY | O.DIRECTORY);
          const opened = tape.fd(`open ${mountPoint}`, directory);
          if (gid !== undefined)
            tape.do(`give ${mountPoint} to group ${gid}`, fchown(opened, KEEP_OWNER, gid));
          if (mode !== undefined) {
            const bits = gid === undefined ? mode : mode | SET_GID;
            tape.do(`set the mode of ${mountPoint}`, fchmod(opened, bits));
          }
        },
        { signal, timeoutMs: LONGEST_MS },
      );
    };
  },
};
