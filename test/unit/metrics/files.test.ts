// What is made of the kernel's files; the texts are cut from real ones.
import { describe, expect, test } from "bun:test";
import { processIo, processStat, processStatus } from "../../../src/metrics/agent-files.ts";
import { type Family, exposition } from "../../../src/metrics/family.ts";
import {
  cpuTime,
  disks,
  load,
  networkDevices,
  virtualMemory,
} from "../../../src/metrics/guest-files.ts";
import { memoryInfo } from "../../../src/metrics/memory-info.ts";
import { randomText, seeded } from "../../support/random.ts";

/** `name{labels}` → value */
function valuesOf(families: readonly Family[]): Record<string, number> {
  const entries = families.flatMap(({ name, samples }) =>
    samples.map(
      ({ labels, value }) => [[name, ...Object.values(labels)].join(" "), value] as const,
    ),
  );
  return Object.fromEntries(entries);
}

describe("the agent's own files", () => {
  test("stat: a program's name may hold spaces and parentheses", () => {
    const text =
      "42 (a) b (c) S 1 42 42 0 -1 4194560 95 0 2 0 150 50 7 8 20 0 12 0 1234 104857600 2500 18446744073709551615 1 1 0";
    expect(valuesOf(processStat(text))).toEqual({
      kata_agent_threads: 12,
      kata_agent_total_time: 2,
      kata_agent_total_vm: 104857600,
      "kata_agent_proc_stat utime": 150,
      "kata_agent_proc_stat stime": 50,
      "kata_agent_proc_stat cutime": 7,
      "kata_agent_proc_stat cstime": 8,
    });
  });

  test("status: in kB as they stand, 0 for what is not there", () => {
    const text =
      "Name:\tkata-agent\nVmPeak:\t  200 kB\nVmRSS:\t  100 kB\nRssAnon:\t   40 kB\nHugetlbPages:\t0 kB\nvoluntary_ctxt_switches:\t17\n";
    const values = valuesOf(processStatus(text));
    expect(values).toMatchObject({
      "kata_agent_proc_status vmpeak": 200,
      "kata_agent_proc_status vmrss": 100,
      "kata_agent_proc_status rssanon": 40,
      "kata_agent_proc_status voluntary_ctxt_switches": 17,
      "kata_agent_proc_status nonvoluntary_ctxt_switches": 0,
      kata_agent_total_rss: 102400,
      kata_agent_anonymous_bytes: 40960,
    });
    expect(Object.keys(values)).toHaveLength(20);
  });

  test("io", () => {
    const text =
      "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\ncancelled_write_bytes: 7\n";
    expect(Object.values(valuesOf(processIo(text)))).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

describe("the guest's files", () => {
  test("loadavg", () => {
    expect(valuesOf(load("0.50 1.25 10.00 3/456 789\n"))).toEqual({
      "kata_guest_load load1": 0.5,
      "kata_guest_load load5": 1.25,
      "kata_guest_load load15": 10,
      "kata_guest_tasks cur": 3,
      "kata_guest_tasks max": 456,
    });
  });

  test("stat: milliseconds, by the number of the processor, 0 for columns of later kernels", () => {
    const text = "cpu  10 20 30 40 50 60 70 80\ncpu3 1 2 3 4 5 6 7 8 9 10\nintr 1 2\nctxt 12\n";
    const values = valuesOf(cpuTime(text));
    expect(values).toMatchObject({
      "kata_guest_cpu_time total user": 100,
      "kata_guest_cpu_time total steal": 800,
      "kata_guest_cpu_time total guest_nice": 0,
      "kata_guest_cpu_time 3 idle": 40,
      "kata_guest_cpu_time 3 guest_nice": 100,
    });
    expect(Object.keys(values)).toHaveLength(20);
  });

  test("vmstat: every key", () => {
    expect(valuesOf(virtualMemory("nr_free_pages 5\npgpgin 18446744073709551615\n"))).toEqual({
      "kata_guest_vm_stat nr_free_pages": 5,
      "kata_guest_vm_stat pgpgin": 2 ** 64,
    });
  });

  test("net/dev: a line of numbers may begin right behind the colon", () => {
    const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
veth_a:100 2 3 4 5 6 7 8 9 10 11 12 13 14 15 160
`;
    const values = valuesOf(networkDevices(text));
    expect(values).toMatchObject({
      "kata_guest_netdev_stat lo recv_bytes": 1,
      "kata_guest_netdev_stat lo recv_multicast": 8,
      "kata_guest_netdev_stat lo sent_bytes": 9,
      "kata_guest_netdev_stat veth_a recv_bytes": 100,
      "kata_guest_netdev_stat veth_a sent_compressed": 160,
    });
    expect(Object.keys(values)).toHaveLength(32);
  });

  test("net/dev: names that look alike do not make two of one", () => {
    const line = (name: string, bytes: number) => `${name}: ${bytes}${" 0".repeat(15)}`;
    const text = [line("eth0", 1), line("eth0\u2003", 2), line("a\ufffd", 3), line("a\ufffd", 4)];
    const [family] = networkDevices(text.join("\n"));
    const bytes = family?.samples.filter(({ labels }) => labels["item"] === "recv_bytes") ?? [];
    expect(bytes.map(({ labels, value }) => [labels["interface"], value])).toEqual([
      ["eth0", 1],
      ["eth0\u2003", 2],
      ["a\ufffd", 3],
    ]);
  });

  test("diskstats: older kernels have fewer columns", () => {
    const text =
      " 254       0 vda 1 2 3 4 5 6 7 8 9 10 11\n 8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n";
    const values = valuesOf(disks(text));
    expect(values).toMatchObject({
      "kata_guest_diskstat vda reads": 1,
      "kata_guest_diskstat vda weighted_time_in_progress": 11,
      "kata_guest_diskstat vda time_flushing": 0,
      "kata_guest_diskstat sda discards": 12,
      "kata_guest_diskstat sda time_flushing": 17,
    });
    expect(Object.keys(values)).toHaveLength(34);
  });

  test("meminfo: bytes, but numbers of pages as they are", () => {
    const text =
      "MemTotal:        2048 kB\nActive(anon):      3 kB\nHugePages_Total:       4\nHugepagesize:       2048 kB\nDirectMap1G:           1 kB\n";
    const values = valuesOf(memoryInfo(text));
    expect(values).toMatchObject({
      "kata_guest_meminfo mem_total": 2097152,
      "kata_guest_meminfo active_anon": 3072,
      "kata_guest_meminfo hugepages_total": 4,
      "kata_guest_meminfo hugepagesize": 2097152,
      "kata_guest_meminfo direct_map_1G": 1024,
      "kata_guest_meminfo k_reclaimable": 0,
    });
    expect(Object.keys(values)).toHaveLength(58);
  });

  test("that have more rows than an answer can hold are cut", () => {
    const many = Array.from({ length: 5000 }, (_, index) => `8 0 sd${index} 1`).join("\n");
    expect(Object.keys(valuesOf(disks(many)))).toHaveLength(512 * 17);
  });
});

test("random text gives numbers or nothing, and a name once", () => {
  const parsers = [
    processIo,
    processStat,
    processStatus,
    load,
    cpuTime,
    virtualMemory,
    networkDevices,
    disks,
    memoryInfo,
  ];
  const random = seeded(24);
  for (let round = 0; round < 500; round++) {
    for (const parse of parsers) {
      const families = parse(randomText(random, 400));
      const values = families.flatMap(({ samples }) => samples.map(({ value }) => value));
      expect(values.every(Number.isFinite)).toBe(true);
      expect(exposition(families)).not.toContain("undefined");
    }
  }
});
