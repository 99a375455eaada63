import type { Handler } from "./handler.ts";

export const closeStdin: Handler<"closeStdin"> = async ({ containerId, execId }, { sandbox }) => {
  await sandbox.process(containerId, execId).stdio.stdin.close();
};
