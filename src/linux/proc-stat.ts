// /proc/<pid>/stat, proc_pid_stat(5).

export type ProcStat = {
  readonly pid: number;
  /** The program's name, at most 15 bytes. The process can make it whatever it likes. */
  readonly name: string;
  /** `R`, `S`, `Z`, … */
  readonly state: string;
  readonly parent: number;
};

/** undefined for what is no such line. */
export function parseStat(text: string): ProcStat | undefined {
  // The name stands in parentheses, and may hold some itself.
  const found = /^(\d+) \((.*)\) (\S) (\d+) /s.exec(text);
  if (found === null) return undefined;
  const [, pid = "", name = "", state = "", parent = ""] = found;
  return { pid: Number(pid), name, state, parent: Number(parent) };
}
