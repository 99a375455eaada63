// What is told to modprobe, by one that writes it down: test/vm/modules.test.ts has a real one.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../src/async/until.ts";
import { loadModules } from "../../src/guest/modules.ts";
import { startReaper } from "../../src/kernel/reaper.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { missing } from "../support/agent.ts";
import { script } from "../support/hooks.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { signal } = new AbortController();
const directory = mkdtempSync(join(tmpdir(), "kata-agent-modules-"));
afterAll(() => rmSync(directory, { recursive: true }));

const why = missing === undefined ? "" : ` (skipped: needs ${missing})`;

describe.skipIf(missing !== undefined)(`modprobe${why}`, () => {
  beforeAll(startReaper);
  afterAll(() => void process.removeAllListeners("SIGCHLD"));

  const modprobe = (name: string, text: string) => [script(join(directory, name), text)];

  test("is run for each module in turn, with its parameters as they are", async () => {
    const told = join(directory, "told");
    const paths = modprobe("telling", `printf '%s|' "$@" >> ${told}; echo >> ${told}`);
    await loadModules(
      [
        { name: "first", parameters: ["a=1", "b=$(reboot)"] },
        { name: "second", parameters: [] },
      ],
      signal,
      paths,
    );
    expect(readFileSync(told, "utf8")).toBe("-v|first|a=1|b=$(reboot)|\n-v|second|\n");
  });

  test("that fails says why, and those after it are not loaded", async () => {
    const told = join(directory, "failing-told");
    const paths = modprobe(
      "failing",
      `echo $2 >> ${told}; echo looking; echo FATAL: not found >&2; exit 1`,
    );
    const modules = ["first", "second"].map((name) => ({ name, parameters: [] }));
    await expect(loadModules(modules, signal, paths)).rejects.toThrow(
      "kernel module first: load_kernel_module return code: 1 stdout:looking stderr:FATAL: not found",
    );
    expect(readFileSync(told, "utf8")).toBe("first\n");
  });

  test("that does not come back is ended with its caller", async () => {
    const caller = new AbortController();
    const started = join(directory, "started");
    const paths = modprobe("hanging", `echo > ${started}; sleep 1000`);
    const loading = loadModules([{ name: "slow", parameters: [] }], caller.signal, paths);
    const ended = loading.catch(String);
    await until(() => existsSync(started), 5000);
    caller.abort(new Error("gone"));
    expect(await ended).toBe("Error: gone");
  });

  test("that the guest does not have is named", async () => {
    const loading = loadModules([{ name: "loop", parameters: [] }], signal, ["/no/modprobe"]);
    await expect(loading).rejects.toThrow("the guest has none of /no/modprobe");
  });
});

const { createSandbox } = AgentService.method;

describeWithAgent("CreateSandbox", (agent) => {
  test("refuses a module that is none before anything is made", async () => {
    const before = agent().held();
    const kernelModules = [{ name: "--remove" }];
    expect(await refusalOf(agent().client.call(createSandbox, { kernelModules }))).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: 'kernel module "--remove": invalid name',
    });
    expect(agent().held()).toEqual(before);
  });

  test("can be called again, and keeps what it has made", async () => {
    await agent().client.call(createSandbox, { hostname: "pod", sandboxId: "pod" });
    const before = agent().held();
    await agent().client.call(createSandbox, { hostname: "other", sandboxId: "pod" });
    expect(agent().held()).toEqual(before);
  });
});
