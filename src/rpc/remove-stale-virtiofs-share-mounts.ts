import { lookAtShareMounts } from "../storage/share-mounts.ts";
import type { Handler } from "./handler.ts";

/** Have the kernel notice what the host no longer shares. */
export const removeStaleVirtiofsShareMounts: Handler<"removeStaleVirtiofsShareMounts"> = (
  _,
  { signal },
) => lookAtShareMounts(signal);
