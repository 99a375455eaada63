// `process` of a spec, as the program in the container finds it.
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { idleContainer, linesOf, sh, startContainer } from "../support/container.ts";
import { statusOf } from "../support/proc-status.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const PATH = "PATH=/bin";

describeWithAgent("process.args", (agent) => {
  test("reach the program as they are, the empty one and the blank ones too", async () => {
    const args = ["sh", "-c", "cat /proc/$$/cmdline; :", "", " a b ", "é\n", "-"];
    await using container = await startContainer(agent(), args, { process: { Env: [PATH] } });
    expect((await container.outcome()).stdout).toBe(args.map((each) => `${each}\0`).join(""));
  });

  test("name a program that is looked for in the PATH of the container, past what is none", async () => {
    const rootfs = agent().rootfs();
    mkdirSync(join(rootfs, "opt"));
    writeFileSync(join(rootfs, "opt/tool"), "#!/bin/sh\necho not this one\n");
    mkdirSync(join(rootfs, "sbin"));
    writeFileSync(join(rootfs, "sbin/tool"), "#!/bin/sh\necho this one\n");
    chmodSync(join(rootfs, "sbin/tool"), 0o755);
    const process = { Env: ["PATH=/nowhere:/etc/passwd:/opt:/sbin:/bin"] };
    await using container = await startContainer(agent(), ["tool"], { rootfs, process });
    expect((await container.outcome()).stdout).toBe("this one\n");
  });

  test("name no directory of PATH's entries, which a shell passes over as well", async () => {
    const rootfs = agent().rootfs();
    mkdirSync(join(rootfs, "opt/tool"), { recursive: true });
    writeFileSync(join(rootfs, "bin/tool"), "#!/bin/sh\necho found\n", { mode: 0o755 });
    const process = { Env: ["PATH=/opt:/bin"] };
    await using container = await startContainer(agent(), ["tool"], { rootfs, process });
    expect((await container.outcome()).stdout).toBe("found\n");
  });

  test("that name a file in PATH which may not be executed are refused for that", async () => {
    const rootfs = agent().rootfs();
    writeFileSync(join(rootfs, "etc/tool"), "#!/bin/sh\n", { mode: 0o644 });
    const create = (Env: string[]) =>
      startContainer(agent(), ["tool"], { rootfs, process: { Env } });
    const text = "the file tool was not found";
    await expect(create(["PATH=/etc:/bin"])).rejects.toThrow(`${text}: EACCES: Permission denied`);
    mkdirSync(join(rootfs, "opt/tool"), { recursive: true });
    await expect(create(["PATH=/opt:/bin"])).rejects.toThrow(`${text}: ENOENT: No such file`);
  });

  test("are looked for where most programs are when there is no PATH", async () => {
    await using container = await startContainer(agent(), ["true"], { process: { Env: [] } });
    expect(await container.wait()).toBe(0);
  });

  test("may be a path relative to the working directory", async () => {
    const process = { Cwd: "/bin", Env: [PATH] };
    await using container = await startContainer(agent(), ["./echo", "found"], { process });
    expect((await container.outcome()).stdout).toBe("found\n");
  });
});

describeWithAgent("process.env", (agent) => {
  const environment = async (Env: string[], uid = 0, rootfs = agent().rootfs()) => {
    const process = { Env, User: { UID: uid } };
    const args = ["/bin/cat", "/proc/self/environ"];
    await using container = await startContainer(agent(), args, { rootfs, process });
    return (await container.outcome()).stdout.split("\0").slice(0, -1);
  };
  const homeOf = async (...given: Parameters<typeof environment>) =>
    (await environment(...given)).filter((entry) => entry.startsWith("HOME="));

  test("is passed on verbatim and in order, with the last of several for one name (D17)", async () => {
    const given = ["A=1", "B= two  words ", "A=3", "EMPTY=", "EQUALS=a=b", "LINES=a\nb", "HOME=/h"];
    expect(await environment(given)).toEqual(given.slice(1));
  });

  test("loses what is no variable, and holds nothing of the agent's", async () => {
    expect(await environment(["word", "=value", "", "HOME=/h"])).toEqual(["HOME=/h"]);
  });

  test("has HOME from the user database of the image, where the spec has none or an empty one", async () => {
    expect(await homeOf([PATH])).toEqual(["HOME=/root"]);
    expect(await homeOf([PATH], 1000)).toEqual(["HOME=/home/user"]);
    expect(await homeOf(["HOME=", PATH], 1000)).toEqual(["HOME=/home/user"]);
    expect(await homeOf(["HOME=/mine"], 1000)).toEqual(["HOME=/mine"]);
  });

  test("has the root as HOME of a user whom the image does not know", async () => {
    expect(await homeOf([PATH], 4711)).toEqual(["HOME=/"]);
    const rootfs = agent().rootfs();
    rmSync(join(rootfs, "etc/passwd"));
    expect(await homeOf([PATH], 0, rootfs)).toEqual(["HOME=/"]);
    writeFileSync(join(rootfs, "etc/passwd"), "\n:::::\nroot\n::x:y\nnobody:x:0\nok:x:0:0::/ok:\n");
    expect(await homeOf([PATH], 0, rootfs)).toEqual(["HOME=/ok"]);
  });

  test("has HOME in an exec, too", async () => {
    await using container = await idleContainer(agent());
    const args = ["sh", "-c", "echo $HOME"];
    const { stdout } = await container.run(args, { Env: [PATH], User: { UID: 1000 } });
    expect(stdout).toBe("/home/user\n");
  });

  test("has HOME in an exec from where the database is by then, no disk for one", async () => {
    const options = ["tmpcopyup"];
    const mounts = [{ destination: "/etc", type: "tmpfs", source: "tmpfs", options }];
    await using container = await idleContainer(agent(), { mounts });
    await container.run(["sh", "-c", "echo other:x:1000:1000::/other: >/etc/passwd"]);
    const args = ["sh", "-c", "echo $HOME"];
    const homeNow = async (UID: number) =>
      (await container.run(args, { Env: [PATH], User: { UID } })).stdout;
    expect(await homeNow(1000)).toBe("/other\n");
    expect(await homeNow(4711)).toBe("/\n");
  });
});

describeWithAgent("process.env of a user whom the image did not know", (agent) => {
  test("has the HOME that the container's program has given the user since, as under runc", async () => {
    const process = { User: { UID: 4711 } };
    const rootfs = agent().rootfs();
    chmodSync(join(rootfs, "etc/passwd"), 0o666);
    const script = "echo $HOME; echo new:x:4711:0::/new: >>/etc/passwd; exec sleep 1000";
    await using container = await startContainer(agent(), ["sh", "-c", script], {
      rootfs,
      process,
    });
    expect(await container.readUntil("\n")).toBe("/\n");
    await container.run(["sh", "-c", "until grep -q new /etc/passwd; do :; done"]);
    expect((await container.run(["sh", "-c", "echo $HOME"], process)).stdout).toBe("/new\n");
  });
});

describeWithAgent("process.cwd", (agent) => {
  const pwd = (Cwd: string, more: object = {}) =>
    linesOf(agent(), "/bin/pwd", { process: { Cwd, ...more } });

  test("is where the program starts", async () => {
    expect(await pwd("/bin")).toEqual(["/bin"]);
    expect(await pwd("/bin/../etc/./")).toEqual(["/etc"]);
  });

  test("is made for the first process if the image does not have it", async () => {
    expect(await pwd("/srv/app/data")).toEqual(["/srv/app/data"]);
  });

  test("is not made for an exec: there it is an error", async () => {
    await using container = await idleContainer(agent());
    const exec = container.exec(["pwd"], { Cwd: "/nowhere" });
    await expect(exec).rejects.toThrow("change directory to /nowhere: ENOENT");
  });

  test("may be a directory that only root can enter, for whoever the user is", async () => {
    const rootfs = agent().rootfs();
    chmodSync(join(rootfs, "root"), 0o700);
    const process = { Cwd: "/root", User: { UID: 1000 }, Capabilities: {} };
    const script = "readlink /proc/self/cwd";
    expect(await linesOf(agent(), script, { rootfs, process })).toEqual(["/root"]);
  });

  test("is refused if it is relative, empty or no directory", async () => {
    await expect(pwd("bin")).rejects.toThrow('process.cwd "bin" is not an absolute path');
    await expect(pwd("")).rejects.toThrow('process.cwd "" is not an absolute path');
    await expect(pwd("/etc/passwd")).rejects.toThrow("ENOTDIR: Not a directory");
  });
});

describeWithAgent("process.user", (agent) => {
  test("sets user, group and supplementary groups, of an exec as well", async () => {
    const User = { UID: 1000, GID: 100, AdditionalGids: [4, 27] };
    const script = "grep -E '^(Uid|Gid|Groups):' /proc/self/status";
    const expected = [
      "Uid:\t1000\t1000\t1000\t1000",
      "Gid:\t100\t100\t100\t100",
      expect.stringMatching(/^Groups:\t4 27 ?$/),
    ];
    expect(await linesOf(agent(), script, { process: { User } })).toEqual(expected);
    await using container = await idleContainer(agent());
    const { stdout } = await container.run(["sh", "-c", script], { User });
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.trimEnd()),
    ).toEqual(expected);
  });

  test("takes the agent's groups away where it has none", async () => {
    expect(await linesOf(agent(), "grep Groups /proc/self/status")).toEqual(["Groups:"]);
  });

  test("may write to its own standard streams by name", async () => {
    const process = { User: { UID: 1000, GID: 1000 }, Capabilities: {} };
    const script = "echo out >/dev/stdout; echo err >/dev/stderr";
    const { stdout, stderr } = await sh(agent(), script, { process });
    expect([stdout, stderr]).toEqual(["out\n", "err\n"]);
  });
});

describeWithAgent("the limits of a process", (agent) => {
  const limit = (name: string) => `grep '^${name}' /proc/self/limits`;
  const rlimits = [
    { Type: "RLIMIT_NOFILE", Soft: 100n, Hard: 200n },
    { Type: "RLIMIT_CORE", Soft: 0n, Hard: 0n },
    { Type: "RLIMIT_STACK", Soft: 1n << 20n, Hard: (1n << 64n) - 1n },
  ];

  test("are those of the spec, unlimited ones included", async () => {
    const script = [limit("Max open files"), limit("Max core"), limit("Max stack")].join(";");
    const lines = await linesOf(agent(), script, { process: { Rlimits: rlimits } });
    expect(lines.map((line) => line.split(/ {2,}/).slice(1, 3))).toEqual([
      ["100", "200"],
      ["0", "0"],
      ["1048576", "unlimited"],
    ]);
  });

  test("are an exec's own, and the container's where it names none (D9)", async () => {
    await using container = await idleContainer(agent(), { process: { Rlimits: rlimits } });
    const args = ["sh", "-c", limit("Max open files")];
    const own = [{ Type: "RLIMIT_NOFILE", Soft: 50n, Hard: 60n }];
    expect((await container.run(args, { Rlimits: own })).stdout).toMatch(/ 50 +60 /);
    expect((await container.run(args, { Rlimits: [] })).stdout).toMatch(/ 100 +200 /);
  });

  test("can be of all sixteen kinds", async () => {
    // None is above what an ordinary root has: this may be a container, too.
    const values = {
      CPU: 1000,
      FSIZE: 1 << 29,
      DATA: 1 << 28,
      STACK: 1 << 20,
      CORE: 4096,
      RSS: 1 << 27,
      NPROC: 100,
      NOFILE: 64,
      MEMLOCK: 8192,
      AS: 1 << 30,
      LOCKS: 10,
      SIGPENDING: 20,
      MSGQUEUE: 30,
      NICE: 0,
      RTPRIO: 0,
      RTTIME: 5000,
    };
    const Rlimits = Object.entries(values).map(([name, value]) => {
      return { Type: `RLIMIT_${name}`, Soft: BigInt(value), Hard: BigInt(value) };
    });
    const [, ...lines] = await linesOf(agent(), "cat /proc/self/limits", { process: { Rlimits } });
    // The kernel lists them by number, with the soft limit first.
    const listed = lines.map((line) => Number(line.split(/ {2,}/)[1]));
    expect(listed).toEqual(Object.values(values));
  });

  test("include the OOM score, of an exec as well", async () => {
    const script = "cat /proc/self/oom_score_adj";
    expect(await linesOf(agent(), script, { process: { OOMScoreAdj: 321n } })).toEqual(["321"]);
    await using container = await idleContainer(agent(), { process: { OOMScoreAdj: 500n } });
    expect((await container.run(["sh", "-c", script])).stdout).toBe("500\n");
    expect((await container.run(["sh", "-c", script], { OOMScoreAdj: 77n })).stdout).toBe("77\n");
  });
});

describeWithAgent("a process of a container", (agent) => {
  test("has the umask 022, in an exec as well", async () => {
    expect(await linesOf(agent(), "umask")).toEqual(["0022"]);
    await using container = await idleContainer(agent());
    expect((await container.run(["sh", "-c", "umask"])).stdout).toBe("0022\n");
  });

  test.each([true, false])("has no_new_privs as the spec says: %p", async (NoNewPrivileges) => {
    const script = "grep NoNewPrivs /proc/self/status";
    const expected = `NoNewPrivs:\t${NoNewPrivileges ? 1 : 0}`;
    expect(await linesOf(agent(), script, { process: { NoNewPrivileges } })).toEqual([expected]);
    await using container = await idleContainer(agent());
    const { stdout } = await container.run(["sh", "-c", script], { NoNewPrivileges });
    expect(stdout).toBe(`${expected}\n`);
  });

  test("ignores, catches and blocks no signal", async () => {
    const args = ["cat", "/proc/self/status"];
    await using container = await startContainer(agent(), args);
    const first = statusOf((await container.outcome()).stdout);
    await using other = await idleContainer(agent());
    const exec = statusOf((await other.run(args)).stdout);
    for (const field of ["SigIgn", "SigBlk", "SigCgt", "SigPnd", "ShdPnd"]) {
      expect([field, first[field], exec[field]]).toEqual([field, "0".repeat(16), "0".repeat(16)]);
    }
  });

  test("leads a session and a process group of its own", async () => {
    const args = ["cut", "-d", " ", "-f", "1,5,6", "/proc/self/stat"];
    await using first = await startContainer(agent(), args);
    expect((await first.outcome()).stdout).toBe("1 1 1\n");
    await using idle = await idleContainer(agent());
    const [pid, group, session] = (await idle.run(args)).stdout.trim().split(" ");
    expect([group, session]).toEqual([pid, pid]);
  });

  test("has no descriptor but its three streams (D36)", async () => {
    const args = ["ls", "/proc/self/fd"];
    // The fourth is the directory that ls reads.
    await using container = await startContainer(agent(), args);
    expect((await container.outcome()).stdout).toBe("0\n1\n2\n3\n");
    await using idle = await idleContainer(agent());
    for (const Terminal of [false, true]) {
      const { stdout } = await idle.run(args, { Terminal });
      expect(stdout.trim().split(/\s+/)).toEqual(["0", "1", "2", "3"]);
    }
  });

  test("has blocking pipes as its streams", async () => {
    const script =
      "for n in 0 1 2; do readlink /proc/self/fd/$n; grep flags /proc/self/fdinfo/$n; done";
    const lines = await linesOf(agent(), script);
    const O_NONBLOCK = 0o4000;
    const flags = lines.filter((line) => line.startsWith("flags:"));
    expect(lines.filter((line) => /^pipe:\[\d+\]$/.test(line))).toHaveLength(3);
    expect(flags.map((line) => Number.parseInt(line.slice(6), 8) & O_NONBLOCK)).toEqual([0, 0, 0]);
  });

  test("has a session keyring of its own", async () => {
    const linux = { MaskedPaths: [] };
    await using container = await idleContainer(agent(), { linux });
    const { stdout } = await container.run(["cat", "/proc/keys"]);
    expect(stdout).toContain(`_ses.${container.containerId}`);
  });
});
