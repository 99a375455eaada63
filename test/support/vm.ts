// A guest in QEMU, on any machine: no KVM, no vhost, no network, no root. The agent is its process 1.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "../../src/ttrpc/client.ts";
import { AgentClient } from "./agent-client.ts";
import { Transcript } from "./transcript.ts";
import { ROOTFS, writeAgentAlone, writeInitramfs } from "./vm-initramfs.ts";
import { type Port, Ports } from "./vm-ports.ts";

export type VmOptions = {
  /** For the kernel's command line. */
  readonly words?: readonly string[];
  readonly megabytes?: number;
  /** Start from a root file system that holds nothing but the agent: no modules, no vsock. */
  readonly isAlone?: boolean;
};

const AGENT_PORT = 1024;

const MACHINE = [
  // Should the test be killed, so is this.
  ...["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64"],
  // Bun's code asks for a processor with AVX2.
  ...["-accel", "tcg", "-cpu", "max", "-smp", "2", "-machine", "q35"],
  // A guest that resets has had a panic; it ends, as one that powers off does.
  ...["-no-reboot", "-nodefaults", "-display", "none", "-serial", "stdio"],
];

const WORDS = ["console=ttyS0", "panic=-1", "quiet"];

export class TestVm implements AsyncDisposable {
  /** All that the kernel and the agent print. */
  readonly console: Transcript;
  /** QEMU's exit status: 0 if the guest has ended by itself. */
  readonly exited: Promise<number>;
  /** By performance.now(). */
  readonly startedAt: number;
  /** Where the cgroups of the containers of the test are. */
  readonly cgroup = "vm";
  readonly #machine: Machine;
  #client: AgentClient | undefined;
  #serial = 0;

  private constructor(machine: Machine) {
    this.#machine = machine;
    this.console = machine.console;
    this.exited = machine.process.exited;
    this.startedAt = machine.startedAt;
  }

  /** Resolves when the machine runs, which is long before the agent does. */
  static async start(options: VmOptions = {}): Promise<TestVm> {
    return new TestVm(await startMachine(options));
  }

  /** Resolves when the agent has answered. */
  static async boot(options: VmOptions = {}): Promise<TestVm> {
    const vm = await TestVm.start(options);
    try {
      vm.#client = await vm.connect();
      return vm;
    } catch (error) {
      await vm[Symbol.asyncDispose]();
      throw error;
    }
  }

  get client(): AgentClient {
    if (this.#client === undefined) throw new Error("nobody has connected to the agent yet");
    return this.#client;
  }

  /** One more connection to the agent. */
  async connect(): Promise<AgentClient> {
    const port = await this.dial(AGENT_PORT);
    const client = new Client(port.socket);
    port.attach(client);
    return new AgentClient(client);
  }

  /** A connection to a vsock port of the guest, once somebody listens there. */
  async dial(number: number): Promise<Port> {
    const port = this.#machine.ports.take();
    await port.connectTo(number);
    return port;
  }

  /** A shell command in the guest, outside of the agent: what it prints on both its outputs. */
  async sh(command: string): Promise<string> {
    const output = new Transcript("the shell");
    const { shell } = this.#machine.ports;
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
    return ROOTFS;
  }

  /** Switch it off, if it has not ended by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#machine);
  }
}

/** How test/vm/guest.c ends what a command has printed. */
const STATUS = /\x1e(\d+)\n$/;

type Machine = {
  readonly process: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly console: Transcript;
  readonly ports: Ports;
  readonly directory: string;
  readonly startedAt: number;
};

async function startMachine({ words = [], megabytes = 1024, isAlone = false }: VmOptions) {
  const directory = mkdtempSync(join(tmpdir(), "kata-agent-vm-"));
  const initramfs = join(directory, "initramfs");
  const kernel = kernelDirectory();
  await (isAlone ? writeAgentAlone(initramfs) : writeInitramfs(initramfs, kernel));
  const ports = new Ports(directory);
  const startedAt = performance.now();
  const qemu = Bun.spawn(
    [
      ...MACHINE,
      ...["-m", `${megabytes}M`, "-initrd", initramfs, "-kernel", kernelIn(kernel)],
      ...["-append", [...WORDS, ...words].join(" ")],
      ...ports.arguments,
    ],
    { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  );
  const machine: Machine = {
    process: qemu,
    console: Transcript.of("the guest", qemu.stdout),
    ports,
    directory,
    startedAt,
  };
  const isRunning = await Promise.race([
    ports.connected.then(() => true),
    qemu.exited.then(() => false),
  ]);
  if (isRunning) return machine;
  await end(machine);
  throw new Error(`QEMU has ended with status ${await qemu.exited}`);
}

async function end({ process: qemu, ports, directory }: Machine): Promise<void> {
  qemu.kill("SIGKILL");
  await qemu.exited;
  ports[Symbol.dispose]();
  rmSync(directory, { recursive: true });
}

const KERNEL_SCRIPT = join(import.meta.dir, "vm-kernel.sh");

function kernelDirectory(): string {
  const { success, stdout, stderr } = Bun.spawnSync(["bash", KERNEL_SCRIPT]);
  if (!success) throw new Error(stderr.toString());
  return stdout.toString().trimEnd();
}

function kernelIn(directory: string): string {
  const boot = join(directory, "boot");
  const [name = ""] = readdirSync(boot).filter((each) => each.startsWith("vmlinuz-"));
  return join(boot, name);
}
