// GetDiagnosticData: rpc.md 6.17, and scenario 22 of 11.11.
import { spawnSync } from "node:child_process";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { type Wanted, createContainer, startContainer } from "../support/container.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;
const LOG = "/dev/termination-log";
const Annotations = { "io.kubernetes.container.terminationMessagePath": LOG };

describeWithAgent("GetDiagnosticData", (agent) => {
  let serial = 0;
  const fresh = () => join(agent().directory, `log-${++serial}`);
  const ask = (containerId: string, logType = "termination_log") =>
    agent().client.call(method.getDiagnosticData, { containerId, logType });
  const wanted = (source: string): Wanted => ({
    spec: { Annotations },
    mounts: [{ destination: LOG, type: "bind", source, options: ["bind", "rw"] }],
  });

  test("gives what the program has written, after its end too, until it is removed", async () => {
    const source = fresh();
    writeFileSync(source, "");
    const script = `printf 'out of cheese' > ${LOG}; exit 3`;
    const container = await startContainer(agent(), ["sh", "-c", script], wanted(source));
    const { containerId } = container;
    expect(await container.wait()).toBe(3);
    expect(await ask(containerId)).toMatchObject({ data: "out of cheese" });
    await container.remove();
    const { code, message } = await refusalOf(ask(containerId));
    expect(code).toBe(Code.INTERNAL);
    expect(message).toContain("Invalid container id");
  });

  test("gives 4096 bytes of a file of 10 MiB, nothing of a missing one, and no half characters", async () => {
    const source = fresh();
    writeFileSync(source, `${"x".repeat(4095)}ä`);
    await using container = await createContainer(agent(), ["true"], wanted(source));
    const { containerId } = container;
    expect((await ask(containerId)).data).toBe(`${"x".repeat(4095)}\ufffd`);
    truncateSync(source, 10 << 20);
    expect((await ask(containerId)).data).toHaveLength(4096);
    spawnSync("rm", [source]);
    expect(await ask(containerId)).toMatchObject({ data: "" });
  });

  test("does not wait for a FIFO, and opens no device", async () => {
    const source = fresh();
    writeFileSync(source, "");
    await using container = await createContainer(agent(), ["true"], wanted(source));
    for (const command of [
      ["mkfifo", source],
      ["mknod", source, "c", "1", "5"],
      ["mkdir", source],
    ]) {
      spawnSync("rm", [source]);
      spawnSync(command[0] ?? "", command.slice(1));
      const refusal = await refusalOf(ask(container.containerId));
      expect(refusal).toEqual({
        code: Code.INTERNAL,
        message: `Failed to read termination log: ${source} is not a regular file`,
      });
    }
    await agent().client.call(Health.method.check, {});
  });

  test("is refused for another kind, and where the spec says nothing of such a file", async () => {
    await using plain = await createContainer(agent(), ["true"]);
    expect(await refusalOf(ask(plain.containerId, "core_dump"))).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: 'unsupported diagnostic log_type: "core_dump"',
    });
    expect(await refusalOf(ask(plain.containerId))).toEqual({
      code: Code.INTERNAL,
      message: "No terminationMessagePath annotation",
    });
    await using mountless = await createContainer(agent(), ["true"], { spec: { Annotations } });
    expect(await refusalOf(ask(mountless.containerId))).toEqual({
      code: Code.INTERNAL,
      message: `termination message mount not found for "${LOG}"`,
    });
  });
});
