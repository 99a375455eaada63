import type { Handler } from "./handler.ts";

/** Use the processors and the memory that have been plugged in. `wait` or not: the answer is the end. */
export const onlineCPUMem: Handler<"onlineCPUMem"> = async (request, { sandbox, signal }) => {
  const { nbCpus, cpuOnly } = request;
  await sandbox.hardware.online({ processors: nbCpus, memory: !cpuOnly, signal });
};
