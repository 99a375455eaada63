// More than one container at a time, orphans, and the log handed out by vsock.
import { beforeAll, expect, test } from "bun:test";
import { until } from "../../src/async/until.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { SIGKILL, idleContainer, startContainer } from "../support/container.ts";
import { Transcript } from "../support/transcript.ts";
import type { TestVm } from "../support/vm.ts";
import { stateOf } from "../support/vm-state.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

const LOG_PORT = 1025;
const CONTAINERS = 50;
const ORPHANS = 100;
const REAPED_IN_MS = 10_000;

const words = [`agent.log_vport=${LOG_PORT}`];

describeWithVm("A guest that hands out its log", { words }, (vm) => {
  beforeAll(async () => {
    await vm().client.call(method.createSandbox, { sandboxId: "pod" });
  });

  test("gives all lines since its start to the first who asks, JSON in each", async () => {
    const { log, hangUp } = await readLog(vm());
    await log.until('"ttRPC server started"');
    await log.until(/CreateSandbox.*\n/);
    hangUp();
    const records = log.text.trimEnd().split("\n").map(parseRecord);
    expect(records[0]).toMatchObject({ msg: "announce", name: "kata-agent", pid: "1" });
    for (const record of records) {
      expect(Object.keys(record).slice(0, 3)).toEqual(["msg", "level", "ts"]);
      expect(Object.values(record).filter((value) => typeof value !== "string")).toEqual([]);
    }
  });

  test("keeps its lines off the console then", () => {
    expect(vm().console.text).not.toContain("ttRPC server started");
  });

  test("goes on with the next one, when the first has hung up", async () => {
    const { log, hangUp } = await readLog(vm());
    const { containerId } = await idleContainer(vm());
    await log.until(`"container-id":"${containerId}"`);
    await vm().client.call(method.removeContainer, { containerId });
    hangUp();
    expect(log.text).not.toContain("announce");
  });
});

describeWithVm("A guest with many processes", {}, (vm) => {
  beforeAll(async () => {
    await vm().client.call(method.createSandbox, { sandboxId: "pod" });
  });

  test(`runs ${CONTAINERS} containers at once, and keeps nothing of them`, async () => {
    const before = await stateOf(vm());
    const start = (_: unknown, index: number) => startContainer(vm(), ["sh", "-c", saying(index)]);
    const containers = await Promise.all(Array.from({ length: CONTAINERS }, start));
    const says = await Promise.all(containers.map((each) => each.readUntil("\n")));
    expect(says).toEqual(containers.map((_, index) => `container ${index}\n`));
    await vm().client.call(Health.method.check, {});
    const statuses = containers.map((each) => each.wait());
    await Promise.all(containers.map((each) => each.killAll()));
    expect(new Set(await Promise.all(statuses))).toEqual(new Set([128 + SIGKILL]));
    await Promise.all(containers.map((each) => each.remove()));
    expect(await stateOf(vm())).toEqual(before);
  });

  test(`buries ${ORPHANS} processes whose parents have gone, whoever's they were`, async () => {
    const before = await stateOf(vm());
    const seq = `$(seq ${ORPHANS})`;
    await vm().sh(`for i in ${seq}; do (sleep 0.$(($i % 5)) & ); done`);
    const isQuiet = async () => Bun.deepEquals((await stateOf(vm())).children, before.children);
    expect(await until(isQuiet, REAPED_IN_MS)).toBe(true);
  });

  test("takes with a container all that has left its parents in it", async () => {
    const before = await stateOf(vm());
    const script = "for i in $(seq 20); do (setsid sleep 1000 & ); done; echo ready; sleep 1000";
    {
      await using container = await startContainer(vm(), ["sh", "-c", script]);
      await container.readUntil("ready\n");
      // One that is its own parent's orphan in there, and nobody's child out here.
      await container.run(["sh", "-c", "(setsid sleep 1000 & )"]);
    }
    expect(await stateOf(vm())).toEqual(before);
  });
});

function saying(index: number): string {
  return `echo container ${index}; exec sleep 1000`;
}

async function readLog(vm: TestVm) {
  const port = await vm.dial(LOG_PORT);
  const log = new Transcript("the log");
  port.attach(log);
  return { log, hangUp: () => port.socket.terminate() };
}

function parseRecord(line: string): Readonly<Record<string, unknown>> {
  return JSON.parse(line);
}
