// The life of a container, call by call, as Kata's runtime makes them: demo.ts AGENT ROOTFS on this
// machine, demo.ts --vm in one of its own. Runs in namespaces of its own: see run.sh.
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { containerRequest, processMessage } from "../support/spec.ts";
import { DemoAgent } from "./demo-agent.ts";
import { startInGuest } from "./guest.ts";
import { startOnHost } from "./host.ts";
import { leftovers, snapshot } from "./leftovers.ts";
import type { Place } from "./place.ts";

const SIGKILL = 9;
const { method } = AgentService;

const [binary = "", rootfs = ""] = process.argv.slice(2);
const containerId = `kata-agent-demo-${crypto.randomUUID().slice(0, 8)}`;
const init = { containerId, execId: containerId };
const exec = { containerId, execId: "exec" };

const before = snapshot();
try {
  const agent = await demonstrate();
  expect("what is left behind", leftovers(before, containerId).join(", "), "");
  agent.printTimes();
} catch (error) {
  console.error(`demo failed: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
console.log("\nno process, file, mount or cgroup is left behind\n\ndemo ok");

async function demonstrate(): Promise<DemoAgent> {
  await using place = await (binary === "--vm" ? startInGuest() : startOnHost(binary, rootfs));
  const agent = new DemoAgent(place);
  try {
    await run(agent, place);
  } catch (error) {
    console.error(place.log());
    throw error;
  }
  return agent;
}

async function run(agent: DemoAgent, place: Place): Promise<void> {
  await agent.call(Health.method.check, {});
  const { agentVersion } = await agent.call(Health.method.version, {});
  console.log(`\nkata-agent ${agentVersion} serves\n`);
  if (place.remark !== "") console.log(`${place.remark}\n`);
  await agent.call(method.createSandbox, { hostname: "demo", sandboxId: containerId });
  await runContainer(agent, place.rootfs);
  await runExec(agent);
  await agent.call(method.signalProcess, { ...init, signal: SIGKILL });
  const { status } = await agent.call(method.waitProcess, init);
  expect("the container's status", status, 128 + SIGKILL);
  await agent.call(method.removeContainer, { containerId });
  await agent.call(method.destroySandbox, {});
  expect("the agent's status", await place.exited, 0);
}

/** Its output ends before the process does. */
async function runContainer(agent: DemoAgent, root: string): Promise<void> {
  const script = [
    `echo "user $(id -u), process $$, on $(hostname)"`,
    `echo "root: $(echo $(ls /))"`,
    "exec sleep 600 >&- 2>&-",
  ].join("\n");
  const args = ["sh", "-c", script];
  await agent.call(
    method.createContainer,
    containerRequest({ id: containerId, rootfs: root, args }),
  );
  await agent.call(method.startContainer, { containerId });
  const output = await agent.readToEnd(init);
  print("container", output);
  expect("its first line", output.split("\n")[0], "user 0, process 1, on demo");
}

async function runExec(agent: DemoAgent): Promise<void> {
  const typed = "typed by the host\n";
  await agent.call(method.execProcess, { ...exec, process: processMessage(["cat"]) });
  await agent.call(method.writeStdin, { ...exec, data: Buffer.from(typed) });
  await agent.call(method.closeStdin, exec);
  const output = await agent.readToEnd(exec);
  print("exec cat", output);
  expect("what cat wrote", output, typed);
  const { status } = await agent.call(method.waitProcess, exec);
  expect("the exec's status", status, 0);
}

function print(who: string, output: string): void {
  for (const line of output.trimEnd().split("\n")) console.log(`${who.padEnd(9)} | ${line}`);
  console.log();
}

function expect(what: string, got: unknown, wanted: unknown): void {
  if (got !== wanted)
    throw new Error(`${what}: ${JSON.stringify(got)}, want ${JSON.stringify(wanted)}`);
}
