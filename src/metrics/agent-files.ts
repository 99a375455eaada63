// What the kernel says of the agent, as Kata's own agent names it: process.md section 3.1. Each function
// takes the text of a file below /proc/self: proc_pid_stat(5), proc_pid_status(5), proc_pid_io(5).
import { type Family, gauge, items } from "./family.ts";
import { fieldsOf, numberIn } from "./fields.ts";

/** USER_HZ, in which the kernel counts time for users on every architecture of ours. */
const TICKS_PER_SECOND = 100;

/** The first field behind the program's name, which may hold anything, is the third of the manual. */
const AFTER_NAME = 3;

export function processStat(text: string): readonly Family[] {
  const words = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => numberIn(words[number - AFTER_NAME]);
  const [utime, stime, cutime, cstime] = [field(14), field(15), field(16), field(17)];
  const seconds = (utime + stime) / TICKS_PER_SECOND;
  return [
    gauge("kata_agent_threads", "Agent process threads", field(20)),
    gauge("kata_agent_total_time", "Agent process total time", seconds),
    gauge("kata_agent_total_vm", "Agent process total VM size", field(23)),
    items("kata_agent_proc_stat", "Agent process statistics.", [
      [{}, { utime, stime, cutime, cstime }],
    ]),
  ];
}

const STATUS = [
  "VmPeak VmSize VmLck VmPin VmHWM VmRSS RssAnon RssFile RssShmem VmData VmStk VmExe",
  "VmLib VmPTE VmSwap HugetlbPages voluntary_ctxt_switches nonvoluntary_ctxt_switches",
].flatMap((line) => line.split(" "));

/** In kB, as they stand there, but for those that are no part of Kata's family. */
export function processStatus(text: string): readonly Family[] {
  const fields = fieldsOf(text);
  const bytes = (name: string) => (fields.get(name) ?? 0) * 1024;
  const values = STATUS.map((name) => [name.toLowerCase(), fields.get(name) ?? 0] as const);
  return [
    items("kata_agent_proc_status", "Agent process status.", [[{}, Object.fromEntries(values)]]),
    gauge("kata_agent_total_rss", "Agent process total RSS size", bytes("VmRSS")),
    gauge(
      "kata_agent_anonymous_bytes",
      "Memory of the agent that is nobody else's and in no file.",
      bytes("RssAnon"),
    ),
  ];
}

const IO = "rchar wchar syscr syscw read_bytes write_bytes cancelled_write_bytes".split(" ");

export function processIo(text: string): readonly Family[] {
  const fields = fieldsOf(text);
  const values = Object.fromEntries(IO.map((name) => [name, fields.get(name) ?? 0]));
  return [items("kata_agent_io_stat", "Agent process IO statistics.", [[{}, values]])];
}
