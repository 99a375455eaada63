// What the host plugs into the guest while containers run, and who of them is to have it.
import { Mutex } from "../async/mutex.ts";
import type { Container } from "../container/container.ts";
import type { Warn } from "../container/guest.ts";
import { blockAt, comingNode } from "../device/block.ts";
import type { Hotplug } from "../device/hotplug.ts";
import { AgentError, internal, invalidArgument } from "../error.ts";
import { MemoryAgent } from "../guest/memory-agent.ts";
import type { MemoryAgentSettings } from "../guest/memory-agent-settings.ts";
import { memoryFiles } from "../guest/memory-files.ts";
import { onlineMemory, onlineMemoryToCome, onlineProcessors } from "../guest/online.ts";
import { swapOn } from "../guest/swap.ts";

/** Five bits of a PCI address. */
const LAST_SLOT = 0x1f;

export type OnlineOptions = {
  /** How many there are to be in all. 0: nothing is said of them. */
  readonly processors: number;
  readonly memory: boolean;
  readonly signal: AbortSignal;
};

export class Hardware {
  readonly #containers: () => readonly Container[];
  readonly #hotplug: Hotplug;
  readonly #warn: Warn;
  /** One call at a time: two would write to the same files, and one of them in vain. */
  readonly #queue = new Mutex();
  #memoryAgent: MemoryAgent | undefined;
  #memoryAgentLacks: unknown;

  constructor(containers: () => readonly Container[], hotplug: Hotplug, warn: Warn) {
    this.#containers = containers;
    this.#hotplug = hotplug;
    this.#warn = warn;
  }

  /** Resolves when all takes part. Throws an AgentError if processors are missing, and what `signal` says. */
  online({ processors, memory, signal }: OnlineOptions): Promise<void> {
    return this.#queue.run(async () => {
      signal.throwIfAborted();
      if (processors > 0) await onlineProcessors(processors, signal);
      if (memory) await this.#onlineMemory(signal);
      if (processors === 0) return;
      await Promise.all(this.#containers().map((container) => container.addProcessors()));
    });
  }

  /** Where the kernel lacks what it takes, whoever changes its settings is told so. */
  startMemoryAgent(settings: MemoryAgentSettings, cgroupVersion: 1 | 2): void {
    const report = (what: string, error: unknown) => this.#warn(what, { error: String(error) });
    try {
      this.#memoryAgent = new MemoryAgent(memoryFiles(cgroupVersion), settings, report);
    } catch (error) {
      this.#memoryAgentLacks = error;
      report("no memory agent", error);
    }
  }

  /** Throws an AgentError where there is none, with the reason. */
  get memoryAgent(): MemoryAgent {
    if (this.#memoryAgent !== undefined) return this.#memoryAgent;
    if (this.#memoryAgentLacks === undefined) throw internal("mem-agent is disabled");
    throw new AgentError("INTERNAL", "mem-agent cannot run", { cause: this.#memoryAgentLacks });
  }

  /**
   * Swap to the disk behind the bridges at all but the last of these slots. Throws an AgentError for what
   * is no slot, or no disk in time, a TapeError if the kernel does not take it, and what `signal` says.
   */
  async addSwap(slots: readonly number[], signal: AbortSignal): Promise<void> {
    const find = blockAt("blk", pciPathOf(slots));
    await swapOn(await find(this.#hotplug, signal), signal);
  }

  /**
   * The same for a disk by its node, or a file. Throws an AgentError for a path that is none, a TapeError
   * if the kernel does not take what is there.
   */
  async addSwapPath(path: string, signal: AbortSignal): Promise<void> {
    await comingNode(path)?.(this.#hotplug, signal);
    await swapOn(path, signal);
  }

  async #onlineMemory(signal: AbortSignal): Promise<void> {
    onlineMemoryToCome();
    const offline = await onlineMemory(signal);
    if (offline > 0) this.#warn("memory stays offline", { blocks: String(offline) });
  }
}

function pciPathOf(slots: readonly number[]): string {
  if (slots.length === 0) throw invalidArgument("PCIPath is empty");
  const wrong = slots.find((slot) => slot > LAST_SLOT);
  if (wrong !== undefined)
    throw invalidArgument(`PCI slot ${wrong} should be in range [0..0x${LAST_SLOT.toString(16)}]`);
  return slots.map((slot) => slot.toString(16).padStart(2, "0")).join("/");
}
