// Nothing stays behind, however often something is done and however it ends (users.md P6).
import { expect, test } from "bun:test";
import { type ProcessChange, idleContainer, startContainer } from "../support/container.ts";
import { inParallel } from "../support/in-parallel.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const LONG_MS = 120_000;

/** A kind of exec: what it runs, and what it ends with; a text is why it cannot be made. */
const EXECS: readonly (readonly [string[], ProcessChange, number | string])[] = [
  [["true"], {}, 0],
  [["nope"], {}, "the file nope was not found"],
  [["sh", "-c", "exit 7"], {}, 7],
  [["true"], { Cwd: "/nowhere" }, "change directory to /nowhere"],
  [["tty"], { Terminal: true }, 0],
  [["nope"], { Terminal: true }, "the file nope was not found"],
  [["sh", "-c", "kill -9 $$"], {}, 137],
  [["true"], { User: { UID: 0xffff_ffff } }, "invalid process.user.uid"],
];

describeWithAgent("an agent", (agent) => {
  test(
    "holds after 1,000 execs, half of which failed, what it held before",
    async () => {
      await using container = await idleContainer(agent());
      const before = agent().held();
      const rounds = Array.from({ length: 1000 }, (_, index) => EXECS[index % EXECS.length]);
      const wrong = await inParallel(16, rounds, async (round) => {
        const [args = [], change = {}, expected] = round ?? [];
        const ended = await container.run(args, change).then(
          ({ status }) => status,
          (error: unknown) => String(error),
        );
        const isRight =
          typeof expected === "string" ? `${ended}`.includes(expected) : ended === expected;
        return isRight ? [] : [`${args.join(" ")}: ${ended}`];
      });
      expect(wrong.flat()).toEqual([]);
      await agent().untilHeld(before);
    },
    LONG_MS,
  );

  test(
    "holds after 100 containers what it held before",
    async () => {
      const rootfs = agent().rootfs();
      const before = agent().held();
      for (let i = 0; i < 100; i++) {
        await using container = await startContainer(agent(), ["true"], { rootfs });
        if (i % 2 === 0) await container.wait();
      }
      expect(agent().held()).toEqual(before);
    },
    LONG_MS,
  );

  test(
    "holds after 100 containers at once, with processes of all kinds, what it held before",
    async () => {
      const rootfs = agent().rootfs();
      const before = agent().held();
      await inParallel(10, [...Array(100).keys()], async (number) => {
        await using container = await idleContainer(agent(), { rootfs });
        const exec = await container.exec(["sh", "-c", "sleep 1000 & sleep 1000"]);
        if (number % 2 === 0) void exec.read().catch(() => {});
        if (number % 3 === 0) await container.pause();
      });
      expect(agent().held()).toEqual(before);
    },
    LONG_MS,
  );
});
