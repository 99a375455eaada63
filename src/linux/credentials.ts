// User, groups and capabilities of the calling process: setresuid(2), setgroups(2), capset(2).
import { type Call, call } from "./call.ts";
import { structOf } from "./struct.ts";

/** linux/capability.h: _LINUX_CAPABILITY_VERSION_3 */
const CAPABILITY_VERSION_3 = 0x20080522;

export function setresuid(uid: number): Call {
  return call("setresuid", uid, uid, uid);
}

export function setresgid(gid: number): Call {
  return call("setresgid", gid, gid, gid);
}

export function setgroups(gids: readonly number[]): Call {
  if (gids.length === 0) return call("setgroups", 0, null);
  return call("setgroups", gids.length, new Uint8Array(new Uint32Array(gids).buffer));
}

/** Sets as bit masks: bit n stands for capability number n. */
export type CapabilitySets = {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
};

/** capset(2) on the calling process, all three sets at once. */
export function capset({ effective, permitted, inheritable }: CapabilitySets): Call {
  return call(
    "capset",
    structOf("cap_header", { version: CAPABILITY_VERSION_3, pid: 0 }),
    structOf("cap_data", {
      effective_lo: low(effective),
      permitted_lo: low(permitted),
      inheritable_lo: low(inheritable),
      effective_hi: high(effective),
      permitted_hi: high(permitted),
      inheritable_hi: high(inheritable),
    }),
  );
}

function low(mask: bigint): bigint {
  return mask & 0xffff_ffffn;
}

function high(mask: bigint): bigint {
  return mask >> 32n;
}
