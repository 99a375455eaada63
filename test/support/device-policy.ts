// What devices a container can use, asked of any agent: on this machine or in a guest, v1 or v2.
import { expect } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { type AgentUnderTest, type Wanted, idleContainer, linesOf } from "./container.ts";

const { method } = AgentService;

/** Nobody drives it: who may open it gets ENXIO, who may not EPERM. */
export const UNDRIVEN = { type: "c", major: 4001, minor: 7 } as const;
export const ENXIO = "No such device or address";
export const EPERM = "Operation not permitted";
const make = `mknod /tmp/device c ${UNDRIVEN.major} ${UNDRIVEN.minor}`;
export const reading = (device: string) => `{ : <${device}; } 2>&1 | sed 's/.*: //'`;
export const writing = (device: string) => `{ : >${device}; } 2>&1 | sed 's/.*: //'`;
const read = reading("/tmp/device");
const write = writing("/tmp/device");

export type Rules = NonNullable<NonNullable<NonNullable<Wanted["linux"]>["Resources"]>["Devices"]>;

export const denyAll = { Allow: false, Type: "a", Access: "rwm" };
export const undriven = (Allow: boolean, Access: string): Rules[number] => ({
  Allow,
  Type: UNDRIVEN.type,
  Major: BigInt(UNDRIVEN.major),
  Minor: BigInt(UNDRIVEN.minor),
  Access,
});

export const limited = (Devices: Rules): Wanted => ({
  linux: { Resources: { Devices } },
  mounts: [{ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["dev"] }],
});

export function testDevicePolicy(
  onVersion: (title: string, body: () => Promise<void>) => void,
  agent: () => AgentUnderTest,
): void {
  onVersion(
    "are the ordinary ones where the spec has no rules, and any node can be made (CVE-2020-2023)",
    async () => {
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
    },
  );

  onVersion("are those that the rules allow, in the way they allow it", async () => {
    const rules = [denyAll, undriven(true, "r")];
    expect(await linesOf(agent(), `${make}; ${read}; ${write}`, limited(rules))).toEqual([
      ENXIO,
      EPERM,
    ]);
  });

  onVersion("are all there are for a privileged container", async () => {
    const rules = [{ Allow: true, Type: "a", Access: "rwm", Major: -1n, Minor: -1n }];
    expect(await linesOf(agent(), `${make}; ${read}; ${write}`, limited(rules))).toEqual([
      ENXIO,
      ENXIO,
    ]);
  });

  onVersion("do not keep a terminal from working, nor an exec", async () => {
    await using container = await idleContainer(agent(), limited([denyAll]));
    const script = "tty; : </dev/tty && echo opened; : <>/dev/ptmx && echo more";
    const { stdout } = await container.run(["sh", "-c", script], { Terminal: true });
    expect(stdout).toBe("/dev/pts/0\r\nopened\r\nmore\r\n");
  });

  onVersion("change with an update, and otherwise stay", async () => {
    await using container = await idleContainer(agent(), limited([]));
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
    await update([undriven(false, "w")]);
    expect(await tell(`${read}; ${write}`)).toEqual([ENXIO, EPERM]);
    await update([]);
    expect(await tell(`${read}; ${write}`)).toEqual([ENXIO, EPERM]);
    await update([denyAll]);
    expect(await tell(`${read}; ${write}`)).toEqual([EPERM, EPERM]);
    await update([{ Allow: true, Type: "a", Access: "rwm" }]);
    expect(await tell(`${read}; ${write}`)).toEqual([ENXIO, ENXIO]);
  });
}
