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
import {
  type TestContainer,
  type Wanted,
  createContainer,
  idleContainer,
  linesOf,
} from "../support/container.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;
const root = hierarchies.find(({ controllers }) => controllers.includes("devices"))?.mountPoint;
const onV1 = (title: string, body: () => Promise<void>) =>
  test.skipIf(root === undefined)(
    `${title}${root === undefined ? " (skipped: needs the v1 controller devices)" : ""}`,
    body,
  );

/** Nobody drives it: who may open it gets ENXIO, who may not EPERM. */
const UNDRIVEN = { type: "c", major: 4001, minor: 7 } as const;
const ENXIO = "No such device or address";
const EPERM = "Operation not permitted";
const make = `mknod /tmp/device c ${UNDRIVEN.major} ${UNDRIVEN.minor}`;
const reading = (device: string) => `{ : <${device}; } 2>&1 | sed 's/.*: //'`;
const writing = (device: string) => `{ : >${device}; } 2>&1 | sed 's/.*: //'`;
const read = reading("/tmp/device");
const write = writing("/tmp/device");

type Rules = NonNullable<NonNullable<NonNullable<Wanted["linux"]>["Resources"]>["Devices"]>;

const denyAll = { Allow: false, Type: "a", Access: "rwm" };
const undriven = (Allow: boolean, Access: string): Rules[number] => ({
  Allow,
  Type: UNDRIVEN.type,
  Major: BigInt(UNDRIVEN.major),
  Minor: BigInt(UNDRIVEN.minor),
  Access,
});

const limited = (Devices: Rules): Wanted => ({
  linux: { Resources: { Devices } },
  mounts: [{ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["dev"] }],
});

describeWithAgent("The devices of a container", (agent) => {
  onV1("are the ordinary ones where the spec has no rules, and any node can be made", async () => {
    const script = [
      "for device in null zero full random urandom; do head -c 1 /dev/$device | wc -c; done",
      "echo x >/dev/null",
      make,
      read,
      write,
    ].join("; ");
    expect(await linesOf(agent(), script, limited([]))).toEqual([
      "0",
      "1",
      "1",
      "1",
      "1",
      EPERM,
      EPERM,
    ]);
  });

  onV1("are those that the rules allow, in the way they allow it", async () => {
    const rules = [denyAll, undriven(true, "r")];
    expect(await linesOf(agent(), `${make}; ${read}; ${write}`, limited(rules))).toEqual([
      ENXIO,
      EPERM,
    ]);
  });

  onV1("are all there are for a privileged container", async () => {
    const rules = [{ Allow: true, Type: "a", Access: "rwm", Major: -1n, Minor: -1n }];
    expect(await linesOf(agent(), `${make}; ${read}; ${write}`, limited(rules))).toEqual([
      ENXIO,
      ENXIO,
    ]);
  });

  onV1("do not keep a terminal from working, nor an exec", async () => {
    await using container = await idleContainer(agent(), limited([denyAll]));
    const script = "tty; : </dev/tty && echo opened; : <>/dev/ptmx && echo more";
    const { stdout } = await container.run(["sh", "-c", script], { Terminal: true });
    expect(stdout).toBe("/dev/pts/0\r\nopened\r\nmore\r\n");
  });

  onV1("change with an update, and what does not change stays in the list", async () => {
    await using container = await idleContainer(agent(), limited([]));
    const before = listOf(agent(), container);
    const tell = async (script: string) =>
      (await container.run(["sh", "-c", script])).stdout.trim().split("\n");
    const update = (Devices: Rules) =>
      agent().client.call(method.updateContainer, {
        containerId: container.containerId,
        resources: { Devices },
      });
    expect(await tell(`${make}; ${read}`)).toEqual([EPERM]);
    await update([undriven(true, "rw")]);
    expect(await tell(`${read}; ${write}`)).toEqual([ENXIO, ENXIO]);
    expect(listOf(agent(), container)).toEqual([...before, "c 4001:7 rw"]);
    await update([undriven(false, "w")]);
    expect(await tell(`${read}; ${write}`)).toEqual([ENXIO, EPERM]);
    await update([]);
    expect(await tell(`${read}; ${write}`)).toEqual([ENXIO, EPERM]);
    await update([denyAll]);
    expect(listOf(agent(), container)).toEqual(before);
    await update([{ Allow: true, Type: "a", Access: "rwm" }]);
    expect(await tell(`${read}; ${write}`)).toEqual([ENXIO, ENXIO]);
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
