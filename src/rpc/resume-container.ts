import type { Handler } from "./handler.ts";

/** Let the processes of a paused container go on. */
export const resumeContainer: Handler<"resumeContainer"> = async ({ containerId }, { sandbox }) => {
  await sandbox.container(containerId).resume();
};
