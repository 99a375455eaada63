// Hooks in a guest whose process 1 is the agent, on cgroup v2, where a hook of the container is born in
// its cgroup, and in an initramfs, whose root is not pivoted.
import { beforeAll, expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { startContainer } from "../support/container.ts";
import type { HookInit } from "../support/hooks.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

const BUSYBOX = "/rootfs/bin/busybox";
const LOG = "/run/hooks.log";

/** Says in one line which kind it is of, the cgroup it is in, and the state. */
function saying(kind: string, log: string): string {
  return `echo "${kind} $(sed -n s/^0:://p /proc/self/cgroup) $(cat)" >> ${log}`;
}

function hook(kind: string): HookInit {
  const Path = kind === "startContainer" ? "/bin/sh" : BUSYBOX;
  const log = kind === "startContainer" ? "/dev/shm/hooks.log" : LOG;
  return { Path, Args: ["sh", "-c", saying(kind, log)], Env: ["PATH=/rootfs/bin:/bin"] };
}

describeWithVm("A guest whose containers have hooks", {}, (vm) => {
  beforeAll(async () => {
    await vm().sh(
      `mkdir -p /run/hooks/createRuntime && printf '#!${BUSYBOX} sh\\necho guest >> ${LOG}\\n' > /run/hooks/createRuntime/x && chmod 755 /run/hooks/createRuntime/x`,
    );
    await vm().client.call(method.createSandbox, {
      sandboxId: "pod",
      guestHookPath: "/run/hooks",
    });
  });

  test("runs them, its own after those of the spec, each in the cgroup it belongs to", async () => {
    const Hooks = {
      Prestart: [hook("prestart")],
      CreateRuntime: [hook("createRuntime")],
      CreateContainer: [hook("createContainer")],
      StartContainer: [hook("startContainer")],
      Poststart: [hook("poststart")],
      Poststop: [hook("poststop")],
    };
    const container = await startContainer(vm(), ["cat", "/dev/shm/hooks.log"], {
      spec: { Hooks },
    });
    const { stdout } = await container.outcome();
    // The root of its own cgroup namespace: it is in the container's cgroup.
    expect(stdout).toMatch(/^startContainer \/ \{.*"status":"created","pid":1,/);
    await container.remove();
    const lines = (await vm().sh(`busybox cat ${LOG}`)).trimEnd().split("\n");
    expect(lines.map((line) => line.split(" ")[0])).toEqual([
      "prestart",
      "createRuntime",
      "guest",
      "createContainer",
      "poststart",
      "poststop",
    ]);
    const [prestart = "", , , createContainer] = lines;
    expect(createContainer).toMatch(/^createContainer \/ \{.*"status":"creating","pid":1,/);
    const [, agents] = prestart.split(" ");
    const ours = lines.filter((line) => line.split(" ")[1] === agents);
    expect(ours.length).toBeGreaterThanOrEqual(4);
  });
});
