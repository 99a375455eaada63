// Devices of the Container Device Interface: a program of the guest, such as the toolkit of a GPU's vendor,
// writes down what a container needs to use a device, once the device is there. storage-devices-network.md
// section 5.
import { internal } from "../error.ts";
import type { ContainerSpec } from "../oci/valid-spec.ts";
import { validateSpec } from "../oci/validate.ts";
import { withCdiEdits } from "./cdi-edits.ts";
import { type CdiName, cdiText } from "./cdi-name.ts";
import type { CdiEdits } from "./cdi-spec.ts";
import { CdiRegistry } from "./cdi-registry.ts";
import { requestedCdiDevices } from "./cdi-request.ts";
import { deviceAt } from "./node.ts";

export type CdiOptions = {
  /** How long a document may take to appear. */
  readonly timeoutMs: number;
  /** VISIBLE_CDI_DEVICES in a container's environment asks for devices, too. */
  readonly heedsVariable: boolean;
  readonly directory?: string;
};

const DIRECTORY = "/var/run/cdi";

/** Reading a directory; a document takes the vendor's program some seconds. */
const PAUSE_MS = 500;

/**
 * The spec, checked once more, with all that its devices want. Throws InvalidSpec and an AgentError, also
 * when the documents do not come in time, and what `signal` says.
 */
export async function injectCdi(
  spec: ContainerSpec,
  { timeoutMs, heedsVariable, directory = DIRECTORY }: CdiOptions,
  signal: AbortSignal,
): Promise<ContainerSpec> {
  const names = requestedCdiDevices(spec, heedsVariable);
  if (names.length === 0) return spec;
  const late = AbortSignal.timeout(timeoutMs);
  const ending = AbortSignal.any([signal, late]);
  for (;;) {
    const edits = await lookFor(names, directory);
    signal.throwIfAborted();
    if (edits !== undefined) return validateSpec(withCdiEdits(spec, edits, deviceAt));
    if (late.aborted) {
      const seconds = timeoutMs / 1000;
      throw internal(`failed to inject devices after CDI timeout of ${seconds} seconds`);
    }
    await pause(ending);
  }
}

/** undefined: a document may still come that has them all. */
async function lookFor(
  names: readonly CdiName[],
  directory: string,
): Promise<readonly CdiEdits[] | undefined> {
  const registry = await CdiRegistry.read(directory);
  const missing = registry.missing(names);
  if (missing.length > 0) {
    throw internal(`unresolvable CDI devices ${missing.map(cdiText).join(", ")}`);
  }
  return registry.edits(names);
}

/** Less where `signal` ends it. */
async function pause(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, PAUSE_MS);
  const wake = () => resolve();
  signal.addEventListener("abort", wake, { once: true });
  await promise;
  signal.removeEventListener("abort", wake);
  clearTimeout(timer);
}
