import { within } from "../async/timeout.ts";
import { internal } from "../error.ts";
import { describeErrno, errnoNumber } from "../linux/errno.ts";
import type { Handler } from "./handler.ts";

/** End a container and remove what it had. With a timeout, in seconds, the rest goes on after it. */
export const removeContainer: Handler<"removeContainer"> = async (request, { sandbox }) => {
  const { containerId, timeout } = request;
  const container = sandbox.container(containerId, internal);
  const removal = sandbox.removeContainer(container);
  if (timeout === 0) return removal;
  const isOver = await within(removal, timeout * 1000);
  if (!isOver) throw internal(describeErrno(errnoNumber("ETIME")));
};
