// The built-in console on a bare connection, as where the guest has no terminals.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveBuiltIn } from "../../../src/guest/built-in-console.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { writeAll } from "../../../src/kernel/relay.ts";
import { readAll } from "../../support/child.ts";
import { socketPair } from "../../support/listen.ts";
import { randomText, seeded } from "../../support/random.ts";

const SOURCES = {
  containers: () => [],
  recentLines: () => ["a line\n"],
  state: async () => "kata_agent_children 2",
};
const NEVER = new AbortController().signal;

/** All that is answered to `text`, which is followed by the end of the connection. */
async function answers(text: string): Promise<string> {
  const [near, far] = socketPair();
  const [client, stream] = [new Fd(near), new Fd(far)];
  const over = serveBuiltIn(stream, SOURCES, NEVER).then(() => stream.close());
  await writeAll(client, new TextEncoder().encode(text));
  const heard = readAll(client);
  await over;
  const all = await heard;
  client.close();
  return all;
}

test("lines end as terminals, sockets and telnet end them", async () => {
  const text = await answers("log 1\rlog 1\nlog 1\r\nexit\n");
  expect(text.match(/a line\n/g)).toHaveLength(3);
});

test("the agent is told in numbers, and what a directory holds with what its links say", async () => {
  expect(await answers("state\nexit\n")).toContain("kata_agent_children 2\n");
  const directory = mkdtempSync(join(tmpdir(), "kata-agent-ls-"));
  writeFileSync(join(directory, "file"), "");
  symlinkSync("/nowhere", join(directory, "link"));
  expect(await answers(`ls ${directory}\nexit\n`)).toContain("file\nlink -> /nowhere\n");
  rmSync(directory, { recursive: true });
  expect(await answers("ls\nexit\n")).toContain("proc\n");
  expect(await answers("ls /proc/self/fd\nexit\n")).toMatch(/\d+ -> \S+/);
});

test("nobody waits for what comes after exit", async () => {
  expect(await answers("exit\nlog 1\n")).not.toContain("a line");
});

test("whatever is typed, it answers, and steers no terminal", async () => {
  const random = seeded(11);
  for (let i = 0; i < 50; i++) {
    // A file of that name could be there, and be anything.
    const typed = randomText(random, 300).replaceAll("cat", "dog");
    const text = await answers(`${typed}\nexit\n`);
    expect(text).toEndWith("kata-agent> ");
    expect(text).not.toMatch(/[^\P{Cc}\n\t]/u);
  }
});

test("a connection that is lost ends it", async () => {
  const [near, far] = socketPair();
  const stream = new Fd(far);
  const over = serveBuiltIn(stream, SOURCES, NEVER);
  new Fd(near).close();
  await over;
  stream.close();
});

test("who is told to end while nothing is typed ends", async () => {
  const [near, far] = socketPair();
  const [client, stream] = [new Fd(near), new Fd(far)];
  const end = new AbortController();
  const over = serveBuiltIn(stream, SOURCES, end.signal);
  end.abort();
  await over;
  for (const fd of [client, stream]) fd.close();
});
