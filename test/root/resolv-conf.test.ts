// The guest's resolv.conf, as CreateSandbox says it, in a mount namespace of the agent's own.
import { afterEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { TestAgent, missing } from "../support/agent.ts";
import { refusalOf } from "../support/refusal.ts";

const { method } = AgentService;

const OURS = "/run/kata-containers/sandbox/resolv.conf";

const createSandbox = (agent: TestAgent, dns: readonly string[]) =>
  agent.client.call(method.createSandbox, { sandboxId: "pod", dns: [...dns] });

/** A shell command where the agent sees its files. */
function inside(agent: TestAgent, command: string): string {
  const { stdout } = spawnSync("nsenter", ["-t", String(agent.pid), "-m", "sh", "-c", command]);
  return stdout.toString();
}

/** How often something is mounted there. */
const mounts = (agent: TestAgent) =>
  Number(inside(agent, "grep -c ' /etc/resolv.conf ' /proc/1/mountinfo"));

/** An agent whose /etc is empty but for what `command` makes there. */
async function withEtc(command: string, toml?: string): Promise<TestAgent> {
  const agent = await TestAgent.start(toml);
  inside(agent, `mount -t tmpfs tmpfs /etc && cd /etc && ${command}`);
  return agent;
}

const why = missing === undefined ? "" : ` (skipped: needs ${missing})`;

describe.skipIf(missing !== undefined)(`resolv.conf${why}`, () => {
  let agent: TestAgent | undefined;

  afterEach(async () => {
    await agent?.[Symbol.asyncDispose]();
  });

  test("has the lines that are given, again others, and is mounted once", async () => {
    agent = await withEtc("echo old >resolv.conf");
    // The machine may have mounted one of its own.
    const before = mounts(agent);
    await createSandbox(agent, [
      "nameserver 192.0.2.1 ",
      "\tsearch example.org",
      "options ndots:5",
    ]);
    const text = "nameserver 192.0.2.1\nsearch example.org\noptions ndots:5";
    expect(inside(agent, "cat /etc/resolv.conf")).toBe(text);
    expect(inside(agent, `cat ${OURS}`)).toBe(text);
    expect(mounts(agent)).toBe(before + 1);
    await createSandbox(agent, ["nameserver fd00::1"]);
    expect(inside(agent, "cat /etc/resolv.conf")).toBe("nameserver fd00::1");
    expect(mounts(agent)).toBe(before + 1);
    await createSandbox(agent, []);
    expect(inside(agent, "cat /etc/resolv.conf")).toBe("nameserver fd00::1");
  });

  test("can be in a root that nobody can write, and be a link", async () => {
    agent = await withEtc(
      "echo stub >stub.conf && ln -s stub.conf resolv.conf && mount -o remount,ro /etc",
    );
    await createSandbox(agent, ["nameserver 192.0.2.1"]);
    expect(inside(agent, "cat /etc/resolv.conf /etc/stub.conf")).toBe(
      "nameserver 192.0.2.1".repeat(2),
    );
  });

  test.each([
    ["is not there", "true"],
    ["is a link to nothing", "ln -s nowhere resolv.conf"],
  ])("that %s stays so", async (_, command) => {
    agent = await withEtc(command);
    const before = mounts(agent);
    await createSandbox(agent, ["nameserver 192.0.2.1"]);
    expect(inside(agent, "cat /etc/resolv.conf")).toBe("");
    expect(mounts(agent)).toBe(before);
  });

  test("stays the guest's own where the agent is told so", async () => {
    agent = await withEtc("echo old >resolv.conf", "set_resolv_conf = false");
    const before = mounts(agent);
    await createSandbox(agent, ["nameserver 192.0.2.1"]);
    expect(inside(agent, "cat /etc/resolv.conf")).toBe("old\n");
    expect(mounts(agent)).toBe(before);
    // What the host sends is read all the same.
    const refusal = await refusalOf(createSandbox(agent, ["nameserver \0"]));
    expect(refusal.message).toBe("dns contains NUL");
  });

  test("that is a directory is refused", async () => {
    agent = await withEtc("mkdir resolv.conf");
    const refusal = await refusalOf(createSandbox(agent, ["nameserver 192.0.2.1"]));
    expect(refusal).toEqual({
      code: Code.INTERNAL,
      message: "set up the guest's DNS: /etc/resolv.conf is a directory",
    });
  });

  test.each([
    ["NUL", ["nameserver \0"], "dns contains NUL"],
    ["more than 64 KiB", [`options ${"x".repeat(70_000)}`], "dns: 70008 are more than 65536 bytes"],
  ])("with %s is refused, and nothing is made", async (_, dns, message) => {
    agent = await withEtc("echo old >resolv.conf");
    const refusal = await refusalOf(createSandbox(agent, dns));
    expect(refusal).toEqual({ code: Code.INVALID_ARGUMENT, message });
    expect(inside(agent, `cat /etc/resolv.conf; ls /run/kata-containers`)).toBe("old\n");
  });

  test("is the guest's own again when the pod is over", async () => {
    agent = await withEtc("echo old >resolv.conf");
    const { pid } = agent;
    await createSandbox(agent, ["nameserver 192.0.2.1"]);
    await using keeper = Bun.spawn(["nsenter", "-t", String(pid), "-m", "sleep", "60"]);
    await agent.client.call(method.destroySandbox, {});
    await agent.exited;
    const shown = ["-t", String(keeper.pid), "-m", "cat", "/etc/resolv.conf"];
    expect(spawnSync("nsenter", shown).stdout.toString()).toBe("old\n");
  });
});
