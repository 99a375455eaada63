// QEMU with a guest in it, on any machine: no KVM, no network, no root.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Arch } from "../../src/linux/arch.ts";
import { Qmp } from "./qmp.ts";
import { Transcript } from "./transcript.ts";
import type { Channel } from "./vm-channel.ts";
import { memoryPlaces, placesForDevices, processorPlaces } from "./vm-hotplug.ts";
import { kernel } from "./vm-kernel.ts";
import { NATIVE, PLATFORMS, lackingFor } from "./vm-platform.ts";
import { Ports } from "./vm-ports.ts";
import { PATH, type RootFiles, type RootOptions, writeRoot } from "./vm-root.ts";
import { VsockDevice, hasVsockDevice } from "./vm-vsock.ts";

export type MachineOptions = RootOptions & {
  /** What it starts from, if that is written already. */
  readonly written?: RootFiles;
  /** For the kernel's command line. */
  readonly words?: readonly string[];
  readonly megabytes?: number;
  /** On a busy machine two are slower than one: each waits for what the other holds. */
  readonly processors?: number;
  /** With places for what is plugged in later: vm-hotplug.ts. */
  readonly hotplug?: boolean;
  /** More for QEMU's command line. */
  readonly devices?: readonly string[];
};

/** What machines lack here; undefined if nothing. */
export function missingFor(arch: Arch = NATIVE): string | undefined {
  if (Bun.which("mke2fs", { PATH }) === null) return "Debian's package e2fsprogs";
  return lackingFor(arch);
}

/** Should the test be killed, so is the machine. */
const KILLABLE = ["setpriv", "--pdeathsig", "KILL"];

/**
 * A guest that resets has had a panic: the machine ends then, as it does where the guest powers it off.
 */
const QEMU = ["-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"];

/** Nobody is going to listen any more. */
const FAILURE = /Kernel panic|"level":"CRIT"|^guest: .*/m;

const PATIENCE_MS = 150_000;

const MEGABYTES = 1024;

/** COMMAND_LINE_SIZE of x86 and arm64, with a NUL. A longer one ends some guests without a word. */
const LONGEST_COMMAND_LINE = 2047;

/** A busy machine can be too slow for the timer to pass its check. */
const WORDS = ["panic=-1", "quiet", "no_timer_check"];

type Qemu = Bun.Subprocess<"pipe", "pipe", "inherit">;

type Parts = {
  readonly startedAt: number;
  readonly qemu: Qemu;
  readonly ports: Ports;
  readonly qmp: Qmp;
  readonly vsock: VsockDevice | undefined;
};

export class Machine implements AsyncDisposable {
  readonly arch: Arch;
  /** By performance.now(). */
  readonly startedAt: number;
  /** All that the kernel and the agent print. */
  readonly console: Transcript;
  readonly #parts: Parts;
  readonly #stack: AsyncDisposableStack;

  private constructor(arch: Arch, parts: Parts, stack: AsyncDisposableStack) {
    this.arch = arch;
    this.startedAt = parts.startedAt;
    this.console = Transcript.of("the guest", parts.qemu.stdout);
    this.#parts = parts;
    this.#stack = stack;
  }

  /** Resolves when it runs, which is long before the agent does. */
  static async start(options: MachineOptions): Promise<Machine> {
    const { arch = NATIVE, megabytes = MEGABYTES } = options;
    await using stack = new AsyncDisposableStack();
    const directory = mkdtempSync(join(tmpdir(), "kata-agent-vm-"));
    stack.defer(() => rmSync(directory, { recursive: true }));
    const { initramfs, disk } = options.written ?? (await writeRoot(options, directory));
    const ports = stack.use(new Ports(directory));
    const qmp = stack.use(new Qmp(directory));
    const vsock = hasVsockDevice ? await VsockDevice.start(directory, megabytes) : undefined;
    stack.use(vsock);
    const startedAt = performance.now();
    const drive = disk === undefined ? [] : ["-drive", `if=virtio,format=raw,file=${disk}`];
    const devices = [...drive, ...ports.arguments, ...qmp.arguments, ...(vsock?.arguments ?? [])];
    const qemu = startQemu(initramfs, devices, options);
    stack.defer(() => end(qemu));
    const isRunning = ports.connected.then(() => true);
    if (!(await Promise.race([isRunning, qemu.exited.then(() => false)]))) {
      throw new Error(`QEMU has ended with status ${await qemu.exited}`);
    }
    return new Machine(arch, { startedAt, qemu, ports, qmp, vsock }, stack.move());
  }

  /** QEMU's exit status: 0 if the guest has ended by itself. */
  get exited(): Promise<number> {
    return this.#parts.qemu.exited;
  }

  /** Where test/vm/guest.c has a shell. */
  get shell(): Channel {
    return this.#parts.ports.shell;
  }

  /** What plugs devices in. */
  get qmp(): Qmp {
    return this.#parts.qmp;
  }

  /** A connection to a vsock port of the guest, once somebody listens there. */
  async dial(port: number): Promise<Channel> {
    const { vsock, ports } = this.#parts;
    return this.unlessFailed((vsock ?? ports).dial(port));
  }

  /** Resolves when the console shows `words`. */
  async shows(words: string): Promise<void> {
    await this.unlessFailed(this.console.until(words));
  }

  /** Fails when the guest does, or is too slow, with what it has said. */
  async unlessFailed<Result>(work: Promise<Result>): Promise<Result> {
    const failure = this.console.until(FAILURE).catch(() => "the guest has ended");
    const late = Bun.sleep(PATIENCE_MS).then(() => "nothing happens");
    const first = await Promise.race([work.then((result) => ({ result })), failure, late]);
    if (typeof first !== "string") return first.result;
    throw new Error(`${first}: ${this.console.text}`);
  }

  /** Keys on its console. */
  type(text: string): void {
    const { stdin } = this.#parts.qemu;
    stdin.write(text);
    stdin.flush();
  }

  /** Switch it off, if it has not ended by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function startQemu(initramfs: string, devices: readonly string[], options: MachineOptions): Qemu {
  const { arch = NATIVE, words = [] } = options;
  const { qemu, serial, debian } = PLATFORMS[arch];
  const board = boardOf(options);
  const boot = ["-kernel", kernel(debian).image, "-initrd", initramfs];
  const commandLine = [`console=${serial}`, ...WORDS, ...words].join(" ");
  if (commandLine.length > LONGEST_COMMAND_LINE) throw new Error(`too long: ${commandLine}`);
  const append = ["-append", commandLine];
  return Bun.spawn([...KILLABLE, ...qemu, ...QEMU, ...board, ...boot, ...append, ...devices], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
}

function boardOf({
  megabytes = MEGABYTES,
  processors = 1,
  hotplug = false,
  devices = [],
}: MachineOptions): string[] {
  const memory = `${megabytes}M${hotplug ? memoryPlaces : ""}`;
  const smp = `${processors}${hotplug ? processorPlaces : ""}`;
  return [
    "-accel",
    "tcg",
    "-m",
    memory,
    "-smp",
    smp,
    ...(hotplug ? placesForDevices : []),
    ...devices,
  ];
}

async function end(qemu: Qemu): Promise<void> {
  qemu.kill("SIGKILL");
  await qemu.exited;
}
