import { unavailable } from "../error.ts";
import type { Handler } from "./handler.ts";

export const ttyWinResize: Handler<"ttyWinResize"> = (request, { sandbox }) => {
  const { containerId, execId, row, column } = request;
  const { stdio } = sandbox.process(containerId, execId);
  if (stdio.master === undefined) throw unavailable("no tty");
  stdio.resize(row, column);
};
