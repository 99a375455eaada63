// QEMU with a guest in it, on any machine: no KVM, no network, no root.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BUSYBOX } from "./rootfs.ts";
import { Transcript } from "./transcript.ts";
import type { Channel } from "./vm-channel.ts";
import { AGENT, writeAgentAlone, writeInitramfs } from "./vm-initramfs.ts";
import { kernel } from "./vm-kernel.ts";
import { Ports } from "./vm-ports.ts";
import { VsockDevice, hasVsockDevice } from "./vm-vsock.ts";

export type MachineOptions = {
  /** For the kernel's command line. */
  readonly words?: readonly string[];
  readonly megabytes?: number;
  /** Start from a root file system that holds nothing but the agent: no modules, no vsock. */
  readonly isAlone?: boolean;
};

/** What machines lack here; undefined if nothing. */
export const missing = lacking();

function lacking(): string | undefined {
  if (process.arch !== "x64") return "a machine of Debian's architecture amd64";
  if (Bun.which("qemu-system-x86_64") === null) return "Debian's package qemu-system-x86";
  if (Bun.which("gcc") === null) return "Debian's packages gcc and libc6-dev";
  if (!existsSync(BUSYBOX)) return "Debian's package busybox-static";
  if (!existsSync(AGENT)) return "the agent: npm run build";
  try {
    kernel();
    return undefined;
  } catch (error) {
    return `Debian's kernel: ${error instanceof Error ? error.message : error}`;
  }
}

const QEMU = [
  // Should the test be killed, so is this.
  ...["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64"],
  // Bun's code asks for a processor with AVX2.
  ...["-accel", "tcg", "-cpu", "max", "-smp", "2", "-machine", "q35"],
  // A guest that resets has had a panic; it ends, as one that powers off does.
  ...["-no-reboot", "-nodefaults", "-display", "none", "-serial", "stdio"],
];

const WORDS = ["console=ttyS0", "panic=-1", "quiet"];

type Qemu = Bun.Subprocess<"pipe", "pipe", "inherit">;

export class Machine implements AsyncDisposable {
  /** All that the kernel and the agent print. */
  readonly console: Transcript;
  /** By performance.now(). */
  readonly startedAt = performance.now();
  readonly #qemu: Qemu;
  readonly #ports: Ports;
  readonly #vsock: VsockDevice | undefined;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    qemu: Qemu,
    ports: Ports,
    vsock: VsockDevice | undefined,
    stack: AsyncDisposableStack,
  ) {
    this.#qemu = qemu;
    this.#ports = ports;
    this.#vsock = vsock;
    this.#stack = stack;
    this.console = Transcript.of("the guest", qemu.stdout);
  }

  /** Resolves when it runs, which is long before the agent does. */
  static async start(options: MachineOptions): Promise<Machine> {
    const { words = [], megabytes = 1024, isAlone = false } = options;
    await using stack = new AsyncDisposableStack();
    const directory = mkdtempSync(join(tmpdir(), "kata-agent-vm-"));
    stack.defer(() => rmSync(directory, { recursive: true }));
    const initramfs = join(directory, "initramfs");
    const { image, modules } = kernel();
    await (isAlone ? writeAgentAlone(initramfs) : writeInitramfs(initramfs, modules));
    const ports = stack.use(new Ports(directory));
    const vsock = hasVsockDevice
      ? stack.use(await VsockDevice.start(directory, megabytes))
      : undefined;
    const boot = ["-m", `${megabytes}M`, "-kernel", image, "-initrd", initramfs];
    const append = ["-append", [...WORDS, ...words].join(" ")];
    const devices = [...ports.arguments, ...(vsock?.arguments ?? [])];
    const qemu = Bun.spawn([...QEMU, ...boot, ...append, ...devices], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    stack.defer(() => end(qemu));
    const isRunning = ports.connected.then(() => true);
    if (await Promise.race([isRunning, qemu.exited.then(() => false)])) {
      return new Machine(qemu, ports, vsock, stack.move());
    }
    throw new Error(`QEMU has ended with status ${await qemu.exited}`);
  }

  /** QEMU's exit status: 0 if the guest has ended by itself. */
  get exited(): Promise<number> {
    return this.#qemu.exited;
  }

  /** Where test/vm/guest.c has a shell. */
  get shell(): Channel {
    return this.#ports.shell;
  }

  /** A connection to a vsock port of the guest, once somebody listens there. */
  async dial(port: number): Promise<Channel> {
    try {
      return await (this.#vsock ?? this.#ports).dial(port);
    } catch (cause) {
      throw new Error(`port ${port} of a guest that has said: ${this.console.text}`, { cause });
    }
  }

  /** Keys on its console. */
  type(text: string): void {
    this.#qemu.stdin.write(text);
    this.#qemu.stdin.flush();
  }

  /** Switch it off, if it has not ended by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

async function end(qemu: Qemu): Promise<void> {
  qemu.kill("SIGKILL");
  await qemu.exited;
}
