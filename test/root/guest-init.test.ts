// The agent as PID 1 of a guest of namespaces: what it prepares, and how it ends.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync, readlinkSync, statSync } from "node:fs";
import { until } from "../../src/async/until.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { Fd } from "../../src/kernel/fd.ts";
import { attempt } from "../../src/kernel/perform.ts";
import { openPty } from "../../src/kernel/pty.ts";
import { writeText } from "../../src/linux/io.ts";
import { parseMountinfo } from "../../src/linux/mountinfo.ts";
import { openPtyPeer } from "../../src/linux/tty.ts";
import { readNow } from "../support/child.ts";
import { InitAgent, POWERED_OFF, missing } from "../support/init-agent.ts";

/** Each wait ends sooner, and says what it waited for. */
setDefaultTimeout(60_000);

const why = missing === undefined ? "" : ` (skipped: needs ${missing})`;
const describeRoot = (title: string, body: () => void) =>
  describe.skipIf(missing !== undefined)(title + why, body);

describeRoot("a guest whose PID 1 is the agent", () => {
  test("has the file systems, links and names that programs expect, and its loopback is up", async () => {
    await using agent = new InitAgent();
    using client = await agent.connect();
    const details = await client.call(AgentService.method.getGuestDetails, {});
    expect(details.agentDetails?.initDaemon).toBe(true);

    const mounts = parseMountinfo(readFileSync(`/proc/${agent.pid}/mountinfo`, "utf8"));
    const shown = mounts.map(({ fstype, mountPoint, options }) => {
      const flags = ["nosuid", "nodev", "noexec"].filter((flag) => options.includes(flag));
      return `${fstype} ${mountPoint} ${flags}`;
    });
    expect(shown).toEqual(
      expect.arrayContaining([
        "sysfs /sys nosuid,nodev,noexec",
        "tmpfs /dev/shm nosuid,nodev",
        "devpts /dev/pts nosuid,noexec",
        "tmpfs /run nosuid,nodev",
        "cgroup2 /sys/fs/cgroup nosuid,nodev,noexec",
      ]),
    );
    // Whoever has mounted it before the agent has done so for good.
    expect(shown.filter((line) => line.startsWith("proc "))).toHaveLength(1);

    const links = ["ptmx", "fd", "stdin", "stdout", "stderr"].map((name) => `/dev/${name}`);
    expect([...links, "/var/run"].map((path) => agent.link(path))).toEqual([
      "/dev/pts/ptmx",
      "/proc/self/fd",
      "/proc/self/fd/0",
      "/proc/self/fd/1",
      "/proc/self/fd/2",
      "/run",
    ]);
    expect(agent.read("/sys/class/net/lo/flags").trim()).toBe("0x9");
    const name = spawnSync("nsenter", ["-t", String(agent.pid), "-u", "hostname"]);
    expect(name.stdout.toString()).toBe("kata-guest\n");
    const [, , , , , session] = readFileSync(`/proc/${agent.pid}/stat`, "utf8").split(" ");
    expect(session).toBe(String(agent.pid));
  });

  test("says what it lacks and serves all the same", async () => {
    await using agent = new InitAgent();
    using client = await agent.connect();
    await client.call(Health.method.check, {});
    const errors = agent.errors("ERRO");
    // What a user namespace must not do stands for what a guest cannot.
    expect(errors[0]).toBe(
      "not prepared: KernelError: mount devtmpfs on /dev: EPERM: Operation not permitted",
    );
    expect(errors.slice(1).filter((line) => !line.includes("open files: EPERM"))).toEqual([]);
  });

  test("whose root cannot be written serves what it can", async () => {
    await using agent = new InitAgent({ readonly: true });
    using client = await agent.connect();
    await client.call(Health.method.check, {});
    expect(agent.errors("ERRO")).toContain(
      "not prepared: KernelError: make directory /var: EROFS: Read-only file system",
    );
    const mounts = parseMountinfo(readFileSync(`/proc/${agent.pid}/mountinfo`, "utf8"));
    expect(mounts.map(({ mountPoint }) => mountPoint)).toEqual(
      expect.arrayContaining(["/sys", "/run", "/sys/fs/cgroup"]),
    );
  });

  test("runs what it is asked to: the pod's namespaces need what was prepared", async () => {
    await using agent = new InitAgent();
    using client = await agent.connect();
    await client.call(AgentService.method.createSandbox, { hostname: "pod", sandboxId: "pod" });
    expect(statSync(agent.path("/run/sandbox-ns/uts")).isFile()).toBe(true);
    expect(statSync(agent.path("/run/sandbox-ns/uts")).ino).not.toBe(
      statSync(`/proc/${agent.pid}/ns/uts`).ino,
    );
  });

  test("is switched off when the sandbox is destroyed, after the answer", async () => {
    await using agent = new InitAgent();
    using client = await agent.connect();
    await client.call(AgentService.method.destroySandbox, {});
    expect(await agent.ended()).toBe(POWERED_OFF);
    expect(agent.errors("WARN")).toEqual([]);
    expect(agent.errors("CRIT")).toEqual([]);
  });

  test("is switched off, with the reason in the log, when the agent cannot serve", async () => {
    await using agent = new InitAgent({
      env: { KATA_AGENT_SERVER_ADDR: "unix:///nowhere/agent.sock" },
    });
    expect(await agent.ended()).toBe(POWERED_OFF);
    expect(agent.errors("CRIT")[0]).toStartWith(
      "cannot serve: KernelError: bind to unix:///nowhere",
    );
  });

  test("is not stopped by a signal or by ^C on the console, as the kernel keeps them from PID 1", async () => {
    const { terminal, over } = consoleOf();
    using _ = over;
    await using agent = new InitAgent({ stdin: terminal.descriptor });
    using client = await agent.connect();
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const) agent.kill(signal);
    terminal.say("\x03");
    await terminal.until(/\^C/);
    expect(await client.call(Health.method.check, {})).toMatchObject({ status: 1 });
  });

  test("reaps who is left behind by others", async () => {
    const { terminal, over } = consoleOf();
    using _ = over;
    await using agent = new InitAgent({ config: "debug_console = true", console: terminal.path });
    using client = await agent.connect();
    await terminal.until(/[#$] $/);
    terminal.say("for i in 1 2 3 4 5; do (sh -c 'exit 3' & exit 0); done; echo do''ne\n");
    await terminal.until(/done/);
    const zombies = () => {
      const { stdout } = spawnSync("ps", ["-o", "stat=", "--ppid", String(agent.pid)]);
      return stdout.toString().match(/^Z/gm) ?? [];
    };
    expect(await until(() => zombies().length === 0, 5000)).toBe(true);
    await client.call(Health.method.check, {});
  });
});

describeRoot("the debug console on the guest's console", () => {
  test("is a shell with job control, said aloud in the log", async () => {
    const { terminal, over } = consoleOf();
    using _ = over;
    await using agent = new InitAgent({ config: "debug_console = true", console: terminal.path });
    using client = await agent.connect();
    await terminal.until(/[#$] $/);
    terminal.say('echo "$PATH" "<$->"\n');
    await terminal.until(/^\/bin:\/sbin\/:\/usr\/bin\/:\/usr\/sbin\/ <\w*(im|mi)\w*>\r$/m);
    terminal.say("cat & echo started; fg\n");
    await terminal.until(/started[^]*^cat\r$/m);
    // The shell names the job before it hands over the terminal: a ^C now could be the shell's own.
    terminal.say("typed\n");
    await terminal.until(/typed\r\ntyped\r\n/);
    terminal.say("\x03");
    await terminal.until(/[#$] $/);
    await client.call(Health.method.check, {});
    expect(agent.errors("WARN")[0]).toStartWith("THE DEBUG CONSOLE IS ON");
  });

  test("keeps a guest alive whose agent cannot serve, until whoever looks for the reason leaves", async () => {
    const { terminal, over } = consoleOf();
    using _ = over;
    await using agent = new InitAgent({
      config: "debug_console = true",
      console: terminal.path,
      env: { KATA_AGENT_SERVER_ADDR: "unix:///nowhere/agent.sock" },
    });
    await terminal.until(/[#$] $/);
    expect(await until(() => agent.log.includes("cannot serve"), 5000)).toBe(true);
    terminal.say("echo still he''re\n");
    await terminal.until(/still here/);
    terminal.say("exit\n");
    expect(await agent.ended()).toBe(POWERED_OFF);
  });
});

/** A terminal that becomes the guest's console, and who sits at it. */
function consoleOf() {
  const master = openPty();
  // Else it would hang up whenever nobody has it open.
  const peer = Fd.of("open its far end", openPtyPeer(master.number));
  const over = new DisposableStack();
  for (const fd of [master, peer]) over.use(fd);
  let text = "";
  const terminal = {
    descriptor: peer.number,
    path: readlinkSync(`/proc/self/fd/${peer.number}`),
    say: (words: string) => void attempt(writeText(master.number, words)),
    /** What came since the last match. */
    until: async (pattern: RegExp) => {
      const isHeard = () => {
        text += new TextDecoder().decode(readNow(master));
        return pattern.test(text);
      };
      if (!(await until(isHeard, 10_000))) throw new Error(`no ${pattern} in ${text}`);
      text = "";
    },
  };
  return { terminal, over };
}
