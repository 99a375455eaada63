// A device policy as properties of a systemd unit (systemd.resource-control(5)), for v1: there systemd
// writes the controller's list anew, with all devices in it, whenever a unit beside asks for a policy.
import type { Property } from "./dbus-message.ts";
import { type DeviceException, type DevicePolicy, accessLetters } from "./device-policy.ts";

const KINDS = { b: "block", c: "char" } as const;

/** systemd knows no exceptions from "all": such a policy it is not told. */
export function deviceProperties({ allow, exceptions }: DevicePolicy): Property[] {
  const allowed = allow ? [] : [...exceptions.values()].flatMap(ruleOf);
  return [
    ["DevicePolicy", { type: "s", value: allow ? "auto" : "strict" }],
    // An empty list takes back what was set before; another one is added to it.
    ["DeviceAllow", { type: "a(ss)", value: [] }],
    ...(allowed.length === 0
      ? []
      : [["DeviceAllow", { type: "a(ss)", value: allowed }] satisfies Property]),
  ];
}

/** A node by its number, or all of a major number; nothing for a minor number of every major one. */
function ruleOf({ type, major, minor, access }: DeviceException): [string, string][] {
  const letters = accessLetters(access);
  const kind = KINDS[type];
  if (minor === undefined) return [[`${kind}-${major ?? "*"}`, letters]];
  return major === undefined ? [] : [[`/dev/${kind}/${major}:${minor}`, letters]];
}
