// Hooks of the guest's image, from CreateSandbox's guest_hook_path, beside those of the spec; and what
// the agent can be told of hooks.
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { TestAgent, missing } from "../support/agent.ts";
import { createContainer, startContainer } from "../support/container.ts";
import { logIn, looking, script, sights } from "../support/hooks.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { createSandbox } = AgentService.method;

async function createPod(agent: TestAgent, guestHookPath: string): Promise<void> {
  await agent.client.call(createSandbox, { hostname: "pod", guestHookPath });
}

describeWithAgent("hooks of the guest", (agent) => {
  test("run after those of the spec of their kind, in the order of their names", async () => {
    const rootfs = agent().rootfs();
    const log = logIn(rootfs);
    const directory = join(agent().directory, "hooks");
    for (const kind of ["prestart", "createRuntime", "createContainer", "poststart", "poststop"])
      for (const name of ["20-b", "10-a"])
        script(join(directory, kind, name), looking(`${kind}/${name}`, log));
    const own = (name: string) => [{ Path: script(join(rootfs, name), looking(name, log)) }];
    const Hooks = { Prestart: own("prestart"), Poststop: own("poststop") };
    await createPod(agent(), directory);
    const id = agent().freshId();
    {
      await using container = await startContainer(agent(), ["true"], {
        id,
        rootfs,
        spec: { Hooks },
      });
      await container.wait();
      const config = `/proc/${agent().pid}/root/run/kata-containers/${id}/config.json`;
      const { hooks } = JSON.parse(readFileSync(config, "utf8"));
      expect(hooks["createRuntime"]).toEqual([
        { path: `${directory}/createRuntime/10-a`, args: ["10-a", "createRuntime"] },
        { path: `${directory}/createRuntime/20-b`, args: ["20-b", "createRuntime"] },
      ]);
      expect(hooks["prestart"]).toHaveLength(3);
    }
    expect(sights(log).map(({ name }) => name)).toEqual([
      "prestart",
      "prestart/10-a",
      "prestart/20-b",
      "createRuntime/10-a",
      "createRuntime/20-b",
      "createContainer/10-a",
      "createContainer/20-b",
      "poststart/10-a",
      "poststart/20-b",
      "poststop",
      "poststop/10-a",
      "poststop/20-b",
    ]);
  });

  test("are plain files that somebody may execute, and nothing else", async () => {
    const rootfs = agent().rootfs();
    const directory = join(agent().directory, "mixed");
    const log = logIn(rootfs);
    const real = script(join(directory, "prestart/real"), looking("real", log));
    chmodSync(script(join(directory, "prestart/data"), looking("data", log)), 0o644);
    symlinkSync(real, join(directory, "prestart/link"));
    mkdirSync(join(directory, "prestart/directory"));
    script(join(directory, "poststop"), looking("file instead of a directory", log));
    script(join(directory, "startContainer/inside"), looking("inside", log));
    await createPod(agent(), directory);
    {
      await using container = await startContainer(agent(), ["true"], { rootfs });
      await container.wait();
    }
    expect(sights(log).map(({ name }) => name)).toEqual(["real"]);
    expect(agent().log).toContain(`${directory}/startContainer`);
  });

  test("fail nothing but themselves", async () => {
    const rootfs = agent().rootfs();
    const directory = join(agent().directory, "failing");
    const log = logIn(rootfs);
    script(join(directory, "prestart/1-fail"), "exit 7");
    script(join(directory, "prestart/2-look"), looking("behind", log));
    await createPod(agent(), directory);
    {
      await using container = await startContainer(agent(), ["true"], { rootfs });
      expect(await container.wait()).toBe(0);
    }
    expect(sights(log).map(({ name }) => name)).toEqual(["behind"]);
    expect(agent().log).toContain("it ended with status 7");
  });

  test("come from a directory with an absolute path, which need not be there", async () => {
    await createPod(agent(), "/nowhere");
    await using _ = await createContainer(agent(), ["true"]);
    for (const path of ["hooks", "./hooks", "/ho\0oks"]) {
      const { code, message } = await refusalOf(createPod(agent(), path));
      expect(code).toBe(Code.INVALID_ARGUMENT);
      expect(message).toStartWith("guest_hook_path: ");
    }
  });
});

const why = missing === undefined ? "" : ` (skipped: needs ${missing})`;

describe.skipIf(missing !== undefined)(`an agent that is told${why}`, () => {
  /** What a pod with a failing hook of the guest's and a container with one of its own come to. */
  async function failures(toml: string): Promise<readonly string[]> {
    await using agent = await TestAgent.start(toml);
    const directory = join(agent.directory, "hooks");
    script(join(directory, "createRuntime/fail"), "exit 1");
    const own = script(join(agent.directory, "own"), "exit 2");
    await createPod(agent, directory);
    const outcome = async (spec: object) => {
      try {
        await using _ = await createContainer(agent, ["true"], { spec });
        return "created";
      } catch (error) {
        return String(error);
      }
    };
    const Hooks = { Prestart: [{ Path: own }] };
    return [await outcome({}), await outcome({ Hooks })];
  }

  test.each([
    ["spec", [/^created$/, /prestart hook 0 .*status 2/]],
    ["all", [/createRuntime hook 0 .*status 1/, /prestart hook 0 .*status 2/]],
    ["none", [/^created$/, /^created$/]],
  ])("agent.hook_errors=%s", async (word, expected) => {
    const outcomes = await failures(`hook_errors = "${word}"`);
    for (const [index, outcome] of outcomes.entries()) {
      expect(outcome).toMatch(expected[index] ?? /nothing else/);
    }
  });

  test("agent.hook_timeout ends the hooks that have no timeout of their own after it", async () => {
    await using agent = await TestAgent.start("hook_timeout = 1");
    const path = script(join(agent.directory, "slow"), "sleep 1000");
    const spec = { Hooks: { Prestart: [{ Path: path }] } };
    const { message } = await refusalOf(createContainer(agent, ["true"], { spec }));
    expect(message).toContain("it has not ended within 1 s");
  });
});
