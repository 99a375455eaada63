// What a process writes reaches the host in full and in order, however it ends and however slowly it
// is read (users.md P1 to P5).
import { expect, test } from "bun:test";
import { Health } from "../../src/gen/health_pb.ts";
import { bulkData, difference, rootfsWithData } from "../support/bulk-data.ts";
import { type TestProcess, idleContainer, sh } from "../support/container.ts";
import { inParallel } from "../support/in-parallel.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const LONG_MS = 120_000;
const MiB = 1 << 20;
const SIZES = [1, 4095, 4096, 65_536, 65_537, MiB];

/** All of `stream`, then the exit status. */
async function drain(process: TestProcess, stream: "readStdout" | "readStderr" = "readStdout") {
  const output = await process.readToEnd(stream);
  return { output, status: await process.wait() };
}

describeWithAgent("the output of a process that ends at once", (agent) => {
  const write = (size: number) => ["head", "-c", `${size}`, "/data"];
  const writeToStderr = (size: number) => ["sh", "-c", `exec head -c ${size} /data >&2`];

  /** With the sizes, a thousand in all. */
  test.each([
    ["standard output", 100, "readStdout", write, {}],
    ["standard error", 33, "readStderr", writeToStderr, {}],
    ["a terminal", 34, "readStdout", write, { Terminal: true }],
  ] as const)(
    "is complete on %s, each time, 16 at a time",
    async (_, rounds, stream, argsFor, change) => {
      const rootfs = rootfsWithData(agent().rootfs());
      await using container = await idleContainer(agent(), { rootfs });
      const sizes = SIZES.flatMap((size) => Array.from({ length: rounds }, () => size));
      const wrong = await inParallel(16, sizes, async (size) => {
        const { output, status } = await drain(await container.exec(argsFor(size), change), stream);
        const what = difference(output, bulkData.subarray(0, size));
        return what === "" && status === 0 ? [] : [`${size}: status ${status}: ${what}`];
      });
      expect(wrong.flat()).toEqual([]);
    },
    LONG_MS,
  );

  test("can be read after the end, as often as asked, and ends there", async () => {
    const rootfs = rootfsWithData(agent().rootfs());
    await using container = await idleContainer(agent(), { rootfs });
    const exec = await container.exec(["head", "-c", "60000", "/data"]);
    expect(difference(await exec.readToEnd(), bulkData.subarray(0, 60_000))).toBe("");
    for (const _ of [1, 2, 3]) expect(await exec.read()).toHaveLength(0);
    expect(await exec.wait()).toBe(0);
    await expect(exec.read()).rejects.toThrow("Process not found");
  });

  test("is given in pieces no longer than asked for", async () => {
    const rootfs = rootfsWithData(agent().rootfs());
    await using container = await idleContainer(agent(), { rootfs });
    const exec = await container.exec(["head", "-c", "1000", "/data"]);
    const pieces: Uint8Array[] = [];
    for (;;) {
      const piece = await exec.read("readStdout", 7);
      if (piece.length === 0) break;
      pieces.push(piece);
    }
    expect(pieces.every((piece) => piece.length <= 7)).toBe(true);
    expect(difference(Buffer.concat(pieces), bulkData.subarray(0, 1000))).toBe("");
    expect(await exec.read("readStdout", 0)).toHaveLength(0);
    await exec.wait();
  });
});

describeWithAgent("a process whose child in the background keeps its output open", (agent) => {
  const ROUNDS = 100;
  const scripts = [
    ["a pipe", "echo all of it; tail -f /dev/null &", "all of it\n", {}],
    [
      "a terminal",
      "trap '' HUP; echo all of it; tail -f /dev/null &",
      "all of it\r\n",
      { Terminal: true },
    ],
  ] as const;

  test.each([...scripts])(
    "ends with all its output, on %s",
    async (_, script, expected, change) => {
      await using container = await idleContainer(agent());
      const times: number[] = [];
      for (let i = 0; i < ROUNDS; i++) {
        const from = performance.now();
        const { output, status } = await drain(await container.exec(["sh", "-c", script], change));
        times.push(performance.now() - from);
        expect([output.toString(), status]).toEqual([expected, 0]);
      }
      // The child would go on for ever, so it is no wait for it that this allows for.
      expect(times.toSorted((a, b) => a - b)[ROUNDS / 2]).toBeLessThan(200);
    },
    LONG_MS,
  );

  test("ends for a read that comes long after it, too", async () => {
    await using container = await idleContainer(agent());
    const exec = await container.exec(["sh", "-c", "echo all of it; tail -f /dev/null & exit 4"]);
    const other = await container.exec(["true"]);
    await drain(other);
    expect((await exec.readToEnd()).toString()).toBe("all of it\n");
    expect(await exec.wait()).toBe(4);
  });

  test("does not keep a container from ending either", async () => {
    const script = "echo all of it; tail -f /dev/null & exit 5";
    const { status, stdout } = await sh(agent(), script);
    expect([status, stdout]).toEqual([5, "all of it\n"]);
  });
});

describeWithAgent("reads that wait", (agent) => {
  const MANY = 200;

  test(
    "can be many, of as many processes, and each gets its own",
    async () => {
      await using container = await idleContainer(agent());
      const numbers = [...Array(MANY).keys()];
      const execs = await inParallel(8, numbers, () => container.exec(["cat"]));
      const reads = execs.map((exec) => exec.readToEnd());
      await inParallel(8, numbers, async (number) => {
        await execs[number]?.write(`for ${number}: `);
        await execs[number]?.write(bulkData.subarray(number, number + 1000));
        await execs[number]?.closeStdin();
      });
      const wanted = numbers.map((number) => {
        return `for ${number}: ${bulkData.subarray(number, number + 1000)}`;
      });
      expect((await Promise.all(reads)).map(String)).toEqual(wanted);
      await Promise.all(execs.map((exec) => exec.wait()));
    },
    LONG_MS,
  );

  test("of one stream are answered in their order", async () => {
    await using container = await idleContainer(agent());
    const exec = await container.exec(["cat"]);
    const reads = Array.from({ length: MANY }, () => exec.read("readStdout", 3));
    for (let number = 0; number < MANY; number++) await exec.write(`${number}`.padStart(3));
    const texts = (await Promise.all(reads)).map((bytes) => Number(Buffer.from(bytes).toString()));
    expect(texts).toEqual([...Array(MANY).keys()]);
    await exec.closeStdin();
    expect((await drain(exec)).output).toHaveLength(0);
  });

  test("end when the container is removed", async () => {
    const container = await idleContainer(agent());
    const exec = await container.exec(["cat"]);
    const reads = [exec, container].flatMap((each) => [each.read(), each.read("readStderr")]);
    const answers = Promise.all(reads);
    await container.remove();
    expect((await answers).map((bytes) => bytes.length)).toEqual([0, 0, 0, 0]);
  });
});

describeWithAgent("64 MiB of output to a reader that takes its time", (agent) => {
  test(
    "lose nothing and hold nobody up: the program waits, and Check is answered meanwhile",
    async () => {
      const rootfs = rootfsWithData(agent().rootfs());
      await using container = await idleContainer(agent(), { rootfs });
      const script = "for i in $(seq 64); do cat /data; done";
      const exec = await container.exec(["sh", "-c", script]);
      const latencies: number[] = [];
      let received = 0;
      for (;;) {
        const bytes = await exec.read("readStdout", 256 << 10);
        if (bytes.length === 0) break;
        const at = received % MiB;
        const wanted = Buffer.concat([bulkData.subarray(at), bulkData]).subarray(0, bytes.length);
        expect(difference(bytes, wanted)).toBe("");
        received += bytes.length;
        latencies.push(await timeOfCheck());
      }
      expect(received).toBe(64 * MiB);
      expect(await exec.wait()).toBe(0);
      const sorted = latencies.toSorted((a, b) => a - b);
      const [median, longest] = [sorted[sorted.length >> 1], sorted.at(-1)];
      console.log(
        `Check meanwhile: median ${median?.toFixed(2)} ms, longest ${longest?.toFixed(2)} ms`,
      );
    },
    LONG_MS,
  );

  /** The reader is as slow as these are: each read waits for one. */
  async function timeOfCheck(): Promise<number> {
    const from = performance.now();
    await agent().client.call(Health.method.check, {});
    return performance.now() - from;
  }
});
