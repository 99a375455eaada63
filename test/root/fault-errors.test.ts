// What a caller is told when a container or a process cannot be made, and that nothing is left then.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestAgent } from "../support/agent.ts";
import {
  type ProcessChange,
  type Wanted,
  createContainer,
  idleContainer,
} from "../support/container.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { refusalOf } from "../support/refusal.ts";
import { processMessage } from "../support/spec.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;

/** A root file system with what a program cannot be. */
function rootfsWithTraps(agent: TestAgent): string {
  const rootfs = agent.rootfs();
  writeFileSync(join(rootfs, "bin/plain"), "#!/bin/sh\n", { mode: 0o644 });
  writeFileSync(join(rootfs, "bin/garbage"), "\x7fELFnot really", { mode: 0o755 });
  writeFileSync(join(rootfs, "bin/orphan"), "#!/nowhere\n", { mode: 0o755 });
  return rootfs;
}

/** More than the kernel gives anybody (fs.nr_open). */
const TOO_MANY = 1n << 40n;
const files = { Type: "RLIMIT_NOFILE", Soft: TOO_MANY, Hard: TOO_MANY };

/** What makes the process impossible, and what is said of it. */
const PROCESSES: readonly (readonly [string, readonly string[], ProcessChange, string])[] = [
  [
    "a program that is not in PATH",
    ["nope"],
    { Env: ["PATH=/bin:/sbin"] },
    "the file nope was not found: ENOENT: No such file or directory",
  ],
  [
    "a program that is not there",
    ["/bin/nope"],
    {},
    "the file /bin/nope was not found: ENOENT: No such file or directory",
  ],
  [
    "a program that may not be executed",
    ["/bin/plain"],
    {},
    "execute /bin/plain: EACCES: Permission denied",
  ],
  [
    "a directory that is a file",
    ["true"],
    { Cwd: "/etc/passwd" },
    "/etc/passwd: ENOTDIR: Not a directory",
  ],
  [
    "a limit above what the kernel allows",
    ["true"],
    { Rlimits: [files] },
    `set RLIMIT_NOFILE to ${TOO_MANY}:${TOO_MANY}: EPERM: Operation not permitted`,
  ],
];

/** What makes the container impossible. */
const CONTAINERS: readonly (readonly [string, Wanted, string])[] = [
  [
    "a file system that the kernel does not know",
    { mounts: [{ destination: "/m", type: "nofs", source: "x" }] },
    "open a new nofs for /m: ENODEV: No such device",
  ],
  [
    "a source that is not there",
    { mounts: [{ destination: "/m", type: "bind", source: "/nowhere", options: ["rbind"] }] },
    "clone /nowhere: ENOENT: No such file or directory",
  ],
  [
    "an option that the file system does not know",
    { mounts: [{ destination: "/m", type: "tmpfs", options: ["color=red"] }] },
    "set color=red of /m: EINVAL: Invalid argument",
  ],
  [
    "a sysctl that there is none of",
    { linux: { Sysctl: { "net.nothing": "1" } } },
    "open sysctl net.nothing: ENOENT: No such file or directory",
  ],
  [
    "a sysctl of the wrong form",
    { linux: { Sysctl: { "kernel.shmmni": "many" } } },
    "set sysctl kernel.shmmni: EINVAL: Invalid argument",
  ],
  [
    "a root that is not there",
    { spec: { Root: { Path: "/nowhere" } } },
    "ENOENT: No such file or directory",
  ],
];

const terminals = [false, true];

describeWithAgent("a container that cannot be created", (agent) => {
  test.each(PROCESSES)(
    "because of %s says so, and leaves nothing",
    async (_, args, change, text) => {
      const rootfs = rootfsWithTraps(agent());
      for (const Terminal of terminals) {
        const before = agent().held();
        const process = { ...change, Terminal };
        const error = await refusalOf(createContainer(agent(), args, { rootfs, process }));
        expect(error.message).toEndWith(text);
        expect(error.code).toBe(Code.INTERNAL);
        expect(agent().held()).toEqual(before);
      }
    },
  );

  test.each(CONTAINERS)("because of %s says so, and leaves nothing", async (_, wanted, text) => {
    const before = agent().held();
    const error = await refusalOf(createContainer(agent(), ["true"], wanted));
    expect(error.message).toEndWith(text);
    expect(error.code).toBe(Code.INTERNAL);
    expect(agent().held()).toEqual(before);
  });

  test("can be created by its id as soon as the reason is gone", async () => {
    const id = agent().freshId();
    await refusalOf(createContainer(agent(), ["nope"], { id }));
    await using container = await idleContainer(agent(), { id });
    expect((await container.run(["true"])).status).toBe(0);
  });
});

describeWithAgent("a container that is created and cannot be started", (agent) => {
  test.each([
    ["/bin/garbage", "ENOEXEC: Exec format error", 126],
    ["/bin/orphan", "ENOENT: No such file or directory", 127],
    ["/bin", "EACCES: Permission denied", 126],
  ])(
    "because of its program %s says why, has a status and is removed (D8)",
    async (file, text, status) => {
      const before = agent().held();
      const wanted = { rootfs: rootfsWithTraps(agent()) };
      const container = await createContainer(agent(), [file], wanted);
      const error = await refusalOf(container.start());
      expect(error.message).toBe(`execute ${file}: ${text}`);
      expect(error.code).toBe(Code.INTERNAL);
      expect(await container.wait()).toBe(status);
      await container.remove();
      expect(agent().held()).toEqual(before);
    },
  );
});

describeWithAgent("a process that cannot be executed in a container", (agent) => {
  test.each(PROCESSES)(
    "because of %s says so, and leaves nothing",
    async (_, args, change, text) => {
      await using container = await idleContainer(agent(), { rootfs: rootfsWithTraps(agent()) });
      await container.run(["true"]);
      for (const Terminal of terminals) {
        const before = agent().held();
        const error = await refusalOf(container.exec(args, { ...change, Terminal }));
        expect(error.message).toEndWith(text);
        expect(error.code).toBe(Code.INTERNAL);
        expect(agent().held()).toEqual(before);
      }
    },
  );

  test("has not used up its id", async () => {
    await using container = await idleContainer(agent());
    const asked = { containerId: container.containerId, execId: "once" };
    const exec = (...args: string[]) =>
      agent().client.call(method.execProcess, { ...asked, process: processMessage(args) });
    await refusalOf(exec("nope"));
    await exec("true");
    expect((await agent().client.call(method.waitProcess, asked)).status).toBe(0);
  });
});
