// SCMP_ACT_NOTIFY: somebody else answers for a system call. No message of the protocol can name him.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missing as lacksRoot } from "../support/agent.ts";
import { Engine } from "../support/engine.ts";
import { Notifier, missing as lacksCompiler } from "../support/seccomp-notifier.ts";
import { reapInThisFile } from "../support/child.ts";

const lacking = lacksRoot ?? lacksCompiler;
const why = lacking === undefined ? "" : ` (skipped: needs ${lacking})`;

const PROBE = "mkdir /made; echo";

describe.skipIf(lacking !== undefined)(`a filter that notifies${why}`, () => {
  let engine: Engine;
  let notifier: Notifier;
  const directory = mkdtempSync(join(tmpdir(), "kata-notify-"));
  // The notifier first: a reaper of ours would take the compiler's exit from Bun.
  beforeAll(async () => {
    notifier = new Notifier(directory);
    await notifier.said.until("ready");
  });
  reapInThisFile();
  beforeAll(() => void (engine = new Engine()));
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await notifier[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const seccomp = (change: object = {}) => ({
    defaultAction: "SCMP_ACT_ALLOW",
    listenerPath: notifier.path,
    listenerMetadata: "for the notifier",
    syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" }],
    ...change,
  });

  /** The states that were told of container `id`. */
  const told = async (id: string, count: number): Promise<Record<string, unknown>[]> => {
    const of = () => notifier.said.text.split("\n").filter((line) => line.includes(`"${id}"`));
    const all = new RegExp(`(?:.*"${id}".*\n[^]*){${count}}`);
    await notifier.said.until(all);
    return of().map((line) => JSON.parse(line));
  };

  test.each([true, false])(
    "has its answers for the first process and for execs, with new privileges or not: %p",
    async (noNewPrivileges) => {
      const process = { noNewPrivileges, capabilities: {} };
      const annotations = { a: "b" };
      const linux = { seccomp: seccomp() };
      const change = { process, linux, annotations };
      const id = await engine.create(["sh", "-c", PROBE], change);
      const container = engine.sandbox.container(id);
      const { pid } = container.init.child;
      await container.start();
      expect(await container.init.child.exit).toBe(0);
      const [state] = await told(id, 1);
      expect(state).toEqual({
        ociVersion: "1.2.0",
        fds: ["seccompFd"],
        pid,
        metadata: "for the notifier",
        state: {
          ociVersion: "1.2.0",
          id,
          status: "creating",
          pid,
          bundle: `/run/kata-containers/${id}`,
          annotations,
        },
      });
      const { stderr } = await textOf(container);
      expect(stderr).toContain("mkdir: can't create directory '/made': Invalid cross-device link");
      await engine.sandbox.removeContainer(container);
    },
  );

  test("is told of an exec as a process of a container that runs", async () => {
    const id = await engine.create(["sleep", "1000"], { linux: { seccomp: seccomp() } });
    const container = engine.sandbox.container(id);
    await container.start();
    const [line] = await engine.exec(id, "mkdir /made 2>&1; true");
    expect(line).toContain("Invalid cross-device link");
    const [first, exec] = await told(id, 2);
    const { pid } = container.init.child;
    expect(first).toMatchObject({ pid, state: { status: "creating" } });
    expect(exec).toMatchObject({ state: { status: "running", pid } });
    expect(exec?.["pid"]).not.toBe(pid);
    await engine.sandbox.removeContainer(container);
  });

  test("may ask about the calls that the process makes on its way to the program", async () => {
    const syscalls = [{ names: ["capset", "prctl"], action: "SCMP_ACT_NOTIFY" }];
    const asked = engine.create(["true"], { linux: { seccomp: seccomp({ syscalls }) } });
    await expect(asked).rejects.toThrow("EXDEV");
  });

  test("fails the container by the path where nobody listens, and nothing is left", async () => {
    const listenerPath = join(directory, "nobody.sock");
    const asked = engine.create(["true"], { linux: { seccomp: seccomp({ listenerPath }) } });
    await expect(asked).rejects.toThrow(`connect to ${listenerPath}: ENOENT`);
    expect(engine.sandbox.containers).toEqual([]);
  });

  test("without a rule that notifies has no listener and asks nobody", async () => {
    const profile = seccomp({ syscalls: [], listenerPath: "/nobody" });
    expect(await engine.lines("echo done", { linux: { seccomp: profile } })).toEqual(["done"]);
  });
});

async function textOf(container: ReturnType<Engine["sandbox"]["container"]>) {
  const caller = { signal: new AbortController().signal };
  const data = await container.init.stdio.stderr.read(65_536, caller);
  return { stderr: Buffer.from(data).toString() };
}
