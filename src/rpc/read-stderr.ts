import type { Handler } from "./handler.ts";

/** Error output as soon as there is some; nothing when it has ended. A terminal has one output. */
export const readStderr: Handler<"readStderr"> = async (request, context) => {
  const { containerId, execId, len } = request;
  const { stderr } = context.sandbox.process(containerId, execId).stdio;
  return { data: await stderr.read(len, context) };
};
