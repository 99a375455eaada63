// The device program of one v2 cgroup.
import { Fd } from "../kernel/fd.ts";
import { attempt, perform } from "../kernel/perform.ts";
import { attachDeviceProgram, encodeEbpf, loadDeviceProgram } from "../linux/bpf.ts";
import { KernelError } from "../linux/error.ts";
import type { DevicePolicy } from "./device-policy.ts";
import { deviceProgram } from "./device-program.ts";

const AT = "linux.resources.devices";

export class DeviceFilter implements Disposable {
  readonly #cgroup: Fd;
  /** Kept open to be named when it is replaced. */
  #attached: Fd | undefined;

  constructor(cgroup: Fd) {
    this.#cgroup = cgroup;
  }

  /** Throws a KernelError; then what was in force before still is. */
  enforce(policy: DevicePolicy): void {
    // Also for kernels that cannot limit devices: then nothing is asked of them.
    const isNothing = policy.allow && policy.exceptions.size === 0;
    if (isNothing && this.#attached === undefined) return;
    using onFailure = new DisposableStack();
    const program = onFailure.use(load(encodeEbpf(deviceProgram(policy))));
    const attach = attachDeviceProgram(this.#cgroup.number, program.number, this.#attached?.number);
    perform(`${AT}: attach the device program`, attach);
    onFailure.move();
    this.#attached?.close();
    this.#attached = program;
  }

  /** The program stays with the cgroup and goes with it. */
  [Symbol.dispose](): void {
    this.#attached?.close();
  }
}

/** A verifier that has much to say says what matters at the end. */
const LOG_BYTES = 64 << 10;
const LONGEST_REASON = 512;

function load(program: Uint8Array): Fd {
  const label = `${AT}: load the device program`;
  const loading = loadDeviceProgram(program);
  const result = attempt(loading);
  if (result >= 0) return new Fd(result);
  const log = new Uint8Array(LOG_BYTES);
  const again = attempt(loadDeviceProgram(program, log));
  if (again >= 0) return new Fd(again);
  const said = new TextDecoder().decode(log.subarray(0, log.indexOf(0))).trim();
  const reason = said.slice(-LONGEST_REASON).replaceAll("\n", "; ");
  throw new KernelError(reason === "" ? label : `${label} (${reason})`, loading, -result);
}
