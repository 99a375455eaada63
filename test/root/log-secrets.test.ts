// The log goes to the host, which in a confidential guest is nobody's friend.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createContainer, startContainer } from "../support/container.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const SECRETS = {
  environment: "planted-in-the-environment",
  execEnvironment: "planted-in-the-environment-of-an-exec",
  stdin: "planted-in-stdin",
  file: "planted-in-a-file",
} as const;

const env = (secret: string) => ["PATH=/bin", `TOKEN=${secret}`, `a b=${secret}\n${secret}`];

describeWithAgent("the log at debug level", (agent) => {
  test("tells of calls that work and that fail, and of no environment, stream or file in them", async () => {
    const rootfs = agent().rootfs();
    writeFileSync(join(rootfs, "secret"), SECRETS.file);
    const process = { Env: env(SECRETS.environment) };
    {
      await using container = await startContainer(agent(), ["cat", "/secret", "-"], {
        rootfs,
        process,
      });
      await container.write(SECRETS.stdin);
      await container.closeStdin();
      const { stdout } = await container.outcome();
      expect(stdout).toBe(SECRETS.file + SECRETS.stdin);
    }
    {
      await using container = await startContainer(agent(), ["sleep", "1000"], { process });
      const wrong = container.exec(["nowhere"], { Env: env(SECRETS.execEnvironment) });
      await expect(wrong).rejects.toThrow("nowhere");
      const lost = container.exec(["true"], { Env: env(SECRETS.execEnvironment), Cwd: "/nowhere" });
      await expect(lost).rejects.toThrow("ENOENT");
    }
    await expect(createContainer(agent(), ["nowhere"], { process })).rejects.toThrow("nowhere");

    const lines = agent().log.trimEnd().split("\n");
    const tapes = lines.map((line) => JSON.parse(line)).filter((line) => "tape" in line);
    expect(tapes.length).toBeGreaterThanOrEqual(3);
    // It is there, and only its value is not.
    expect(tapes.some(({ tape }) => tape.includes(`"TOKEN=…"`))).toBe(true);
    expect(tapes.filter(({ tape }) => !tape.includes("\n→ "))).toEqual([]);
    const found = Object.values(SECRETS).filter((secret) => agent().log.includes(secret));
    expect(found).toEqual([]);
  });
});
