import type { Handler } from "./handler.ts";

/** How a process ended, once it has. The first answer is also the end of the process's entry. */
export const waitProcess: Handler<"waitProcess"> = async (request, { sandbox, signal }) => {
  const { containerId, execId } = request;
  const container = sandbox.container(containerId);
  const process = sandbox.process(containerId, execId);
  const status = await process.wait(signal);
  container.forget(process);
  return { status };
};
