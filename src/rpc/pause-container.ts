import type { Handler } from "./handler.ts";

/** Freeze every process of a container. */
export const pauseContainer: Handler<"pauseContainer"> = async ({ containerId }, { sandbox }) => {
  const container = sandbox.container(containerId);
  await container.queue.run(() => container.pause());
};
