import { probeMemory } from "../guest/memory-probe.ts";
import type { Handler } from "./handler.ts";

/** Tell the kernel where memory has been plugged in. */
export const memHotplugByProbe: Handler<"memHotplugByProbe"> = async (request, { signal }) => {
  await probeMemory(request.memHotplugProbeAddr, signal);
};
