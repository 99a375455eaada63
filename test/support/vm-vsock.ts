// A vsock device for QEMU without one in the host's kernel: vhost-device-vsock, of rust-vmm. Where it is
// on PATH, the host's bytes go to the agent as they do in production, and by no relay.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../src/async/until.ts";
import { Channel } from "./vm-channel.ts";

const PROGRAM = "vhost-device-vsock";

/** Of guests this is the first; each has a device process of its own. */
const CID = 3;

const READY_IN_MS = 10_000;
const LISTENS_IN_MS = 60_000;

export const hasVsockDevice = Bun.which(PROGRAM) !== null;

export class VsockDevice implements AsyncDisposable {
  /** For QEMU's command line. The device reads and writes the guest's memory. */
  readonly arguments: readonly string[];
  readonly #process: Bun.Subprocess;
  readonly #path: string;

  private constructor(process: Bun.Subprocess, path: string, args: readonly string[]) {
    this.#process = process;
    this.#path = path;
    this.arguments = args;
  }

  static async start(directory: string, megabytes: number): Promise<VsockDevice> {
    const path = join(directory, "vsock");
    const control = join(directory, "vhost");
    const options = ["--guest-cid", `${CID}`, "--socket", control, "--uds-path", path];
    const process = Bun.spawn(["setpriv", "--pdeathsig", "KILL", PROGRAM, ...options], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
    });
    const memory = `memory-backend-memfd,id=memory,size=${megabytes}M,share=on`;
    const machine = ["-object", memory, "-machine", "memory-backend=memory"];
    const socket = ["-chardev", `socket,id=vsock,path=${control}`];
    const vsock = ["-device", "vhost-user-vsock-pci,chardev=vsock"];
    const device = new VsockDevice(process, path, [...machine, ...socket, ...vsock]);
    if (await until(() => existsSync(control), READY_IN_MS)) return device;
    await device[Symbol.asyncDispose]();
    throw new Error(`${PROGRAM} makes no socket`);
  }

  /** Asked again and again until somebody listens there. */
  async dial(port: number): Promise<Channel> {
    let found: Channel | undefined;
    let cause: unknown;
    const isListening = async () => {
      try {
        const socket = Channel.handler();
        const { data: channel } = await Bun.connect<Channel>({ unix: this.#path, socket });
        if (await channel.connectTo(port)) found = channel;
      } catch (error) {
        // Until the guest has a driver for the device, connections are reset.
        cause = error;
      }
      return found !== undefined;
    };
    await until(isListening, LISTENS_IN_MS);
    if (found === undefined) throw new Error(`nobody listens at port ${port}`, { cause });
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}
