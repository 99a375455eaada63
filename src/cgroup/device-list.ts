// A device policy as writes to the files of the v1 controller, which keeps a default and exceptions.
import {
  type Access,
  type DeviceException,
  type DevicePolicy,
  deviceName,
  deviceText,
} from "./device-policy.ts";
import type { LimitWrite } from "./limit-write.ts";

/**
 * From the policy that is in force, undefined if that is not known, to another. What both have is not
 * touched, and no write takes away what the container keeps, except that a change of the default
 * forgets all exceptions for a moment: the kernel has no other way.
 */
export function deviceWrites(from: DevicePolicy | undefined, to: DevicePolicy): LimitWrite[] {
  const isKept = from?.allow === to.allow;
  const before = isKept ? from.exceptions : new Map<string, DeviceException>();
  const reset = write(!to.allow, "a *:* rwm", undefined);
  const added = differences(to.exceptions, before).map(([exception, access]) =>
    write(to.allow, deviceText(deviceName(exception), access), exception.field),
  );
  const removed = differences(before, to.exceptions).map(([exception, access]) =>
    write(!to.allow, deviceText(deviceName(exception), access), exception.field),
  );
  return [...(isKept ? [] : [reset]), ...added, ...removed];
}

/** The exceptions of `one`, with the access that `other` does not have. */
function differences(
  one: ReadonlyMap<string, DeviceException>,
  other: ReadonlyMap<string, DeviceException>,
): (readonly [DeviceException, Access])[] {
  return [...one].flatMap(([name, exception]) => {
    const access = exception.access & ~(other.get(name)?.access ?? 0);
    return access === 0 ? [] : [[exception, access] as const];
  });
}

function write(deny: boolean, value: string, field: string | undefined): LimitWrite {
  return {
    field: field ?? "devices",
    file: deny ? "devices.deny" : "devices.allow",
    value,
    // What nobody asked for may be forbidden further up: the agent has not got it either.
    ...(field === undefined && !deny && !value.startsWith("a ") ? { tolerated: ["EPERM"] } : {}),
  };
}
