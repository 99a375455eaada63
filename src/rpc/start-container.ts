import { internal } from "../error.ts";
import type { Handler } from "./handler.ts";

/** Let the first process execute the container's program. */
export const startContainer: Handler<"startContainer"> = async ({ containerId }, { sandbox }) => {
  await sandbox.container(containerId, internal).start();
};
