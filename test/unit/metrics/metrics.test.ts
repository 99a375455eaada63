import { expect, test } from "bun:test";
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

const OURS = "rpc_seconds loop_delay_seconds heap_bytes anonymous_bytes descriptors children"
  .split(" ")
  .map((name) => `kata_agent_${name}`);

const why = noPrometheus === undefined ? "" : ` (skipped: needs ${noPrometheus})`;

test.skipIf(noPrometheus !== undefined)(
  `all families are there, for Prometheus to read${why}`,
  async () => {
    const missing: string[] = [];
    const metrics = new Metrics((path) => void missing.push(path));
    metrics.calls.end("Check", 0.001);
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
  },
);
