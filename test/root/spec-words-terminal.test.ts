// `process.terminal`: the terminal as the program finds it, and as the host drives it.
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createContainer, idleContainer, sh, startContainer } from "../support/container.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const Terminal = true;

/** What a terminal shows, without the carriage returns that it adds. */
const plain = (text: string) => text.replaceAll("\r\n", "\n");

describeWithAgent("the terminal of a container's first process", (agent) => {
  const onTerminal = async (script: string, change = {}) => {
    const process = { Terminal, ...change };
    return plain((await sh(agent(), script, { process })).stdout);
  };

  test("is a pty of its own devpts, by name and on all three streams", async () => {
    const script = "tty; for n in 0 1 2; do readlink /proc/self/fd/$n; done; ls /dev/pts";
    expect(await onTerminal(script)).toBe(`${"/dev/pts/0\n".repeat(4)}0     ptmx\n`);
  });

  test("is the controlling terminal, and the process its foreground group", async () => {
    const script =
      "cat /dev/null > /dev/tty && echo opened > /dev/tty; cut -d ' ' -f 5,6,8 /proc/$$/stat";
    expect(await onTerminal(script)).toBe("opened\n1 1 1\n");
  });

  test("has the size that the spec gives, or none", async () => {
    const ConsoleSize = { Height: 33, Width: 99 };
    expect(await onTerminal("stty size", { ConsoleSize })).toBe("33 99\n");
    // This is how BusyBox says 0 and 0.
    expect(await onTerminal("stty size; true")).toBe("stty: standard input\n");
  });

  test("is /dev/console, too", async () => {
    const script = "echo from the console > /dev/console; stat -c '%F %t:%T' /dev/console $(tty)";
    const [said, ...kinds] = (await onTerminal(script)).trimEnd().split("\n");
    expect(said).toBe("from the console");
    expect(kinds).toEqual(Array.from({ length: 2 }, () => "character special file 88:0"));
  });

  test("is /dev/console also where the image has a file there and no /dev is mounted", async () => {
    const rootfs = agent().rootfs();
    mkdirSync(join(rootfs, "dev"));
    writeFileSync(join(rootfs, "dev/console"), "of the image\n");
    const mounts = [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance"] },
    ];
    const linux = { MaskedPaths: [], ReadonlyPaths: [] };
    const wanted = { rootfs, spec: { Mounts: [] }, mounts, linux, process: { Terminal } };
    const { stdout } = await sh(agent(), "echo seen > /dev/console", wanted);
    expect(plain(stdout)).toBe("seen\n");
  });

  test("belongs to the user of the process", async () => {
    const User = { UID: 1000, GID: 1000 };
    const script = "stat -c '%u %a' $(tty); echo again > /dev/tty; echo again > /dev/stderr";
    expect(await onTerminal(script, { User, Capabilities: {} })).toBe("1000 620\nagain\nagain\n");
  });

  test("is refused where the spec mounts no devpts for it", async () => {
    const before = agent().held();
    const wanted = { spec: { Mounts: [] }, process: { Terminal } };
    const linux = { MaskedPaths: [], ReadonlyPaths: [] };
    const created = createContainer(agent(), ["true"], { ...wanted, linux });
    await expect(created).rejects.toThrow("open /dev/pts/ptmx: ENOENT: No such file or directory");
    expect(agent().held()).toEqual(before);
  });

  test("can be resized before and after the start, and the process hears of it", async () => {
    const script = "trap 'stty size; exit 0' WINCH; stty size; while :; do read line; done";
    await using container = await createContainer(agent(), ["sh", "-c", script], {
      process: { Terminal },
    });
    await container.resize(10, 20);
    await container.start();
    expect(await container.readUntil("\n")).toBe("10 20\r\n");
    await container.resize(300, 400);
    expect(await container.readUntil("\n")).toBe("300 400\r\n");
    expect(await container.wait()).toBe(0);
  });

  test("is not there for a process that did not ask: a resize of it is refused", async () => {
    await using container = await idleContainer(agent());
    await expect(container.resize(1, 1)).rejects.toThrow("no tty");
  });

  test("passes on what is typed, in the order it was typed, and turns it as terminals do", async () => {
    await using container = await startContainer(agent(), ["cat"], { process: { Terminal } });
    await container.write("one\n");
    expect(await container.readUntil("one\r\none\r\n")).toBe("one\r\none\r\n");
    await container.write("two");
    await container.write("\x7f\x7f\x7fthree\n\x04");
    expect(await container.readUntil("three\r\nthree\r\n")).toContain("three");
    expect(await container.wait()).toBe(0);
  });

  test("sends the signals of its control characters", async () => {
    const args = ["sh", "-c", "trap 'echo interrupted; exit 3' INT; echo ready; read line"];
    await using container = await startContainer(agent(), args, { process: { Terminal } });
    await container.readUntil("ready\r\n");
    await container.write("\x03");
    expect(await container.readUntil("interrupted")).toContain("interrupted");
    expect(await container.wait()).toBe(3);
  });
});

describeWithAgent("the terminal of an exec", (agent) => {
  test("is one more pty of the container, with its own size", async () => {
    await using container = await idleContainer(agent(), { process: { Terminal } });
    const script = ["sh", "-c", "tty; stty size"];
    const ConsoleSize = { Height: 7, Width: 8 };
    const { status, stdout } = await container.run(script, { Terminal, ConsoleSize });
    expect([status, plain(stdout)]).toEqual([0, "/dev/pts/1\n7 8\n"]);
  });

  test("leaves /dev/console to the first process", async () => {
    await using container = await startContainer(agent(), ["cat"], { process: { Terminal } });
    const script = ["sh", "-c", "echo to the console > /dev/console; tty"];
    const { stdout } = await container.run(script, { Terminal });
    expect(plain(stdout)).toBe("/dev/pts/1\n");
    expect(await container.readUntil("\n")).toBe("to the console\r\n");
  });

  test("hangs up on its session when the process is gone", async () => {
    await using container = await idleContainer(agent());
    const script = "trap 'echo hung up > /tmp-hup' HUP; echo ready; while :; do sleep 0.01; done";
    const exec = await container.exec(["sh", "-c", `sh -c "${script}" & read line`], { Terminal });
    await exec.readUntil("ready");
    await exec.write("\n");
    expect(await exec.wait()).toBe(0);
    const wait = "while [ ! -s /tmp-hup ]; do sleep 0.01; done; cat /tmp-hup";
    expect((await container.run(["sh", "-c", wait])).stdout).toBe("hung up\n");
  });

  test("can be resized while it runs", async () => {
    await using container = await idleContainer(agent());
    const script = "trap 'stty size; exit 0' WINCH; echo ready; while :; do read line; done";
    const exec = await container.exec(["sh", "-c", script], { Terminal });
    await exec.readUntil("ready");
    await exec.resize(50, 132);
    expect(await exec.readUntil("132")).toContain("50 132");
    expect(await exec.wait()).toBe(0);
  });
});
