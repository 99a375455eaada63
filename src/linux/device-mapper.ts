// Block devices made of others: linux/dm-ioctl.h, on /dev/mapper/control.
import { type Call, type FdArg, call } from "./call.ts";
import { DM, DM_FLAG } from "./constants.ts";

/** struct dm_ioctl: version at 0, then as named, then name[128], uuid[129] and 7 bytes. */
const SIZE = 312;
const AT = { dataSize: 12, dataStart: 16, targetCount: 20, flags: 28, name: 48 } as const;
/** DM_NAME_LEN, with the NUL. */
const LONGEST_NAME = 127;
/** The oldest version of the interface that has all that is used here. */
const VERSION = [4, 28, 0] as const;

/** struct dm_target_spec: start and length in sectors, status, next, target_type[16]; text follows. */
const TARGET_SIZE = 40;

export type DmTarget = {
  /** In sectors of 512 bytes. */
  readonly length: number;
  readonly type: string;
  /** Words apart by blanks, as dmsetup(8) has them. */
  readonly parameters: string;
};

/** A read-only device without a table. `name`: at most 127 bytes. */
export function createReadOnlyDevice(control: FdArg, name: string): Call {
  return command(control, DM.DEV_CREATE, name, DM_FLAG.READONLY_FLAG);
}

/** Give it the table of one read-only target, which is used from the next resume on. */
export function loadReadOnlyTable(control: FdArg, name: string, target: DmTarget): Call {
  return command(control, DM.TABLE_LOAD, name, DM_FLAG.READONLY_FLAG, encodeTarget(target));
}

export function resumeDevice(control: FdArg, name: string): Call {
  return command(control, DM.DEV_SUSPEND, name, 0);
}

/** At once, or when the last who uses it is done. */
export function removeDevice(control: FdArg, name: string): Call {
  return command(control, DM.DEV_REMOVE, name, DM_FLAG.DEFERRED_REMOVE);
}

function command(
  control: FdArg,
  request: number,
  name: string,
  flags: number,
  target: Uint8Array = new Uint8Array(),
): Call {
  const nameBytes = new TextEncoder().encode(name);
  if (nameBytes.length > LONGEST_NAME)
    throw new RangeError(`name of a device is too long: ${name}`);
  const bytes = new Uint8Array(SIZE + target.length);
  const view = new DataView(bytes.buffer);
  for (const [index, number] of VERSION.entries()) view.setUint32(4 * index, number, true);
  view.setUint32(AT.dataSize, bytes.length, true);
  view.setUint32(AT.dataStart, SIZE, true);
  view.setUint32(AT.targetCount, target.length > 0 ? 1 : 0, true);
  view.setUint32(AT.flags, flags, true);
  bytes.set(nameBytes, AT.name);
  bytes.set(target, SIZE);
  return call("ioctl", control, request, bytes);
}

function encodeTarget({ length, type, parameters }: DmTarget): Uint8Array {
  const text = new TextEncoder().encode(`${parameters}\0`);
  const size = Math.ceil((TARGET_SIZE + text.length) / 8) * 8;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(8, BigInt(length), true);
  view.setUint32(20, size, true);
  bytes.set(new TextEncoder().encode(type), 24);
  bytes.set(text, TARGET_SIZE);
  return bytes;
}
