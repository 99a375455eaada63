import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Beginning } from "../../../src/metrics/beginning.ts";
import { Metrics } from "../../../src/metrics/metrics.ts";
import { noPrometheus, readMetrics } from "../../support/prometheus.ts";

/** Those of Kata's own agent (process.md section 3.1) that are there on any machine. */
const KATA = [
  "agent_scrape_count agent_threads agent_total_time agent_total_vm agent_total_rss",
  "agent_proc_status agent_io_stat agent_proc_stat guest_load guest_tasks",
  "guest_cpu_time guest_vm_stat guest_netdev_stat guest_meminfo",
]
  .flatMap((line) => line.split(" "))
  .map((name) => `kata_${name}`);

const OURS = "rpc_seconds loop_delay_seconds heap_bytes anonymous_bytes descriptors children alarms"
  .split(" ")
  .map((name) => `kata_agent_${name}`);

const why = noPrometheus === undefined ? "" : ` (skipped: needs ${noPrometheus})`;

test.skipIf(noPrometheus !== undefined)(
  `all families are there, for Prometheus to read${why}`,
  async () => {
    const missing: string[] = [];
    const beginning = new Beginning({ code: performance.now() });
    const metrics = new Metrics({
      onMissing: (path) => void missing.push(path),
      beginning,
      alarms: () => ({ WARN: 3, CRIT: 0 }),
    });
    metrics.called("Check");
    metrics.answered("Check", 0.001);
    await metrics.text();
    const families = readMetrics(await metrics.text());
    const names = [...families.keys()];
    expect([...KATA, ...OURS].filter((name) => !names.includes(name))).toEqual([]);
    expect(names.filter((name) => !/^kata_(agent|guest)_/.test(name))).toEqual([]);
    expect(missing).toEqual([]);
    expect(families.get("kata_agent_scrape_count")).toMatchObject({
      type: "counter",
      help: "Metrics scrape count",
      samples: [{ value: 2 }],
    });
    const valueOf = (name: string) => families.get(name)?.samples[0]?.value;
    expect(valueOf("kata_agent_total_rss")).toBeGreaterThan(1 << 20);
    expect(valueOf("kata_agent_descriptors")).toBeGreaterThan(2);
    expect(valueOf("kata_agent_heap_bytes")).toBeGreaterThan(0);
    expect(families.get("kata_agent_alarms")?.samples.map(({ value }) => value)).toEqual([3, 0]);
    const milestones = families.get("kata_agent_boot_seconds")?.samples ?? [];
    expect(milestones.map(({ labels }) => labels["item"])).toEqual(["code", "answered"]);
    const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
    for (const { value } of milestones) expect(Math.abs(value - uptime)).toBeLessThan(10);
  },
);
