import type { Handler } from "./handler.ts";

/** Swap to a disk that is plugged in. */
export const addSwap: Handler<"addSwap"> = async ({ PCIPath }, { sandbox, signal }) => {
  await sandbox.hardware.addSwap(PCIPath, signal);
};
