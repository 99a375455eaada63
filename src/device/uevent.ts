// What the kernel tells of a device (Documentation/ABI, lib/kobject_uevent.c): `add@/devices/…`, then
// `KEY=value` words, each ended by a NUL.

/** A device as the kernel names it. What it says beside this nobody here asks for. */
export type Uevent = {
  /** `add`, `remove`, `change` and more. */
  readonly action: string;
  /** Below the root of sysfs; begins with a slash. */
  readonly devpath: string;
  readonly subsystem: string;
  /** Of the node, below /dev; empty where there is none. */
  readonly devname: string;
  /** Of a network interface; else empty. */
  readonly interfaceName: string;
};

const FIELDS = {
  ACTION: "action",
  DEVPATH: "devpath",
  SUBSYSTEM: "subsystem",
  DEVNAME: "devname",
  INTERFACE: "interfaceName",
} as const;

/**
 * Any bytes may come: undefined for what is no message of the kernel's, or would lead out of sysfs and
 * /dev. A value may hold newlines, as that of MODALIAS does. Of several with one key the last counts.
 */
export function parseUevent(message: Uint8Array): Uevent | undefined {
  const words = decode(message)?.split("\0").slice(1) ?? [];
  const event = { action: "", devpath: "", subsystem: "", devname: "", interfaceName: "" };
  for (const word of words) {
    const end = word.indexOf("=");
    const key = word.slice(0, Math.max(end, 0));
    if (isField(key)) event[FIELDS[key]] = word.slice(end + 1);
  }
  const { action, devpath, devname, interfaceName } = event;
  const leadsOut = [devpath, devname, interfaceName].some((path) => path.split("/").includes(".."));
  return action === "" || !devpath.startsWith("/") || leadsOut ? undefined : event;
}

function isField(key: string): key is keyof typeof FIELDS {
  return Object.hasOwn(FIELDS, key);
}

function decode(message: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(message);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
