// A pod's life in a guest whose process 1 is the agent, asked for over vsock as the runtime does it.
import { beforeAll, expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import {
  SIGKILL,
  type TestContainer,
  createContainer,
  idleContainer,
  startContainer,
} from "../support/container.ts";
import type { TestVm } from "../support/vm.ts";
import type { MachineOptions } from "../support/vm-machine.ts";
import { mountsOf, stateOf } from "../support/vm-state.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

const SIGTERM = 15;

type CgroupVersion = {
  /** `filesystem directory options` */
  readonly mounts: readonly string[];
  /** Where the cgroup of a container is, with a freezer. */
  readonly directory: string;
  readonly freezer: string;
  readonly frozen: string;
};

const FLAGS = "nosuid,nodev,noexec,relatime";

const V2: CgroupVersion = {
  mounts: [`cgroup2 /sys/fs/cgroup rw,${FLAGS},nsdelegate`],
  directory: "/sys/fs/cgroup",
  freezer: "cgroup.events",
  frozen: "frozen 1",
};

const V1: CgroupVersion = {
  mounts: ["memory", "pids", "devices", "freezer", "cpuset"].map(
    (name) => `cgroup /sys/fs/cgroup/${name} rw,${FLAGS},${name}`,
  ),
  directory: "/sys/fs/cgroup/freezer",
  freezer: "freezer.state",
  frozen: "FROZEN",
};

type Guest = {
  readonly title: string;
  readonly options: MachineOptions;
  readonly cgroups: CgroupVersion;
  readonly rootMount: string;
};

const GUESTS: readonly Guest[] = [
  {
    title: "A guest with cgroup v2 and two processors, that starts from an initramfs",
    options: { processors: 2 },
    cgroups: V2,
    rootMount: "rootfs / rw",
  },
  {
    title: "A guest with cgroup v1, that starts from an initramfs",
    options: { words: ["systemd.unified_cgroup_hierarchy=0"] },
    cgroups: V1,
    rootMount: "rootfs / rw",
  },
  {
    title: "A guest with cgroup v2, that starts from a disk and cannot write to it (CVE-2020-2025)",
    options: { root: "disk" },
    cgroups: V2,
    rootMount: "ext4 / ro",
  },
  {
    title: "A guest with an arm64 processor",
    options: { arch: "arm64" },
    cgroups: V2,
    rootMount: "rootfs / rw",
  },
];

/** Every guest has them, whoever is its process 1: process.md section 2.3. */
const BASE_MOUNTS = [
  "proc /proc rw,nosuid,nodev,noexec",
  "sysfs /sys rw,nosuid,nodev,noexec",
  "devtmpfs /dev rw,nosuid",
  "tmpfs /dev/shm rw,nosuid,nodev",
  "devpts /dev/pts rw,nosuid,noexec",
  "tmpfs /run rw,nosuid,nodev",
];

for (const { title, options, cgroups, rootMount } of GUESTS) {
  const { mounts, directory, freezer, frozen } = cgroups;
  describeWithVm(title, options, (vm) => {
    beforeAll(async () => {
      await vm().client.call(method.createSandbox, { sandboxId: "pod", hostname: "guest" });
    });

    test("has the file systems that a guest needs, mounted by the agent", async () => {
      const found = await mountsOf(vm());
      for (const wanted of [rootMount, ...BASE_MOUNTS, ...mounts]) {
        expect(found.filter((mount) => mount.startsWith(wanted))).toEqual([expect.any(String)]);
      }
    });

    test("has its loopback up, and /dev as programs expect it", async () => {
      expect(await vm().sh("cat /sys/class/net/lo/carrier")).toBe("1\n");
      const links = await vm().sh("for name in ptmx fd stdin stdout; do readlink /dev/$name; done");
      expect(links).toBe("/dev/pts/ptmx\n/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n");
    });

    test("runs a container, and keeps nothing of it once it is removed", async () => {
      const before = await stateOf(vm());
      {
        const script = "hostname; echo $$; echo trouble >&2; exit 7";
        await using container = await startContainer(vm(), ["sh", "-c", script]);
        expect(await container.outcome()).toEqual({
          status: 7,
          stdout: "guest\n1\n",
          stderr: "trouble\n",
        });
      }
      expect(await stateOf(vm())).toEqual(before);
    });

    test("starts a container when it is told to, and not before", async () => {
      await using container = await createContainer(vm(), ["echo", "started"]);
      const procs = `${directory}/${pathOf(vm(), container)}/cgroup.procs`;
      expect(await vm().sh(`cat /proc/$(cat ${procs})/comm`)).toBe("kata-agent\n");
      await container.start();
      expect((await container.outcome()).stdout).toBe("started\n");
    });

    test("runs further processes in a container, and hands them what the host writes", async () => {
      await using container = await idleContainer(vm());
      const exec = await container.exec(["cat"]);
      const sent = "from the host\n".repeat(10_000);
      for (let at = 0; at < sent.length;) at += await exec.write(sent.slice(at, at + 32_768));
      await exec.closeStdin();
      const { status, stdout } = await exec.outcome();
      expect(stdout.length).toBe(sent.length);
      expect({ status, isWhole: stdout === sent }).toEqual({ status: 0, isWhole: true });
    });

    test("gives a container a terminal", async () => {
      const script = "tty; read line; echo got $line; stty size";
      await using container = await startContainer(vm(), ["sh", "-c", script], {
        process: { Terminal: true },
      });
      await container.readUntil("/dev/pts/0\r\n");
      await container.resize(30, 100);
      await container.write("typed\n");
      expect(await container.readUntil("30 100\r\n")).toContain("got typed\r\n");
      expect(await container.wait()).toBe(0);
    });

    test("stops all of a container, and lets it go on", async () => {
      await using container = await idleContainer(vm());
      const state = `cat ${directory}/${pathOf(vm(), container)}/${freezer}`;
      await container.pause();
      expect(await vm().sh(state)).toContain(frozen);
      await container.resume();
      expect(await vm().sh(state)).not.toContain(frozen);
      expect((await container.run(["true"])).status).toBe(0);
    });

    test("passes on signals, and tells which one has ended a process", async () => {
      const script = "trap 'exit 42' TERM; echo ready; while :; do sleep 0.01; done";
      await using container = await startContainer(vm(), ["sh", "-c", script]);
      await container.readUntil("ready\n");
      const exec = await container.exec(["sleep", "1000"]);
      await exec.signal(SIGKILL);
      expect(await exec.wait()).toBe(128 + SIGKILL);
      await container.signal(SIGTERM);
      expect(await container.wait()).toBe(42);
    });

    test("ends all of a container that is removed while it runs", async () => {
      const before = await stateOf(vm());
      const script = "sleep 1000 & sleep 1000 & setsid sleep 1000 & sleep 1000";
      const container = await startContainer(vm(), ["sh", "-c", script]);
      await container.exec(["sleep", "1000"]);
      await container.remove();
      expect(await stateOf(vm())).toEqual(before);
    });

    test("powers itself off when the sandbox is destroyed, a container in it or not", async () => {
      await idleContainer(vm());
      await vm().client.call(method.destroySandbox, {});
      expect(await vm().machine.exited).toBe(0);
      expect(vm().console.text).toContain("reboot: Power down");
      expect(vm().console.text).not.toContain("Kernel panic");
    });
  });
}

function pathOf({ cgroup }: TestVm, { containerId }: TestContainer): string {
  return `${cgroup}/${containerId}`;
}
