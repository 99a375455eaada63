import type { Handler } from "./handler.ts";

/** Change the size of what is mounted in the guest's memory. */
export const updateEphemeralMounts: Handler<"updateEphemeralMounts"> = (
  { storages },
  { sandbox, signal },
) => sandbox.storages.updateEphemeral(storages, signal);
