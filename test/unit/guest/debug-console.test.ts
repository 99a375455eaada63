// The debug console over a unix socket, which to it is as good as vsock.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../../src/async/until.ts";
import {
  type ConsoleOptions,
  MAX_SESSIONS,
  serveConsole,
  serveDevice,
} from "../../../src/guest/debug-console.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { listenOn } from "../../../src/kernel/listener.ts";
import { openPty } from "../../../src/kernel/pty.ts";
import { writeText } from "../../../src/linux/io.ts";
import { attempt } from "../../../src/kernel/perform.ts";
import { openPtyPeer } from "../../../src/linux/tty.ts";
import { readNow, reapInThisFile } from "../../support/child.ts";
import { ConsoleClient } from "../../support/console-client.ts";
import { freshName } from "../../support/listen.ts";

reapInThisFile();

const TABLE = join(import.meta.dir, "../../../src/linux/table.ts");
const NO_SHELLS = ["/nowhere/sh", "/dev/null", "/dev/null/sh"];

type Served = { readonly connect: () => Promise<ConsoleClient>; readonly reports: string[] };

function serve(shells: readonly string[]): Served {
  const path = freshName();
  const reports: string[] = [];
  const listener = listenOn({ family: "unix", path }, path);
  void serveConsole(listener, optionsWith(shells, reports));
  return { connect: () => ConsoleClient.open(path), reports };
}

function optionsWith(shells: readonly string[], reports: string[]): ConsoleOptions {
  return {
    shells,
    environment: ["PATH=/usr/bin:/bin", "PS1=ready> ", "GREETING=hello"],
    ignoredSignals: [13, 25],
    sources: {
      containers: () => [{ id: "c1", status: "running", pid: 4711 }],
      state: async () => "",
      recentLines: () => ["first\n", "second\n", "third \x1b[2J\n"],
    },
    report: (message, error) => void reports.push(`${message}: ${error}`),
  };
}

describe("a shell", () => {
  let served: Served;
  beforeAll(() => void (served = serve(["/nowhere/sh", "/bin/sh"])));

  test("has a terminal of its own, with echo, and the environment that is given", async () => {
    using first = await served.connect();
    using second = await served.connect();
    const terminals = [first, second].map(async (client) => {
      await client.until(/ready> $/);
      client.say('tty; echo "<$GREETING>"; exit\n');
      const [, terminal] = await client.until(/^(\/dev\/pts\/\d+)\r$/m);
      expect(await client.rest()).toMatch(/^ready> tty; echo .*\r\n[^]*<hello>\r\n/);
      return terminal;
    });
    const [a, b] = await Promise.all(terminals);
    expect(a).not.toBe(b);
  });

  test("has the controlling terminal, and nothing of the agent's", async () => {
    using client = await served.connect();
    await client.until(/ready> $/);
    client.say("readlink /proc/$$/fd/* ; grep SigIgn /proc/self/status; cat /dev/tty\n");
    await client.until(/SigIgn:/);
    client.say("\x04exit\n");
    const text = await client.rest();
    const open = [...text.matchAll(/^(\/\S+)\r$/gm)].map(([, path]) => path);
    expect(open.length).toBeGreaterThanOrEqual(3);
    expect(open.filter((path) => !/^\/dev\/(pts\/\d+|tty)$/.test(path ?? ""))).toEqual([]);
    expect(text).toMatch(/SigIgn:\s+0+\r$/m);
  });

  test("that ends has sent all that it said", async () => {
    using client = await served.connect();
    await client.until(/ready> $/);
    client.say("seq 1 50000; exit\n");
    const text = await client.rest();
    const numbers = text.match(/^\d+(?=\r$)/gm) ?? [];
    expect(numbers.length).toBe(50_000);
    expect(numbers.every((number, at) => Number(number) === at + 1)).toBe(true);
  });

  test("that ends ends the connection, also if a program in the background lives on", async () => {
    using client = await served.connect();
    client.say('sh -c "trap \\"\\" HUP; exec sleep 1000" & echo "<$!>"; exit\n');
    const [, pid] = await client.until(/<(\d+)>/);
    await client.rest();
    process.kill(Number(pid), "SIGKILL");
  });

  test("does not outlive its connection", async () => {
    const client = await served.connect();
    await client.until(/ready> $/);
    client.say("echo pid $$\n");
    const [, pid] = await client.until(/^pid (\d+)\r$/m);
    client[Symbol.dispose]();
    expect(await until(() => !existsSync(`/proc/${pid}`), 5000)).toBe(true);
  });

  test("whose output nobody reads makes the shell wait, not the agent grow", async () => {
    using client = await served.connect();
    await client.until(/ready> $/);
    client.say("echo pid $$; exec cat /dev/zero\n");
    const [, pid] = await client.until(/^pid (\d+)\r$/m);
    client.pause();
    // What is written to a terminal waits in no sleep that can be told from others but for its place.
    const isWaiting = () => readFileSync(`/proc/${pid}/stat`, "utf8").includes(") S ");
    expect(await until(isWaiting, 5000)).toBe(true);
    expect(client.text.length).toBeLessThan(16 << 20);
  });

  test("is said to nobody to be missing", () => {
    expect(served.reports).toEqual([]);
  });
});

describe("connections", () => {
  test(`beyond ${MAX_SESSIONS} are closed as they come, and there is room again afterwards`, async () => {
    const { connect, reports } = serve(["/bin/sh"]);
    using clients = new DisposableStack();
    const first = await connect();
    for (let i = 1; i < MAX_SESSIONS; i++) {
      const client = clients.use(await connect());
      await client.until(/ready> /);
    }
    await first.until(/ready> /);
    using refused = await connect();
    expect(await refused.rest()).toBe("");
    expect(reports).toEqual([`connection closed: ${MAX_SESSIONS} are open`]);
    first.say("exit\n");
    await first.rest();
    using next = await connect();
    await next.until(/ready> /);
  });
});

describe("a guest without a shell", () => {
  let served: Served;
  beforeAll(() => void (served = serve(NO_SHELLS)));
  afterAll(() => expect(served.reports[0]).toStartWith("no shell: TapeError: execute /dev/null"));

  /** The answer to one command. */
  async function answer(command: string): Promise<string> {
    using client = await served.connect();
    client.say(`${command}\nexit\n`);
    const text = (await client.rest()).replaceAll("\r\n", "\n");
    const [, answered] = /^kata-agent> (?:[^\n]*\nexit\n)?([^]*?)kata-agent> /m.exec(text) ?? [];
    return answered?.replace(`${command}\n`, "") ?? text;
  }

  test("says so, echoes what is typed, and ends with ^D", async () => {
    using client = await served.connect();
    await client.until(/^This guest has no shell\..*\r\nkata-agent> $/);
    client.say("hel\x7flp\r");
    await client.until(/dmesg/);
    client.say("\x04");
    expect(await client.rest()).toEndWith("kata-agent> ");
  });

  test("lists containers", async () => {
    expect(await answer("containers")).toBe("CONTAINER  STATUS   PID\nc1         running  4711\n");
  });

  test("lists processes, the agent among them", async () => {
    expect(await answer("ps")).toMatch(new RegExp(`^${process.pid} +${process.ppid} +[RS] `, "m"));
  });

  test("lists mounts", async () => {
    expect(await answer("mounts")).toMatch(/^proc on \/proc type proc \(rw.*\)$/m);
  });

  test("shows the end of the agent's log, and nothing that steers a terminal", async () => {
    expect(await answer("log 2")).toBe("second\nthird ?[2J\n");
    expect(await answer("log")).toStartWith("first\n");
    expect(await answer("log x")).toBe("want a number of lines\n");
  });

  test("shows a file, of a disk or of the kernel", async () => {
    expect(await answer(`cat ${TABLE}`)).toBe(readFileSync(TABLE, "utf8"));
    expect(await answer("cat /proc/version")).toBe(readFileSync("/proc/version", "utf8"));
  });

  test("shows the beginning of a file without an end", async () => {
    using client = await served.connect();
    client.say("cat /dev/zero\nexit\n");
    expect((await client.rest()).match(/\0/g)).toHaveLength(1 << 20);
  });

  test.each([
    ["cat /nowhere", "open /nowhere: ENOENT: No such file or directory\n"],
    ["cat /proc", "read /proc: EISDIR: Is a directory\n"],
    ["cat", "want a file\n"],
    ["reboot now", "reboot: there is no such command, see help\n"],
    ["\t", ""],
  ])("answers %j", async (command, expected) => {
    expect(await answer(command)).toBe(expected);
  });

  test("has room for a line of any length", async () => {
    using client = await served.connect();
    client.say(`${"x".repeat(100_000)}\nlog 1\nexit\n`);
    expect(await client.rest()).toContain("third");
  });
});

describe("the guest's own console", () => {
  /** A terminal that does not hang up when nobody has it open, as /dev/console is. */
  function device() {
    const master = openPty();
    const peer = Fd.of("open its far end", openPtyPeer(master.number));
    return { master, peer, path: readlinkSync(`/proc/self/fd/${peer.number}`) };
  }

  async function heard(master: Fd, pattern: RegExp): Promise<string> {
    let text = "";
    const isHeard = () => {
      text += new TextDecoder().decode(readNow(master));
      return pattern.test(text);
    };
    if (await until(isHeard, 5000)) return text;
    throw new Error(text);
  }

  test("has a shell until that ends", async () => {
    const { master, peer, path } = device();
    using _ = master;
    using __ = peer;
    const over = serveDevice(path, optionsWith(["/bin/sh"], []));
    await heard(master, /ready> $/);
    attempt(writeText(master.number, "tty; echo $-; exit\n"));
    const text = await heard(master, /^[a-z]*i[a-z]*\r$/im);
    expect(text).toContain(`\r\n${path}\r\n`);
    await over;
  });

  test("has what is built in where there is no shell", async () => {
    const { master, peer, path } = device();
    using _ = master;
    using __ = peer;
    const reports: string[] = [];
    const over = serveDevice(path, optionsWith(NO_SHELLS, reports));
    attempt(writeText(master.number, "log 1\nexit\n"));
    await heard(master, /third/);
    await over;
    expect(reports).toHaveLength(1);
  });

  test("that is not there is an error", async () => {
    const options = optionsWith(NO_SHELLS, []);
    await expect(serveDevice("/nowhere", options)).rejects.toThrow("open /nowhere: ENOENT");
  });
});
