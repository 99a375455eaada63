// A device of which the kernel checks every block that is read from it.
import { NEVER } from "../async/never.ts";
import { work } from "../child/work.ts";
import { internal } from "../error.ts";
import { tryReadText } from "../kernel/file.ts";
import { namesIn } from "../kernel/listing.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import {
  createReadOnlyDevice,
  loadReadOnlyTable,
  removeDevice,
  resumeDevice,
} from "../linux/device-mapper.ts";
import { openat } from "../linux/fs.ts";
import { O } from "../linux/open-flags.ts";
import { type Tape, skip } from "../tape/tape.ts";
import type { AttachContext } from "./driver.ts";
import { type Verity, verityName, verityTarget } from "./verity.ts";

const LONGEST_MS = 60_000;

/**
 * The node of a device that shows the data of `partition`, made if no other mount of the pod has it. It goes
 * with the last of them. Throws an AgentError where another has it with other options, a TapeError, or what the
 * signal says.
 */
export async function verityDevice(
  partition: string,
  verity: Verity,
  { devices, signal, undo }: Pick<AttachContext, "devices" | "signal" | "undo">,
): Promise<string> {
  const name = verityName(partition, verity);
  const target = verityTarget(partition, verity);
  const make = async (steps: AsyncDisposableStack, stop: AbortSignal) => {
    steps.defer(() => remove(name));
    const create = (tape: Tape) => {
      const control = openControl(tape);
      // An agent that was here before may have left it.
      tape.do(`remove the device ${name}`, removeDevice(control, name), { ENXIO: skip });
      tape.do(`create the device ${name}`, createReadOnlyDevice(control, name));
      tape.do(`give ${name} its table`, loadReadOnlyTable(control, name, target));
      tape.do(`start the device ${name}`, resumeDevice(control, name));
    };
    await work(create, { signal: stop, timeoutMs: LONGEST_MS });
  };
  // The name has only the start of the hash: who says something else of the same data is to be told.
  const key = `${name} ${target.parameters}`;
  if (devices.targets.some((each) => each.startsWith(`${name} `) && each !== key))
    throw internal(`the device ${name} is in use with another root hash or other options`);
  undo.use(await devices.hold(key, make, signal));
  return await nodeOf(name);
}

function openControl(tape: Tape) {
  return tape.fd("open the device mapper", openat(AT_FDCWD, "/dev/mapper/control", O.RDWR));
}

/** Whoever still uses it keeps it until then. */
async function remove(name: string): Promise<void> {
  const write = (tape: Tape) => {
    const control = openControl(tape);
    tape.do(`remove the device ${name}`, removeDevice(control, name), { ENXIO: skip });
  };
  await work(write, { signal: NEVER, timeoutMs: LONGEST_MS });
}

/** The kernel's own: the nodes below /dev/mapper are udev's, which a guest need not have. */
async function nodeOf(name: string): Promise<string> {
  for (const node of await namesIn("/sys/block")) {
    if (tryReadText(`/sys/block/${node}/dm/name`)?.trimEnd() === name) return `/dev/${node}`;
  }
  throw internal(`the device ${name} has gone`);
}
