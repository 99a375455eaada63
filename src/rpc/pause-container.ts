import type { Handler } from "./handler.ts";

/** Freeze every process of a container. */
export const pauseContainer: Handler<"pauseContainer"> = async ({ containerId }, { sandbox }) => {
  await sandbox.container(containerId).pause();
};
