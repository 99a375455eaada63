// What the host writes reaches the process in full and in order, and ends when it says so
// (users.md P3).
import { expect, test } from "bun:test";
import { bulkData, difference } from "../support/bulk-data.ts";
import { createContainer, idleContainer } from "../support/container.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const LONG_MS = 60_000;
const MiB = 1 << 20;

describeWithAgent("standard input", (agent) => {
  test(
    "takes 64 MiB and ends when it is closed",
    async () => {
      await using container = await idleContainer(agent());
      const exec = await container.exec(["wc", "-c"]);
      const chunk = new Uint8Array(MiB);
      for (let i = 0; i < 64; i++) expect(await exec.write(chunk)).toBe(MiB);
      await exec.closeStdin();
      expect((await exec.readToEnd()).toString()).toBe(`${64 * MiB}\n`);
      expect(await exec.wait()).toBe(0);
    },
    LONG_MS,
  );

  test("comes back whole from cat, written and read at once", async () => {
    await using container = await idleContainer(agent());
    const exec = await container.exec(["cat"]);
    const written = (async () => {
      for (let at = 0; at < bulkData.length; at += 100_000)
        await exec.write(bulkData.subarray(at, at + 100_000));
      await exec.closeStdin();
    })();
    expect(difference(await exec.readToEnd(), bulkData)).toBe("");
    await written;
    expect(await exec.wait()).toBe(0);
  });

  test("of one write at a time is in one piece, and in the order of the calls", async () => {
    await using container = await idleContainer(agent());
    const exec = await container.exec(["cat"]);
    const lines = Array.from({ length: 200 }, (_, i) => `${i} ${"x".repeat(2000)}\n`);
    const writes = lines.map((line) => exec.write(line));
    const closed = exec.closeStdin();
    expect((await exec.readToEnd()).toString()).toBe(lines.join(""));
    await Promise.all([...writes, closed]);
    expect(await exec.wait()).toBe(0);
  });

  test("may be closed twice, by CloseStdin and by a write of nothing", async () => {
    await using container = await idleContainer(agent());
    for (const [first, second] of [
      ["close", "write"],
      ["write", "close"],
      ["close", "close"],
      ["write", "write"],
    ]) {
      const exec = await container.exec(["cat"]);
      for (const way of [first, second]) {
        if (way === "close") await exec.closeStdin();
        else expect(await exec.write("")).toBe(0);
      }
      await expect(exec.write("more")).rejects.toThrow("Cannot get writer");
      expect(await exec.outcome()).toEqual({ status: 0, stdout: "", stderr: "" });
    }
  });

  test("may be closed before the container is started", async () => {
    await using container = await createContainer(agent(), ["cat"]);
    await container.write("from before\n");
    await container.closeStdin();
    await container.start();
    expect(await container.outcome()).toEqual({ status: 0, stdout: "from before\n", stderr: "" });
  });

  test("that nobody reads is an error at once, not a wait", async () => {
    await using container = await idleContainer(agent());
    const exec = await container.exec(["sh", "-c", "exec 0<&-; echo closed; exec sleep 1000"]);
    await exec.readUntil("closed");
    await expect(exec.write("data")).rejects.toThrow("EPIPE: Broken pipe");
    const gone = await container.exec(["true"]);
    await gone.readToEnd();
    await expect(gone.write(new Uint8Array(MiB))).rejects.toThrow("EPIPE: Broken pipe");
    expect(await gone.wait()).toBe(0);
  });
});
