// Containers in user and time namespaces, in a guest with cgroup v2 whose root, an initramfs, is moved
// over and not pivoted.
import { beforeAll, expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { type Wanted, idleContainer, linesOf } from "../support/container.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;
const HOST = 100_000;
const MAP = [{ HostID: HOST, ContainerID: 0, Size: 65_536 }];

describeWithVm("A guest with user and time namespaces", {}, (vm) => {
  beforeAll(async () => {
    await vm().client.call(method.createSandbox, { sandboxId: "pod", hostname: "the-pod" });
    await vm().sh("mkdir -p /run/mapped && cp -a /rootfs/. /run/mapped");
    await vm().sh(`busybox chown -R ${HOST}:${HOST} /run/mapped`);
  });

  const inUser = (linux: Wanted["linux"] = {}): Wanted => ({
    rootfs: "/run/mapped",
    linux: {
      UIDMappings: MAP,
      GIDMappings: MAP,
      Namespaces: ["ipc", "uts", "mount", "user", "time"].map((Type) => ({ Type })),
      ...linux,
    },
  });

  test("has root in them that is nobody outside, with all mounts of an ordinary container", async () => {
    const script = [
      "id -u; hostname; cat /proc/self/cgroup",
      "echo x > /dev/null && ls /sys/class/net /dev/mqueue /sys/fs/cgroup/cgroup.procs > /dev/null && echo mounted",
      "stat -c %u /dev/pts/ptmx /dev/null /proc/1",
    ].join("; ");
    const lines = await linesOf(vm(), script, inUser());
    expect(lines).toEqual(["0", "the-pod", "0::/", "mounted", "0", "0", "0"]);
  });

  test("shares the pod's names between them, and lets an exec in", async () => {
    await using one = await idleContainer(vm(), inUser());
    await using two = await idleContainer(vm(), inUser());
    const names = "for kind in ipc uts user; do readlink /proc/self/ns/$kind; done; id -u";
    const [a, b] = [await one.run(["sh", "-c", names]), await two.run(["sh", "-c", names])];
    expect(a.stdout).toBe(b.stdout);
    expect(a.stdout).toEndWith("\n0\n");
    const guest = await vm().sh("busybox readlink /proc/self/ns/ipc");
    expect(a.stdout).not.toContain(guest.trim());
  });
});
