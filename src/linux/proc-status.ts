// /proc/<pid>/status: proc_pid_status(5).

/** SigIgn, SigBlk or SigCgt as a mask in which bit n − 1 stands for signal n; 0 if not to be had. */
export function signalMask(status: string, field: "SigBlk" | "SigIgn" | "SigCgt"): bigint {
  const line = status.split("\n").find((candidate) => candidate.startsWith(`${field}:`));
  const digits = line?.slice(field.length + 1).trim() ?? "";
  return /^[0-9a-fA-F]{1,16}$/.test(digits) ? BigInt(`0x${digits}`) : 0n;
}

/** The pid of the process as those in its own pid namespace know it; undefined if not to be had. */
export function innermostPid(status: string): number | undefined {
  const [, pid] = /^NSpid:(?:\t\d+)*\t(\d+)$/m.exec(status) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

/** True if the process blocks, ignores or catches `signal`. */
export function handlesSignal(status: string, signal: number): boolean {
  if (signal === 0) return true;
  if (signal > 64) return false;
  const bit = 1n << BigInt(signal - 1);
  const fields = ["SigBlk", "SigIgn", "SigCgt"] as const;
  return fields.some((field) => (signalMask(status, field) & bit) !== 0n);
}

/** The numbers of the signals in a mask. */
export function signalsIn(mask: bigint): readonly number[] {
  const signals = [];
  for (let signal = 1; signal <= 64; signal++) {
    if ((mask >> BigInt(signal - 1)) & 1n) signals.push(signal);
  }
  return signals;
}
