import { hasMemoryProbe, memoryBlockSize } from "../guest/details.ts";
import { DRIVERS, GROUPS } from "../storage/index.ts";
import { FEATURES, VERSION } from "../version.ts";
import type { Handler } from "./handler.ts";

/** What the runtime must know of the guest before it creates containers. */
export const getGuestDetails: Handler<"getGuestDetails"> = (request, { isInit }) => ({
  memBlockSizeBytes: request.memBlockSize ? memoryBlockSize() : 0n,
  supportMemHotplugProbe: request.memHotplugProbe && hasMemoryProbe(),
  agentDetails: {
    version: VERSION,
    initDaemon: isInit,
    storageHandlers: [...DRIVERS.keys(), ...GROUPS.map(({ name }) => name)],
    supportsSeccomp: true,
    extraFeatures: [...FEATURES],
  },
});
