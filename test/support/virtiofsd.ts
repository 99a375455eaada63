// A directory of the host's that a guest has by virtio-fs.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../src/async/until.ts";
import { hasVsockDevice } from "./vm-vsock.ts";

/** Where Debian 12 and 13 have it. */
const PROGRAM = ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"].find((path) =>
  existsSync(path),
);

const READY_IN_MS = 10_000;

/** What the tests that share one lack here; undefined if nothing. */
export const missingVirtiofsd =
  PROGRAM === undefined
    ? "virtiofsd"
    : process.getuid?.() === 0
      ? undefined
      : "root, for virtiofsd";

/** With a memory of that many megabytes, as the guest is to have. `tag`: how the guest names it. */
export class Virtiofsd implements AsyncDisposable {
  /** For QEMU's command line. */
  readonly arguments: readonly string[];
  readonly #process: Bun.Subprocess;

  private constructor(process: Bun.Subprocess, args: readonly string[]) {
    this.#process = process;
    this.arguments = args;
  }

  static async start(
    shared: string,
    directory: string,
    tag: string,
    megabytes: number,
  ): Promise<Virtiofsd> {
    const socket = join(directory, "virtiofsd");
    const options = [`--socket-path=${socket}`, "-o", `source=${shared}`, "-o", "cache=auto"];
    const command = ["setpriv", "--pdeathsig", "KILL", PROGRAM ?? "virtiofsd", ...options];
    const stdio = ["ignore", "ignore", "ignore"] as const;
    const process = Bun.spawn(command, { stdio: [...stdio] });
    // It reads and writes the guest's memory; so does a vsock device, which then brings it along.
    const memory = `memory-backend-memfd,id=memory,size=${megabytes}M,share=on`;
    const machine = hasVsockDevice ? [] : ["-object", memory, "-machine", "memory-backend=memory"];
    const chardev = ["-chardev", `socket,id=virtiofs,path=${socket}`];
    // Behind the serial ports of the test, which the guest knows by their number.
    const device = ["-device", `vhost-user-fs-pci,chardev=virtiofs,tag=${tag},addr=10`];
    const made = new Virtiofsd(process, [...machine, ...chardev, ...device]);
    if (await until(() => existsSync(socket), READY_IN_MS)) return made;
    await made[Symbol.asyncDispose]();
    throw new Error("virtiofsd makes no socket");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}
