// What devices the processes of a cgroup can open: the list of v1 through the agent's protocol, the
// program of v2 in this machine's own v2 hierarchy, if it has one beside.
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createV2 } from "../../src/cgroup/v2.ts";
import { startReaper } from "../../src/kernel/reaper.ts";
import type { DeviceCgroup } from "../../src/oci/resources.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import type { TestAgent } from "../support/agent.ts";
import { cleanCgroups, eventually, freshName, hierarchies, run, v2 } from "../support/cgroup.ts";
import { type TestContainer, createContainer, idleContainer } from "../support/container.ts";
import {
  ENXIO,
  EPERM,
  type Rules,
  UNDRIVEN,
  denyAll,
  limited,
  reading,
  testDevicePolicy,
  undriven,
  writing,
} from "../support/device-policy.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;
const root = hierarchies.find(({ controllers }) => controllers.includes("devices"))?.mountPoint;
const onV1 = (title: string, body: () => Promise<void>) =>
  test.skipIf(root === undefined)(
    `${title}${root === undefined ? " (skipped: needs the v1 controller devices)" : ""}`,
    body,
  );

describeWithAgent("The devices of a container", (agent) => {
  testDevicePolicy(onV1, agent);

  onV1("that an update does not change stay in the list", async () => {
    await using container = await idleContainer(agent(), limited([]));
    const before = listOf(agent(), container);
    const update = (Devices: Rules) =>
      agent().client.call(method.updateContainer, {
        containerId: container.containerId,
        resources: { Devices },
      });
    await update([undriven(true, "rw")]);
    expect(listOf(agent(), container)).toEqual([...before, "c 4001:7 rw"]);
    const hole = [{ Allow: true, Type: "c", Major: 9n, Minor: -1n, Access: "r" }];
    const refused = update([
      ...hole,
      { Allow: false, Type: "c", Major: 9n, Minor: 1n, Access: "r" },
    ]);
    expect((await refusalOf(refused)).code).toBe(Code.INVALID_ARGUMENT);
    expect(listOf(agent(), container)).toEqual([...before, "c 4001:7 rw"]);
    await update([denyAll]);
    expect(listOf(agent(), container)).toEqual(before);
  });

  onV1("are refused by the rule's name, and nothing is made", async () => {
    const before = agent().held();
    const hole = { Allow: true, Type: "c", Major: 4001n, Minor: -1n, Access: "rw" };
    const created = createContainer(agent(), ["true"], limited([hole, undriven(false, "w")]));
    expect(await refusalOf(created)).toEqual({
      code: Code.INVALID_ARGUMENT,
      message:
        "linux.resources.devices[1]: c 4001:7 w is a part of c 4001:*, from which nothing can be taken",
    });
    await agent().untilHeld(before);
  });
});

function listOf(agent: TestAgent, { containerId }: TestContainer): string[] {
  const text = readFileSync(`${root}/${agent.cgroup}/${containerId}/devices.list`, "utf8");
  return text.trim().split("\n");
}

startReaper();
cleanCgroups();

test.skipIf(v2.skip)(
  `A v2 cgroup runs a program for its devices, and another one after an update${
    v2.skip ? " (skipped: needs root and cgroup v2)" : ""
  }`,
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "devices-"));
    using undo = new DisposableStack();
    undo.defer(() => rmSync(directory, { recursive: true }));
    const device = join(directory, "device");
    const cgroup = createV2([freshName()], v2.main);
    const out = join(directory, "out");
    const uses = "head -c 1 /dev/zero | wc -c; : >/dev/null && echo null";
    const script = `{ ${uses}; ${reading(device)}; ${writing(device)}; } >${out}`;
    const tell = async (): Promise<string[]> => {
      const child = await run(cgroup, script);
      await child.exit;
      return readFileSync(out, "utf8").trim().split("\n");
    };
    const rule = (allow: boolean, access: string): DeviceCgroup => ({
      ...UNDRIVEN,
      allow,
      access,
    });
    Bun.spawnSync(["mknod", device, "c", String(UNDRIVEN.major), String(UNDRIVEN.minor)]);
    const USUAL = ["1", "null"];
    expect(await tell()).toEqual([...USUAL, ENXIO, ENXIO]);
    await cgroup.apply({});
    expect(await tell()).toEqual([...USUAL, EPERM, EPERM]);
    await cgroup.apply({ devices: [rule(true, "rw")] });
    expect(await tell()).toEqual([...USUAL, ENXIO, ENXIO]);
    await cgroup.apply({ devices: [rule(false, "w")] });
    expect(await tell()).toEqual([...USUAL, ENXIO, EPERM]);
    await cgroup.apply({ devices: [{ allow: true, type: "a" }] });
    expect(await tell()).toEqual([...USUAL, ENXIO, ENXIO]);
    const programs = () => countOf("bpf-prog");
    expect(programs()).toBe(1);
    await cgroup.destroy();
    await eventually(() => programs() === 0);
  },
);

/** How many descriptors of this process are of one kind. */
function countOf(kind: string): number {
  const links = Bun.spawnSync(["ls", "-l", `/proc/${process.pid}/fd`]).stdout.toString();
  return links.split("\n").filter((line) => line.endsWith(kind)).length;
}
