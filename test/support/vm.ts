// A guest whose process 1 is the agent.
import { Health } from "../../src/gen/health_pb.ts";
import { Client } from "../../src/ttrpc/client.ts";
import { AgentClient } from "./agent-client.ts";
import { Transcript } from "./transcript.ts";
import type { Channel } from "./vm-channel.ts";
import { ROOTFS, isOnDisk } from "./vm-root.ts";
import { Machine, type MachineOptions } from "./vm-machine.ts";

const AGENT_PORT = 1024;

/** Where a guest whose disk is read-only has a copy of the containers' root: they need mount points. */
const WRITABLE = "/run/rootfs";

/** How test/vm/guest.c ends what a command has printed. */
const STATUS = new RegExp(`${"\x1e"}(\\d+)\\n$`);

export class TestVm implements AsyncDisposable {
  /** Where the cgroups of the containers of the test are. */
  readonly cgroup = "vm";
  readonly machine: Machine;
  readonly #rootfs: string;
  #client: AgentClient | undefined;
  #bootMs = 0;
  #serial = 0;

  private constructor(machine: Machine, rootfs: string) {
    this.machine = machine;
    this.#rootfs = rootfs;
  }

  /** Resolves when the agent has answered. Before that the guest is not prepared, and has no /dev. */
  static async boot(options: MachineOptions = {}): Promise<TestVm> {
    const { root = "memory" } = options;
    await using stack = new AsyncDisposableStack();
    const vm = new TestVm(
      stack.use(await Machine.start(options)),
      isOnDisk(root) ? WRITABLE : ROOTFS,
    );
    vm.#client = await vm.connect();
    await vm.machine.unlessFailed(vm.client.call(Health.method.check, {}));
    vm.#bootMs = performance.now() - vm.machine.startedAt;
    if (isOnDisk(root)) await vm.sh(`busybox cp -a ${ROOTFS} ${WRITABLE}`);
    stack.move();
    return vm;
  }

  /** Milliseconds from power-on to the first answer. */
  get bootMs(): number {
    return this.#bootMs;
  }

  get client(): AgentClient {
    if (this.#client === undefined) throw new Error("the guest has not been booted");
    return this.#client;
  }

  /** All that the kernel and the agent print. */
  get console(): Transcript {
    return this.machine.console;
  }

  /** One more connection to the agent, or to one that listens elsewhere. */
  async connect(port = AGENT_PORT): Promise<AgentClient> {
    const channel = await this.dial(port);
    const client = new Client(channel.socket);
    channel.attach(client);
    return new AgentClient(client);
  }

  /** A connection to a vsock port of the guest, once somebody listens there. */
  dial(port: number): Promise<Channel> {
    return this.machine.dial(port);
  }

  /** A shell command in the guest, outside of the agent: what it prints on both its outputs. */
  async sh(command: string): Promise<string> {
    const output = new Transcript("the shell");
    const { shell } = this.machine;
    shell.attach(output);
    shell.socket.write(`${command}\n`);
    await output.until(STATUS);
    const [end = "", status] = STATUS.exec(output.text) ?? [];
    const text = output.text.slice(0, -end.length);
    if (status !== "0") throw new Error(`${command}: status ${status}: ${text}`);
    return text;
  }

  /** An id that no container of this guest has had. */
  freshId(): string {
    return `c${++this.#serial}`;
  }

  /** There is one, for all containers. */
  rootfs(): string {
    return this.#rootfs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine[Symbol.asyncDispose]();
  }
}
