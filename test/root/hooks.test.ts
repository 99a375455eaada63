// Hooks over the life of a container: each kind at its moment, in its place, with the state.
import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../src/async/until.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { TestAgent } from "../support/agent.ts";
import {
  type Wanted,
  createContainer,
  idleContainer,
  requestFor,
  startContainer,
} from "../support/container.ts";
import {
  type HookInit,
  NAMESPACES,
  type Sight,
  logIn,
  looking,
  script,
  sights,
} from "../support/hooks.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const STARTED_IN_MS = 10_000;

const KINDS = [
  "Prestart",
  "CreateRuntime",
  "CreateContainer",
  "StartContainer",
  "Poststart",
  "Poststop",
] as const;
type Kind = (typeof KINDS)[number];

/** The agent's view of a directory is this one's; a container sees `rootfs` as `/`. */
function looker(kind: Kind, rootfs: string): HookInit {
  const inside = kind === "StartContainer";
  const path = script(join(rootfs, kind), looking(kind, inside ? "/hooks.log" : logIn(rootfs)));
  return { Path: inside ? `/${kind}` : path, Args: [kind, "two words"], Env: ["A=1", "B=2"] };
}

function lookers(rootfs: string): Partial<Record<Kind, HookInit[]>> {
  return Object.fromEntries(KINDS.map((kind) => [kind, [looker(kind, rootfs)]]));
}

function agentsNamespaces(agent: TestAgent): readonly string[] {
  return NAMESPACES.map((name) => readlinkSync(`/proc/${agent.pid}/ns/${name}`));
}

const bySight = <Value>(all: readonly Sight[], of: (sight: Sight) => Value) =>
  Object.fromEntries(all.map((sight) => [sight.name, of(sight)]));

describeWithAgent("hooks of all kinds", (agent) => {
  /** What all six have seen of a container that lived to its end, and the container's own program. */
  async function wholeLife(wanted: Wanted = {}) {
    const rootfs = agent().rootfs();
    const Hooks = lookers(rootfs);
    writeFileSync(logIn(rootfs), "");
    chmodSync(logIn(rootfs), 0o666);
    script(join(rootfs, "program"), looking("program", "/hooks.log"));
    const spec = { Hooks, Annotations: { "a.b": "c" }, ...wanted.spec };
    const id = agent().freshId();
    {
      await using container = await startContainer(agent(), ["/program"], {
        ...wanted,
        id,
        rootfs,
        spec,
      });
      await container.closeStdin();
      expect(await container.wait()).toBe(0);
    }
    return { id, all: sights(logIn(rootfs)) };
  }

  test("run in the order of the life of a container", async () => {
    const { all } = await wholeLife();
    const names = all.map(({ name }) => name).filter((name) => name !== "program");
    expect(names).toEqual([...KINDS]);
    const at = (name: string) => all.findIndex((sight) => sight.name === name);
    expect(at("program")).toBeGreaterThan(at("StartContainer"));
  });

  test("are in the agent's namespaces or in the container's, as their kind demands", async () => {
    const { all } = await wholeLife();
    const ours = agentsNamespaces(agent());
    const { program = [], ...hooks } = bySight(all, ({ namespaces }) => namespaces);
    // mnt, pid, ipc and uts are the container's own; net and user are not.
    const isShared = program.map((each, index) => each === ours[index]);
    expect(isShared).toEqual([false, false, false, false, true, true]);
    expect(hooks).toEqual({
      Prestart: ours,
      CreateRuntime: ours,
      CreateContainer: program,
      StartContainer: program,
      Poststart: ours,
      Poststop: ours,
    });
  });

  test("work in the bundle, in the root that is being made, or where the program does", async () => {
    const { id, all } = await wholeLife({ process: { Cwd: "/tmp" } });
    const bundle = `/run/kata-containers/${id}`;
    expect(bySight(all, ({ cwd }) => cwd)).toEqual({
      Prestart: bundle,
      CreateRuntime: bundle,
      CreateContainer: `${bundle}/rootfs`,
      StartContainer: "/tmp",
      program: "/tmp",
      Poststart: bundle,
      Poststop: bundle,
    });
  });

  test("are told the state, with the pid that the first process has where they are", async () => {
    const { id, all } = await wholeLife();
    const { program: _, ...states } = bySight(all, ({ state }) => state);
    const pid = states["Prestart"]?.["pid"];
    expect(pid).toBeGreaterThan(1);
    const state = { ociVersion: "1.1.0", id, bundle: `/run/kata-containers/${id}` };
    const annotations = { "a.b": "c" };
    expect(states).toEqual({
      Prestart: { ...state, status: "creating", pid, annotations },
      CreateRuntime: { ...state, status: "creating", pid, annotations },
      CreateContainer: { ...state, status: "creating", pid: 1, annotations },
      StartContainer: { ...state, status: "created", pid: 1, annotations },
      Poststart: { ...state, status: "running", pid, annotations },
      Poststop: { ...state, status: "stopped", pid: 0, annotations },
    });
  });

  test("are root, or in the container who the program is", async () => {
    const { all } = await wholeLife({ process: { User: { UID: 1000, GID: 100 } } });
    expect(bySight(all, ({ user }) => user)).toEqual({
      Prestart: "0:0",
      CreateRuntime: "0:0",
      CreateContainer: "0:0",
      StartContainer: "1000:100",
      program: "1000:100",
      Poststart: "0:0",
      Poststop: "0:0",
    });
  });

  test("have the environment of the spec and no descriptor of the agent", async () => {
    const { all } = await wholeLife();
    for (const { name, environment, descriptors } of all) {
      if (name === "program") continue;
      expect([name, environment]).toEqual([name, ["A=1", "B=2"]]);
      expect([name, descriptors]).toEqual([name, ["0", "1", "2", "3"]]);
    }
  });
});

describeWithAgent("a hook that fails", (agent) => {
  test.each(["Prestart", "CreateRuntime", "CreateContainer"] as const)(
    "fails the creation and leaves nothing: %s",
    async (kind) => {
      const rootfs = agent().rootfs();
      const before = agent().held();
      const path = script(join(rootfs, "fail"), "cat >/dev/null; echo why; echo not >&2; exit 3");
      const Poststop = [looker("Poststop", rootfs)];
      const spec = { Hooks: { [kind]: [{ Path: path }], Poststop } };
      const name = `${kind.slice(0, 1).toLowerCase()}${kind.slice(1)}`;
      expect(await refusalOf(createContainer(agent(), ["true"], { rootfs, spec }))).toEqual({
        code: Code.INTERNAL,
        message: `${name} hook 0 "${path}": it ended with status 3: "why\\nnot"`,
      });
      await agent().untilHeld(before);
      expect(sights(logIn(rootfs)).map(({ state }) => state["status"])).toEqual(["stopped"]);
    },
  );

  test("before the start stops the container, whose program never runs", async () => {
    const rootfs = agent().rootfs();
    script(join(rootfs, "fail"), "exit 1");
    const spec = { Hooks: { StartContainer: [{ Path: "/fail" }] } };
    await using container = await createContainer(agent(), ["touch", "/ran"], { rootfs, spec });
    expect(await refusalOf(container.start())).toEqual({
      code: Code.INTERNAL,
      message: 'startContainer hook 0 "/fail": it ended with status 1',
    });
    expect(await container.wait()).toBe(137);
    expect(existsSync(join(rootfs, "ran"))).toBe(false);
    expect((await refusalOf(container.exec(["true"]))).code).toBe(Code.INTERNAL);
  });

  test("after the start or the end fails nothing, and is logged; those behind it run", async () => {
    const rootfs = agent().rootfs();
    const fail = script(join(rootfs, "fail"), "echo told; exit 9");
    const behind = (kind: Kind) => [{ Path: fail }, looker(kind, rootfs)];
    const Hooks = { Poststart: behind("Poststart"), Poststop: behind("Poststop") };
    const container = await idleContainer(agent(), { rootfs, spec: { Hooks } });
    await container.remove();
    expect(sights(logIn(rootfs)).map(({ name }) => name)).toEqual(["Poststart", "Poststop"]);
    for (const kind of ["poststart", "poststop"]) expect(agent().log).toContain(`${kind} hook 0`);
    expect(agent().log).toContain("it ended with status 9");
  });

  test("keeps the ones behind it from running", async () => {
    const rootfs = agent().rootfs();
    const fail = script(join(rootfs, "fail"), "exit 1");
    const Hooks = { Prestart: [{ Path: fail }, looker("Prestart", rootfs)] };
    await refusalOf(createContainer(agent(), ["true"], { rootfs, spec: { Hooks } }));
    expect(sights(logIn(rootfs))).toEqual([]);
  });

  test("is one that does not exist, or is no program", async () => {
    const rootfs = agent().rootfs();
    const reasons = {
      "/nowhere/hook": "execute /nowhere/hook: ENOENT: No such file or directory",
      "/etc/passwd": "execute /etc/passwd: EACCES: Permission denied",
    };
    for (const [path, reason] of Object.entries(reasons)) {
      const spec = { Hooks: { CreateContainer: [{ Path: path }] } };
      const { message } = await refusalOf(createContainer(agent(), ["true"], { rootfs, spec }));
      expect(message).toBe(`createContainer hook 0 "${path}": ${reason}`);
    }
    const spec = { Hooks: { StartContainer: [{ Path: "/nowhere" }] } };
    await using container = await createContainer(agent(), ["true"], { rootfs, spec });
    expect((await refusalOf(container.start())).message).toContain("/nowhere");
  });

  test("does so without its environment being told to anybody", async () => {
    const rootfs = agent().rootfs();
    const fail = script(join(rootfs, "fail"), "exit 1");
    const hook = { Path: fail, Env: ["TOKEN=very-secret"] };
    const spec = { Hooks: { Prestart: [hook], Poststop: [hook] } };
    const { message } = await refusalOf(createContainer(agent(), ["true"], { rootfs, spec }));
    expect(message + agent().log).not.toContain("very-secret");
  });
});

describeWithAgent("a hook that runs too long", (agent) => {
  test.each(["Prestart", "CreateContainer"] as const)(
    "is killed with what it has started: %s",
    async (kind) => {
      const rootfs = agent().rootfs();
      const before = agent().held();
      const path = script(join(rootfs, "slow"), "sleep 1000 & sleep 1000");
      const spec = { Hooks: { [kind]: [{ Path: path, Timeout: 1n }] } };
      const { message } = await refusalOf(createContainer(agent(), ["true"], { rootfs, spec }));
      expect(message).toContain("it has not ended within 1 s");
      await agent().untilHeld(before);
    },
  );

  test("does not hold up the removal of its container", async () => {
    const rootfs = agent().rootfs();
    script(join(rootfs, "slow"), "echo $$ > /started; sleep 1000");
    const spec = { Hooks: { StartContainer: [{ Path: "/slow", Timeout: 1000n }] } };
    const container = await createContainer(agent(), ["true"], { rootfs, spec });
    const start = refusalOf(container.start());
    await until(() => existsSync(join(rootfs, "started")), STARTED_IN_MS);
    await container.remove();
    expect((await start).message).toContain("is being removed");
  });

  test("is killed when nobody waits for its container any more, which is undone", async () => {
    const rootfs = agent().rootfs();
    const before = agent().held();
    const log = logIn(rootfs);
    const started = join(rootfs, "started");
    const path = script(join(rootfs, "slow"), `: > ${started}; sleep 1000`);
    const Poststop = [looker("Poststop", rootfs)];
    const spec = { Hooks: { Prestart: [{ Path: path, Timeout: 1000n }], Poststop } };
    const client = await agent().connect();
    const request = requestFor(agent(), ["true"], { rootfs, spec });
    const creation = client.call(AgentService.method.createContainer, request).catch(() => "lost");
    await until(() => existsSync(started), STARTED_IN_MS);
    client[Symbol.dispose]();
    expect(await creation).toBe("lost");
    await agent().untilHeld(before);
    expect(sights(log).map(({ name }) => name)).toEqual(["Poststop"]);
  });

  test("keeps nobody else waiting (D37)", async () => {
    const rootfs = agent().rootfs();
    const path = script(
      join(rootfs, "slow"),
      `: > ${rootfs}/started; while [ ! -e ${rootfs}/go ]; do :; done`,
    );
    const spec = { Hooks: { Prestart: [{ Path: path }] } };
    const creation = createContainer(agent(), ["true"], { rootfs, spec });
    await until(() => existsSync(join(rootfs, "started")), STARTED_IN_MS);
    {
      await using other = await startContainer(agent(), ["true"]);
      expect(await other.wait()).toBe(0);
    }
    script(join(rootfs, "go"), "");
    await using _ = await creation;
  });

  test("after the start keeps only those waiting who wait for the start", async () => {
    const rootfs = agent().rootfs();
    const path = script(
      join(rootfs, "slow"),
      `: > ${rootfs}/started; while [ ! -e ${rootfs}/go ]; do :; done`,
    );
    const spec = { Hooks: { Poststart: [{ Path: path }] } };
    await using container = await createContainer(agent(), ["sleep", "1000"], { rootfs, spec });
    let isAnswered = false;
    const start = container.start().then(() => void (isAnswered = true));
    await until(() => existsSync(join(rootfs, "started")), STARTED_IN_MS);
    expect((await container.run(["true"])).status).toBe(0);
    expect(isAnswered).toBe(false);
    script(join(rootfs, "go"), "");
    await start;
  });

  test("after the start is killed when its container is removed", async () => {
    const rootfs = agent().rootfs();
    const before = agent().held();
    const path = script(join(rootfs, "slow"), `: > ${rootfs}/started; sleep 1000`);
    const spec = { Hooks: { Poststart: [{ Path: path, Timeout: 1000n }] } };
    const container = await createContainer(agent(), ["sleep", "1000"], { rootfs, spec });
    const start = Promise.allSettled([container.start()]);
    await until(() => existsSync(join(rootfs, "started")), STARTED_IN_MS);
    await container.remove();
    await start;
    await agent().untilHeld(before);
  });
});

describeWithAgent("a hook that behaves oddly", (agent) => {
  const created = async (text: string, hook: HookInit = {}) => {
    const rootfs = agent().rootfs();
    const path = script(join(rootfs, "odd"), text);
    const spec = { Hooks: { CreateRuntime: [{ Path: path, ...hook }] } };
    return createContainer(agent(), ["true"], { rootfs, spec });
  };

  test("by writing 100 MB is heard to the end, of which the end is kept", async () => {
    const text = "cat >/dev/null; head -c 100000000 /dev/zero | tr '\\0' x; echo the end; exit 1";
    const { message } = await refusalOf(created(text));
    expect(message).toContain('status 1: "…xxx');
    expect(message).toEndWith('xxxthe end"');
    expect(message.length).toBeLessThan(2500);
  });

  test("by closing its standard input early does no harm", async () => {
    const annotations = { large: "x".repeat(1 << 20) };
    const rootfs = agent().rootfs();
    const path = script(join(rootfs, "odd"), "exec 0<&-; exit 0");
    const spec = { Annotations: annotations, Hooks: { CreateRuntime: [{ Path: path }] } };
    await using _ = await createContainer(agent(), ["true"], { rootfs, spec });
  });

  test("by reading a state of a megabyte slowly gets all of it", async () => {
    const rootfs = agent().rootfs();
    const path = script(join(rootfs, "odd"), `wc -c > ${rootfs}/length`);
    const Annotations = { large: "x".repeat(1 << 20) };
    const spec = { Annotations, Hooks: { CreateRuntime: [{ Path: path }] } };
    await using _ = await createContainer(agent(), ["true"], { rootfs, spec });
    expect(Number(await Bun.file(join(rootfs, "length")).text())).toBeGreaterThan(1 << 20);
  });

  test("by leaving a daemon that holds its output open is not waited for", async () => {
    const rootfs = agent().rootfs();
    const path = script(join(rootfs, "odd"), `sleep 1000 & echo $! > ${rootfs}/daemon; exit 0`);
    const kill = script(join(rootfs, "kill"), `kill -9 $(cat ${rootfs}/daemon)`);
    const Hooks = { CreateRuntime: [{ Path: path, Timeout: 1000n }], Poststop: [{ Path: kill }] };
    const before = agent().held();
    {
      await using _ = await createContainer(agent(), ["true"], { rootfs, spec: { Hooks } });
    }
    await agent().untilHeld(before);
  });

  test("by leaving a daemon in a container that is not made leaves nothing", async () => {
    await using pod = await TestAgent.start();
    const request = { sandboxPidns: true };
    // The first process of the pod reaps, as a pause container's does.
    const reaping = ["sh", "-c", "sleep 1000 & wait"];
    await using _first = await startContainer(pod, reaping, { request });
    await (await idleContainer(pod, { request })).remove();
    const before = pod.held();
    const rootfs = pod.rootfs();
    const path = script(join(rootfs, "odd"), "sleep 1000 >/dev/null 2>&1 & exit 0");
    const spec = { Hooks: { CreateContainer: [{ Path: path }] } };
    const failing = createContainer(pod, ["no-such-program"], { request, rootfs, spec });
    expect((await refusalOf(failing)).message).toContain("no-such-program was not found");
    await pod.untilHeld(before);
  });

  test("by having no arguments is given its path", async () => {
    const rootfs = agent().rootfs();
    const path = script(join(rootfs, "odd"), `tr '\\0' ' ' < /proc/$$/cmdline > ${rootfs}/args`);
    const spec = { Hooks: { CreateRuntime: [{ Path: path }] } };
    await using _ = await createContainer(agent(), ["true"], { rootfs, spec });
    expect(await Bun.file(join(rootfs, "args")).text()).toBe(`/bin/sh ${path} `);
  });
});

describeWithAgent("a hook before the root is entered", (agent) => {
  test("may change the root, also one that becomes read-only", async () => {
    const rootfs = agent().rootfs();
    const path = script(join(rootfs, "change"), "echo changed > changed");
    const spec = {
      Root: { Path: rootfs, Readonly: true },
      Hooks: { CreateContainer: [{ Path: path }] },
    };
    await using container = await startContainer(agent(), ["cat", "/changed"], { rootfs, spec });
    expect((await container.outcome()).stdout).toBe("changed\n");
  });

  /** As those for GPUs do: they read config.json in the bundle, and go to the process of the state. */
  test("may mount in the container from the agent's namespaces, by what config.json says of it", async () => {
    const rootfs = agent().rootfs();
    mkdirSync(join(rootfs, "mnt"));
    const path = script(
      join(rootfs, "m"),
      `pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/')
root=$(sed 's/.*"root":{"path":"\\([^"]*\\)".*/\\1/' config.json)
nsenter --mount --target $pid mount -t tmpfs -o size=64k hooked $root/mnt`,
    );
    const spec = { Hooks: { Prestart: [{ Path: path }] } };
    const args = ["grep", "hooked", "/proc/mounts"];
    await using container = await startContainer(agent(), args, { rootfs, spec });
    expect((await container.outcome()).stdout).toStartWith("hooked /mnt tmpfs ");
  });

  test("may mount in the container what the agent does not see", async () => {
    const rootfs = agent().rootfs();
    const before = agent().held();
    const path = script(join(rootfs, "m"), "mount -t tmpfs -o size=64k hooked mnt");
    mkdirSync(join(rootfs, "mnt"));
    const spec = { Hooks: { CreateContainer: [{ Path: path }] } };
    {
      const args = ["grep", "hooked", "/proc/mounts"];
      await using container = await startContainer(agent(), args, { rootfs, spec });
      expect((await container.outcome()).stdout).toStartWith("hooked /mnt tmpfs ");
      expect(agent().held().mounts).not.toContain("1 /mnt");
    }
    await agent().untilHeld(before);
  });

  test("runs where the container has a terminal, too", async () => {
    const rootfs = agent().rootfs();
    const spec = { Hooks: lookers(rootfs) };
    const process = { Terminal: true };
    const args = ["sh", "-c", "tty"];
    {
      await using container = await startContainer(agent(), args, { rootfs, spec, process });
      expect((await container.outcome()).stdout).toBe("/dev/pts/0\r\n");
    }
    expect(sights(logIn(rootfs)).map(({ name }) => name)).toEqual([...KINDS]);
  });
});
