import type { Handler } from "./handler.ts";

/** Write all of the data. No data closes: the Rust runtime has no other way to say it. */
export const writeStdin: Handler<"writeStdin"> = async (request, context) => {
  const { containerId, execId, data } = request;
  const { stdin } = context.sandbox.process(containerId, execId).stdio;
  if (data.length === 0) await stdin.close();
  else await stdin.write(data, context);
  return { len: data.length };
};
