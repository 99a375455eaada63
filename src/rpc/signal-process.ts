import { internal } from "../error.ts";
import { SIG } from "../linux/constants.ts";
import type { Handler } from "./handler.ts";

/** Send a signal to one process. SIGKILL for no process in particular is for all of the container. */
export const signalProcess: Handler<"signalProcess"> = async (request, { sandbox }) => {
  const { containerId, execId, signal } = request;
  if (execId === "" && signal === SIG.KILL) {
    await sandbox.container(containerId, internal).killAll();
    return;
  }
  const process = sandbox.process(containerId, execId);
  const isInit = process === sandbox.container(containerId).init;
  process.signal(isInit && signal === SIG.TERM && !process.handles(SIG.TERM) ? SIG.KILL : signal);
};
