import type { Handler } from "./handler.ts";

/** Swap to a disk or a file of the guest. */
export const addSwapPath: Handler<"addSwapPath"> = async ({ path }, { sandbox, signal }) => {
  await sandbox.hardware.addSwapPath(path, signal);
};
