// What GetMetrics answers: the families of Kata's own agent, read when they are asked for, and our own.
import { within } from "../async/timeout.ts";
import { readText } from "../kernel/file.ts";
import { childCount } from "../kernel/reaper.ts";
import { descriptorCount, heapBytes } from "../kernel/usage.ts";
import { processIo, processStat, processStatus } from "./agent-files.ts";
import type { Beginning } from "./beginning.ts";
import { CallTimes } from "./call-times.ts";
import { type Family, exposition, gauge } from "./family.ts";
import { fileSystems } from "./file-systems.ts";
import { cpuTime, disks, load, networkDevices, virtualMemory } from "./guest-files.ts";
import { memoryInfo } from "./memory-info.ts";

type Source = {
  readonly path: string;
  readonly families: (text: string) => readonly Family[] | Promise<readonly Family[]>;
};

const SOURCES: readonly Source[] = [
  // First: disks are asked in other threads, and answer while the rest is read.
  { path: "/proc/self/mountinfo", families: fileSystems },
  { path: "/proc/self/stat", families: processStat },
  { path: "/proc/self/status", families: processStatus },
  { path: "/proc/self/io", families: processIo },
  { path: "/proc/loadavg", families: load },
  { path: "/proc/stat", families: cpuTime },
  { path: "/proc/vmstat", families: virtualMemory },
  { path: "/proc/net/dev", families: networkDevices },
  { path: "/proc/diskstats", families: disks },
  { path: "/proc/meminfo", families: memoryInfo },
];

/** A disk that is lost may never answer. */
const LONGEST_MS = 1000;

export type MetricsOptions = {
  /** Hears of a file that could not be read: its families are missing from the answer. */
  readonly onMissing: (path: string, error: unknown) => void;
  readonly beginning: Beginning;
  /** How often something was said to be wrong, by the log's word for how bad it is. */
  readonly alarms: () => Readonly<Record<string, number>>;
};

export class Metrics {
  readonly #calls = new CallTimes();
  readonly #options: MetricsOptions;
  #scrapes = 0;
  #underWay: Promise<string> | undefined;

  constructor(options: MetricsOptions) {
    this.#options = options;
  }

  /** A call of `rpc` has come. */
  called(rpc: string): void {
    this.#calls.begin(rpc);
  }

  /** `rpc` has ended, one way or the other. */
  answered(rpc: string, seconds: number): void {
    this.#calls.end(rpc, seconds);
    this.#options.beginning.reached("answered");
  }

  /** In Prometheus' text format 0.0.4. Who asks while it is being made gets the same. */
  text(): Promise<string> {
    this.#scrapes++;
    this.#underWay ??= this.#make().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  /** The agent's own part of it, a line for each number that is not 0: for whoever looks at a guest. */
  async state(): Promise<string> {
    const lines = (await this.text()).split("\n");
    return lines
      .filter((line) => /^kata_agent_.* (?!0$)\S+$/.test(line) && !isOfHistogram(line))
      .join("\n");
  }

  async #make(): Promise<string> {
    const found = await Promise.all(SOURCES.map((source) => this.#read(source)));
    return exposition([...this.#own(), ...this.#calls.families(), ...found.flat()]);
  }

  async #read({ path, families }: Source): Promise<readonly Family[]> {
    let found: readonly Family[] = [];
    const reading = async () => {
      found = await families(readText(path));
    };
    try {
      if (!(await within(reading(), LONGEST_MS))) throw new Error(`${path}: no answer in time`);
    } catch (error) {
      this.#options.onMissing(path, error);
    }
    return found;
  }

  #own(): readonly Family[] {
    const { beginning, alarms } = this.#options;
    const scrapes = [{ labels: {}, value: this.#scrapes }];
    return [
      {
        name: "kata_agent_scrape_count",
        type: "counter",
        help: "Metrics scrape count",
        samples: scrapes,
      },
      {
        name: "kata_agent_alarms_total",
        type: "counter",
        help: "What was found to be wrong, logged or not, by the log's word for how bad it is.",
        samples: Object.entries(alarms()).map(([level, value]) => ({ labels: { level }, value })),
      },
      beginning.family(),
      gauge("kata_agent_heap_bytes", "JavaScript values, live or not.", heapBytes()),
      gauge("kata_agent_descriptors", "Open descriptors.", descriptorCount()),
      gauge("kata_agent_children", "Processes that the agent waits for.", childCount()),
    ];
  }
}

function isOfHistogram(line: string): boolean {
  return /_bucket\{|_sum/.test(line);
}
