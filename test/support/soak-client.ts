// A client that makes, uses and removes containers, as a process of its own that can be killed:
// soak-client.ts SOCKET CGROUP ROOTFS PREFIX CYCLES. Says a line for each container that is gone again.
import { AgentClient } from "./agent-client.ts";
import { idleContainer } from "./container.ts";

const [socket = "", cgroup = "", rootfs = "", prefix = "", cycles = "0"] = process.argv.slice(2);
const client = await AgentClient.connect(socket);
let serial = 0;
const agent = { client, cgroup, freshId: () => `${prefix}${++serial}`, rootfs: () => rootfs };
for (let left = Number(cycles); left > 0; left--) {
  await using container = await idleContainer(agent);
  const { status, stdout } = await container.run(["sh", "-c", "echo out; exit 7"]);
  if (status !== 7 || stdout !== "out\n") throw new Error(`status ${status}: ${stdout}`);
  console.log(container.containerId);
}
client[Symbol.dispose]();
