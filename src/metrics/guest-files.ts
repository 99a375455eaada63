// What the kernel says of the guest, as Kata's own agent names it: process.md section 3.1. Each function
// takes the text of a file below /proc: proc_loadavg(5), proc_stat(5), proc_vmstat(5), proc_diskstats(5),
// and /proc/net/dev of proc_pid_net(5).
import { type Family, items } from "./family.ts";
import { columns, fieldsOf, numberIn, rowsOf } from "./fields.ts";

/** Processors, interfaces and disks each: a container may have made more than an answer can hold. */
const MOST_ROWS = 512;

export function load(text: string): readonly Family[] {
  const [load1, load5, load15, tasks = ""] = text.split(" ");
  const [cur, max] = tasks.split("/");
  const loads = { load1: numberIn(load1), load5: numberIn(load5), load15: numberIn(load15) };
  return [
    items("kata_guest_load", "Guest system load.", [[{}, loads]]),
    items("kata_guest_tasks", "Guest system load.", [
      [{}, { cur: numberIn(cur), max: numberIn(max) }],
    ]),
  ];
}

const CPU = "user nice system idle iowait irq softirq steal guest guest_nice".split(" ");
/** Of USER_HZ, which is 100 on every architecture of ours. */
const MILLISECONDS_PER_TICK = 10;

export function cpuTime(text: string): readonly Family[] {
  const rows = rowsOf(text).filter(([name = ""]) => /^cpu\d*$/.test(name));
  return [
    items(
      "kata_guest_cpu_time",
      "Guest CPU statistics.",
      rows.slice(0, MOST_ROWS).map((words) => {
        const [name = ""] = words;
        const cpu = name === "cpu" ? "total" : name.slice("cpu".length);
        return [{ cpu }, columns(CPU, words, 1, MILLISECONDS_PER_TICK)];
      }),
    ),
  ];
}

export function virtualMemory(text: string): readonly Family[] {
  const values = Object.fromEntries(fieldsOf(text));
  return [items("kata_guest_vm_stat", "Guest virtual memory statistics.", [[{}, values]])];
}

const NETDEV = [
  "recv_bytes recv_packets recv_errs recv_drop recv_fifo recv_frame recv_compressed",
  "recv_multicast sent_bytes sent_packets sent_errs sent_drop sent_fifo sent_colls",
  "sent_carrier sent_compressed",
].flatMap((line) => line.split(" "));

export function networkDevices(text: string): readonly Family[] {
  // Only those behind the two lines of headings have a colon.
  const lines = text.split("\n").filter((line) => line.includes(":"));
  return [
    items(
      "kata_guest_netdev_stat",
      "Guest net devices statistics.",
      rowsOf(lines.slice(0, MOST_ROWS).join("\n")).map((words) => [
        { interface: words[0] ?? "" },
        columns(NETDEV, words, 1),
      ]),
    ),
  ];
}

const DISK = [
  "reads merged sectors_read time_reading writes writes_merged sectors_written",
  "time_writing in_progress time_in_progress weighted_time_in_progress discards",
  "discards_merged sectors_discarded time_discarding flushes time_flushing",
].flatMap((line) => line.split(" "));

export function disks(text: string): readonly Family[] {
  const rows = rowsOf(text).filter((words) => words.length > 3);
  return [
    items(
      "kata_guest_diskstat",
      "Disks statistics in system.",
      rows.slice(0, MOST_ROWS).map((words) => [{ disk: words[2] ?? "" }, columns(DISK, words, 3)]),
    ),
  ];
}
