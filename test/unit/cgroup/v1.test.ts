import { expect, test } from "bun:test";
import { CgroupV1 } from "../../../src/cgroup/v1.ts";

const memory = { mountPoint: "/sys/fs/cgroup/memory", controllers: ["memory"] } as const;
const cpu = { mountPoint: "/sys/fs/cgroup/cpu,cpuacct", controllers: ["cpuacct", "cpu"] } as const;

test("a process enters every hierarchy by moving its one thread", () => {
  expect(new CgroupV1([memory, cpu], ["pod1", "c1"]).entry).toEqual({
    kind: "write",
    files: ["/sys/fs/cgroup/memory/pod1/c1/tasks", "/sys/fs/cgroup/cpu,cpuacct/pod1/c1/tasks"],
  });
});

test("a process enters what systemd looks for it in as well, where that is another hierarchy", () => {
  const beside = ["/sys/fs/cgroup/unified/pod1/c1/cgroup.procs"];
  expect(new CgroupV1([memory], ["pod1", "c1"], beside).entry.files).toEqual([
    "/sys/fs/cgroup/memory/pod1/c1/tasks",
    ...beside,
  ]);
});

test("without a freezer hierarchy a container cannot be frozen, and the error says so (D25)", async () => {
  const cgroup = new CgroupV1([memory], ["c1"]);
  await expect(cgroup.freeze()).rejects.toThrow("the cgroup controller freezer is not mounted");
  await expect(cgroup.thaw()).rejects.toThrow("the cgroup controller freezer is not mounted");
});
