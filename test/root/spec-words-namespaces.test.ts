// `linux.namespaces`, and what the containers of one sandbox share.
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { TestAgent } from "../support/agent.ts";
import {
  type TestContainer,
  createContainer,
  idleContainer,
  startContainer,
  linesOf,
  sh,
} from "../support/container.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;
const SHARED = ["ipc", "uts"] as const;
const KINDS = ["mnt", "pid", "ipc", "uts", "net"] as const;

/** The namespaces of a process of the container: `ipc:[4026531839]` by kind. */
async function namespacesOf(container: TestContainer): Promise<Record<string, string>> {
  const script = `for kind in ${KINDS.join(" ")}; do readlink /proc/self/ns/$kind; done`;
  const { stdout } = await container.run(["sh", "-c", script]);
  return Object.fromEntries(
    stdout
      .trimEnd()
      .split("\n")
      .map((name, i) => [KINDS[i], name]),
  );
}

const guestNamespace = (agent: TestAgent, kind: string) =>
  readlinkSync(`/proc/${agent.pid}/ns/${kind}`);

describeWithAgent("the containers of a sandbox", (agent) => {
  test("share its ipc and uts namespaces and have mounts and processes of their own", async () => {
    await agent().client.call(method.createSandbox, { hostname: "the-pod", sandboxId: "pod" });
    await using first = await idleContainer(agent());
    await using second = await idleContainer(agent());
    const [a, b] = [await namespacesOf(first), await namespacesOf(second)];
    for (const kind of SHARED) {
      expect(a[kind]).toBe(b[kind] ?? "");
      expect(a[kind]).not.toBe(guestNamespace(agent(), kind));
    }
    for (const kind of ["mnt", "pid"]) expect(a[kind]).not.toBe(b[kind] ?? "");
    expect(a["net"]).toBe(guestNamespace(agent(), "net"));
  });

  test("have its hostname, which the guest does not", async () => {
    expect(await linesOf(agent(), "hostname")).toEqual(["the-pod"]);
    await using container = await idleContainer(agent());
    expect((await container.run(["hostname"])).stdout).toBe("the-pod\n");
    const guest = spawnSync("nsenter", ["-t", String(agent().pid), "-u", "hostname"]);
    expect(guest.stdout.toString()).not.toBe("the-pod\n");
  });

  test("see each other's message queues", async () => {
    await using first = await idleContainer(agent());
    await first.run(["touch", "/dev/mqueue/letters"]);
    expect(await linesOf(agent(), "ls /dev/mqueue")).toEqual(["letters"]);
    await first.run(["rm", "/dev/mqueue/letters"]);
  });

  test("keep what they share when the sandbox is created once more", async () => {
    await using first = await idleContainer(agent());
    const again = { hostname: "another-name", sandboxId: "pod" };
    await Promise.all([1, 2].map(() => agent().client.call(method.createSandbox, again)));
    await using second = await idleContainer(agent());
    const [a, b] = [await namespacesOf(first), await namespacesOf(second)];
    expect([b["ipc"], b["uts"]]).toEqual([a["ipc"], a["uts"]]);
  });
});

describeWithAgent("a sandbox that is created twice at once", (agent) => {
  test("has one pair of namespaces, and holds no other", async () => {
    const asked = { hostname: "twin", sandboxId: "pod" };
    await Promise.all([1, 2].map(() => agent().client.call(method.createSandbox, asked)));
    const { descriptors, mounts } = agent().held();
    const held = descriptors.filter((each) => /sandbox-ns|(ipc|uts):/.test(each));
    expect(held).toHaveLength(2);
    expect(mounts.filter((each) => each.includes("sandbox-ns"))).toHaveLength(2);
  });
});

describeWithAgent("the pid namespace of a container", (agent) => {
  test("is its own: its first process is 1 and it sees nobody else", async () => {
    await using _ = await idleContainer(agent());
    await using container = await idleContainer(agent());
    const { stdout } = await container.run(["sh", "-c", "cd /proc; echo [0-9]*; exit"]);
    expect(stdout).toMatch(/^1 \d+\n$/);
    expect((await container.run(["cat", "/proc/1/comm"])).stdout).toBe("sleep\n");
  });

  test("is the sandbox's where it is asked for: the second container sees the first", async () => {
    await using pod = await TestAgent.start();
    const request = { sandboxPidns: true };
    await using first = await idleContainer(pod, { request });
    await using second = await idleContainer(pod, { request });
    const [a, b] = [await namespacesOf(first), await namespacesOf(second)];
    expect(b["pid"]).toBe(a["pid"] ?? "");
    const comms = await second.run(["sh", "-c", "cat /proc/[0-9]*/comm"]);
    expect(comms.stdout.split("\n").filter((name) => name === "sleep")).toHaveLength(2);
    const { stdout } = await sh(pod, "echo $$", { request });
    expect(Number(stdout)).toBeGreaterThan(1);
  });

  test("of the sandbox lets execs into a container whose own first process has ended (D7)", async () => {
    await using pod = await TestAgent.start();
    const request = { sandboxPidns: true };
    await using _first = await idleContainer(pod, { request });
    await using second = await startContainer(pod, ["true"], { request });
    expect(await second.wait()).toBe(0);
    expect((await second.run(["cat", "/proc/1/comm"])).stdout).toBe("sleep\n");
  });

  test("of the sandbox refuses execs when the container that it began with has ended (D7)", async () => {
    await using pod = await TestAgent.start();
    const request = { sandboxPidns: true };
    await using first = await idleContainer(pod, { request });
    await using second = await idleContainer(pod, { request });
    await first.signal(9);
    expect(await first.wait()).toBe(137);
    for (const container of [first, second]) {
      await expect(container.run(["true"])).rejects.toThrow("its first process has ended");
    }
  });

  test("of the sandbox outlives every container but the first", async () => {
    await using pod = await TestAgent.start();
    const request = { sandboxPidns: true };
    await using first = await idleContainer(pod, { request });
    await (await idleContainer(pod, { request })).remove();
    await using third = await idleContainer(pod, { request });
    expect((await namespacesOf(third))["pid"]).toBe((await namespacesOf(first))["pid"] ?? "");
  });

  test("of the sandbox is made anew when the container that had it is gone", async () => {
    await using pod = await TestAgent.start();
    const request = { sandboxPidns: true };
    await (await idleContainer(pod, { request })).remove();
    await using second = await idleContainer(pod, { request });
    expect((await second.run(["true"])).status).toBe(0);
  });
});

describeWithAgent("linux.namespaces", (agent) => {
  const others = [{ Type: "ipc" }, { Type: "uts" }, { Type: "mount" }];
  const withNamespaces = (Namespaces: { Type: string; Path?: string }[]) => ({
    linux: { Namespaces },
  });

  test("make new ipc and uts namespaces where there is no sandbox", async () => {
    await using container = await idleContainer(agent(), { spec: { Hostname: "alone" } });
    const own = await namespacesOf(container);
    for (const kind of SHARED) expect(own[kind]).not.toBe(guestNamespace(agent(), kind));
    expect((await container.run(["hostname"])).stdout).toBe("alone\n");
  });

  test("leave the guest's where they do not name a kind", async () => {
    await using container = await idleContainer(agent(), withNamespaces([{ Type: "mount" }]));
    const own = await namespacesOf(container);
    for (const kind of SHARED) expect(own[kind]).toBe(guestNamespace(agent(), kind));
  });

  test("can be a network of its own", async () => {
    const wanted = withNamespaces([...others, { Type: "network" }]);
    const lines = await linesOf(agent(), "cat /proc/net/dev", wanted);
    expect(lines.slice(2).map((line) => line.trim().split(":")[0])).toEqual(["lo"]);
  });

  test("can be joined by a path in the guest", async () => {
    const Path = `/run/${agent().cgroup}-net`;
    const inGuest = (...command: string[]) => {
      const args = ["-t", String(agent().pid), "-m", "-p", ...command];
      return spawnSync("nsenter", args, { encoding: "utf8" }).stdout.trim();
    };
    inGuest("touch", Path);
    inGuest("unshare", `--net=${Path}`, "true");
    await using container = await idleContainer(
      agent(),
      withNamespaces([...others, { Type: "network", Path }]),
    );
    const { net = "" } = await namespacesOf(container);
    expect(net).toBe(`net:[${inGuest("stat", "-c", "%i", Path)}]`);
    expect(net).not.toBe(guestNamespace(agent(), "net"));
  });

  test.each([
    ["a kind that there is none of", [...others, { Type: "planet" }], "planet"],
    ["one kind twice", [...others, { Type: "ipc" }], "namespace ipc is listed twice"],
    ["no mount namespace", [{ Type: "ipc" }], "a container needs a mount namespace"],
    ["a relative path", [...others, { Type: "network", Path: "run/net" }], "is not absolute"],
    ["a user namespace without id maps", [...others, { Type: "user" }], "idmapping"],
  ])("are refused with %s", async (_, Namespaces, words) => {
    // Masked paths alone would ask for a mount namespace.
    const linux = { Namespaces, MaskedPaths: [], ReadonlyPaths: [] };
    await expect(createContainer(agent(), ["true"], { linux })).rejects.toThrow(words);
  });

  test("are refused with a path that leads nowhere, and nothing is left of the container", async () => {
    const before = agent().held();
    const wanted = withNamespaces([...others, { Type: "network", Path: "/run/nowhere" }]);
    const created = createContainer(agent(), ["true"], wanted);
    await expect(created).rejects.toThrow("open the network namespace /run/nowhere: ENOENT");
    expect(agent().held()).toEqual(before);
  });
});
