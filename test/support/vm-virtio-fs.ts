// A directory of this machine for a guest: QEMU's device, and virtiofsd, which serves it.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../src/async/until.ts";
import { hasVsockDevice } from "./vm-vsock.ts";

/** Where Debian 12 and 13 have it. */
const [PROGRAM] = ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"].filter((path) =>
  existsSync(path),
);

const READY_IN_MS = 10_000;
const MEGABYTES = 1024;

/** What is lacking here; undefined if nothing. */
export const missingForVirtioFs =
  PROGRAM === undefined
    ? "virtiofsd"
    : process.getuid?.() === 0
      ? undefined
      : "root, for virtiofsd";

export class VirtioFsDevice implements AsyncDisposable {
  /** What the guest sees. */
  readonly directory: string;
  /** For QEMU's command line. The server reads and writes the guest's memory, which is this big. */
  readonly arguments: readonly string[];
  readonly megabytes = MEGABYTES;
  readonly #own = mkdtempSync(join(tmpdir(), "kata-agent-virtiofs-"));
  readonly #socket = join(this.#own, "socket");
  #server: Bun.Subprocess | undefined;

  constructor(tag: string) {
    this.directory = mkdtempSync(join(tmpdir(), "kata-agent-share-"));
    const memory = `memory-backend-memfd,id=memory,size=${MEGABYTES}M,share=on`;
    // A vsock device of this kind has brought it already.
    const machine = ["-object", memory, "-machine", "memory-backend=memory"];
    const socket = ["-chardev", `socket,id=fs,path=${this.#socket}`];
    // After the others: the guest finds its shell by the number of the device.
    const device = ["-device", `vhost-user-fs-pci,chardev=fs,tag=${tag},addr=0x1d`];
    this.arguments = [...(hasVsockDevice ? [] : machine), ...socket, ...device];
  }

  /** Serve it; QEMU starts only then. */
  async start(): Promise<void> {
    const served = ["-o", `source=${this.directory}`, "-o", "sandbox=chroot", "-o", "cache=none"];
    const options = [`--socket-path=${this.#socket}`, ...served];
    const program = PROGRAM ?? "virtiofsd";
    this.#server = Bun.spawn(["setpriv", "--pdeathsig", "KILL", program, ...options], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    if (!(await until(() => existsSync(this.#socket), READY_IN_MS)))
      throw new Error("virtiofsd makes no socket");
  }

  /** The server stops to answer, or answers again. */
  pause(isPaused: boolean): void {
    this.#server?.kill(isPaused ? "SIGSTOP" : "SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server?.kill("SIGKILL");
    await this.#server?.exited;
    rmSync(this.#own, { recursive: true });
    rmSync(this.directory, { recursive: true });
  }
}
