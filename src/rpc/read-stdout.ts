import type { Handler } from "./handler.ts";

/** Output as soon as there is some; nothing when it has ended. */
export const readStdout: Handler<"readStdout"> = async (request, context) => {
  const { containerId, execId, len } = request;
  const { stdout } = context.sandbox.process(containerId, execId).stdio;
  return { data: await stdout.read(len, context) };
};
