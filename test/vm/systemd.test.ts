// A guest as most images make it: Debian, whose systemd starts the agent and owns all cgroups.
import { beforeAll, expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { createContainer, idleContainer, requestFor } from "../support/container.ts";
import type { TestVm } from "../support/vm.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

const SLICE = "kata-pod1.slice";
const MIB = 1 << 20;

/** As Kubernetes names them where its kubelet uses systemd. */
const inSlice = (id: string) => ({ CgroupsPath: `${SLICE}:cri-containerd:${id}` });
const unitOf = (id: string) => `cri-containerd-${id}.scope`;
const directoryOf = (id: string) => `/sys/fs/cgroup/kata.slice/${SLICE}/${unitOf(id)}`;

const LIMITS = {
  Memory: { Limit: BigInt(64 * MIB), Swap: BigInt(64 * MIB) },
  CPU: { Shares: 2048n, Quota: 50_000n, Period: 100_000n, Cpus: "0" },
  Pids: { Limit: 20n },
};

const WORDS = ["systemd.unit=kata-containers.target", "systemd.show_status=0"];

describeWithVm("A guest whose process 1 is systemd", { root: "systemd", words: WORDS }, (vm) => {
  beforeAll(async () => {
    await vm().client.call(method.createSandbox, { sandboxId: "pod", hostname: "guest" });
  });

  test("has started the agent as a service, and nothing that has failed", async () => {
    expect(await systemctl(vm(), "is-active kata-agent kata-containers.target")).toBe(
      "active\nactive\n",
    );
    expect(await systemctl(vm(), "--failed --no-legend --plain")).toBe("");
  });

  test("keeps a container in a scope with its limits, also after a reload", async () => {
    const id = vm().freshId();
    const linux = { ...inSlice(id), Resources: LIMITS };
    await using container = await idleContainer(vm(), { id, linux });
    const properties = "ActiveState Slice Delegate MemoryMax TasksMax CPUWeight AllowedCPUs";
    expect(await show(vm(), unitOf(id), properties)).toEqual({
      ActiveState: "active",
      Slice: SLICE,
      Delegate: "yes",
      MemoryMax: String(64 * MIB),
      TasksMax: "20",
      CPUWeight: expect.stringMatching(/^1\d\d$/),
      AllowedCPUs: "0",
    });
    await systemctl(vm(), "daemon-reload");
    const files = ["memory.max", "memory.swap.max", "pids.max", "cpu.max", "cpuset.cpus"];
    expect(await contents(vm(), id, files)).toEqual([
      String(64 * MIB),
      "0",
      "20",
      "50000 100000",
      "0",
    ]);
    expect((await container.run(["true"])).status).toBe(0);
  });

  test("has the container's process in the scope, and no other", async () => {
    const id = vm().freshId();
    await using _ = await idleContainer(vm(), { id, linux: inSlice(id) });
    const procs = (await contents(vm(), id, ["cgroup.procs"])).join().split("\n");
    expect(procs).toHaveLength(1);
    expect(await vm().sh(`cat /proc/${procs[0]}/comm`)).toBe("sleep\n");
  });

  test("lets the kernel kill a container for want of memory before the agent", async () => {
    expect(await vm().sh("cat /proc/$(pidof kata-agent)/oom_score_adj")).toBe("-997\n");
    await using container = await idleContainer(vm());
    const score = ["cat", "/proc/self/oom_score_adj", "/proc/1/oom_score_adj"];
    expect((await container.run(score)).stdout).toBe("0\n0\n");
  });

  test("changes the limits of a scope with the container's", async () => {
    const id = vm().freshId();
    await using _ = await idleContainer(vm(), { id, linux: inSlice(id) });
    const resources = { Memory: { Limit: BigInt(32 * MIB) }, Pids: { Limit: 5n } };
    await vm().client.call(method.updateContainer, { containerId: id, resources });
    expect(await show(vm(), unitOf(id), "MemoryMax TasksMax")).toEqual({
      MemoryMax: String(32 * MIB),
      TasksMax: "5",
    });
    expect(await contents(vm(), id, ["memory.max", "pids.max"])).toEqual([String(32 * MIB), "5"]);
  });

  test("stops all of a container, and lets it go on", async () => {
    const id = vm().freshId();
    await using container = await idleContainer(vm(), { id, linux: inSlice(id) });
    await container.pause();
    expect(await contents(vm(), id, ["cgroup.events"])).toEqual(["populated 1\nfrozen 1"]);
    await container.resume();
    expect((await container.run(["true"])).status).toBe(0);
  });

  test("keeps neither unit nor cgroup of a container that is removed", async () => {
    const id = vm().freshId();
    const container = await idleContainer(vm(), { id, linux: inSlice(id) });
    await container.remove();
    expect(await traces(vm(), id)).toBe("");
  });

  test("keeps neither unit nor cgroup of a container that cannot be made", async () => {
    const id = vm().freshId();
    const linux = inSlice(id);
    const mounts = [{ destination: "/x", type: "nonsense", source: "nonsense" }];
    const refused = createContainer(vm(), ["true"], { id, linux, mounts });
    await expect(refused).rejects.toThrow("nonsense");
    expect(await traces(vm(), id)).toBe("");
  });

  test("refuses a scope that somebody else is in", async () => {
    const first = vm().freshId();
    await using _ = await idleContainer(vm(), { id: first, linux: inSlice(first) });
    const request = requestFor(vm(), ["true"], { linux: inSlice(first) });
    await expect(vm().client.call(method.createContainer, request)).rejects.toThrow(
      `systemd unit ${unitOf(first)} is in use`,
    );
  });

  test("is switched off when the sandbox is destroyed", async () => {
    await vm().client.call(method.destroySandbox, {});
    expect(await vm().machine.exited).toBe(0);
    expect(vm().console.text).toContain("reboot: Power down");
  });
});

describeWithVm(
  "A guest whose process 1 is systemd, with cgroup v1 and v2 at once",
  { root: "systemd", words: [...WORDS, "systemd.unified_cgroup_hierarchy=0"] },
  (vm) => {
    test("keeps a container in a scope with its limits and devices, whatever systemd does beside", async () => {
      const id = vm().freshId();
      const linux = { ...inSlice(id), Resources: LIMITS };
      const scope = `kata.slice/${SLICE}/${unitOf(id)}`;
      {
        await using container = await idleContainer(vm(), { id, linux });
        const files = ["memory/memory.limit_in_bytes", "pids/pids.max", "devices/devices.list"];
        const file = (name: string) =>
          vm().sh(`cat /sys/fs/cgroup/${name.replace("/", `/${scope}/`)}`);
        const before = await inTurn(files, file);
        expect(before.slice(0, 2)).toEqual([`${64 * MIB}\n`, "20\n"]);
        expect(before[2]).not.toContain("a *:*");
        // A unit beside it for whose sake systemd writes the lists of all.
        const beside = `--slice=${SLICE} -p DevicePolicy=strict /usr/bin/sleep 1000`;
        await vm().sh(`/usr/bin/systemd-run ${beside}`);
        await systemctl(vm(), "daemon-reload");
        expect((await inTurn(files, file)).map(inOrder)).toEqual(before.map(inOrder));
        expect(await show(vm(), unitOf(id), "ActiveState")).toEqual({ ActiveState: "active" });
        expect((await container.run(["true"])).status).toBe(0);
      }
      expect(await traces(vm(), id)).toBe("");
    });
  },
);

const inOrder = (text: string) => text.split("\n").toSorted();

/** The shell of a guest does one thing at a time. */
async function inTurn<Item>(items: readonly Item[], work: (item: Item) => Promise<string>) {
  const results: string[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

/** What it prints; an exit status that says that something is not active is no failure. */
function systemctl(vm: TestVm, words: string): Promise<string> {
  return vm.sh(`/usr/bin/systemctl ${words} || [ $? = 3 ]`);
}

async function show(vm: TestVm, unit: string, properties: string): Promise<object> {
  const names = properties.replaceAll(" ", ",");
  const lines = (await systemctl(vm, `show -p ${names} ${unit}`)).trim().split("\n");
  return Object.fromEntries(lines.map((line) => line.split("=")));
}

async function contents(vm: TestVm, id: string, files: readonly string[]): Promise<string[]> {
  return inTurn(files, async (file) => (await vm.sh(`cat ${directoryOf(id)}/${file}`)).trimEnd());
}

/** Where systemd or the kernel still knows of it. */
async function traces(vm: TestVm, id: string): Promise<string> {
  const units = await systemctl(vm, `list-units --all --no-legend --plain ${unitOf(id)}`);
  return units + (await vm.sh(`find /sys/fs/cgroup -name '*${id}*'`));
}
