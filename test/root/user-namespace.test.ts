// Containers in user namespaces (upstream's defect D21: they cannot share the pod's ipc and uts).
import { beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { until as untilSo } from "../../src/async/until.ts";
import { Fd } from "../../src/kernel/fd.ts";
import { call } from "../../src/linux/call.ts";
import { AT_FDCWD } from "../../src/linux/constants.ts";
import { openat } from "../../src/linux/fs.ts";
import { O } from "../../src/linux/open-flags.ts";
import { childPids } from "../support/child.ts";
import { describeWithEngine } from "../support/engine.ts";
import { installPeeping } from "../support/peeping-program.ts";
import { missing as noCompiler } from "../support/syscall-probe.ts";

const HOST = 100_000;
const MAP = [{ containerID: 0, hostID: HOST, size: 65_536 }];
const NAMESPACES = ["mount", "ipc", "uts", "user"].map((type) => ({ type }));

const inUser = (linux: object = {}) => ({
  namespaces: NAMESPACES,
  uidMappings: MAP,
  gidMappings: MAP,
  ...linux,
});

describeWithEngine("a container in a user namespace", (engine) => {
  beforeAll(() => engine().createPod("the-pod"));

  /** A root file system of the container's root. */
  function rootfs(): { path: string } {
    const path = engine().rootfs();
    spawnSync("chown", ["-R", `${HOST}:${HOST}`, path]);
    return { path };
  }

  const lines = (script: string, change: Record<string, unknown> = {}) =>
    engine().lines(script, { root: rootfs(), ...change, linux: inUser(Object(change["linux"])) });

  test("is root inside and nobody outside", async () => {
    expect(
      await lines("id -u; id -g; cat /proc/self/uid_map; grep Groups /proc/self/status"),
    ).toEqual([
      "0",
      "0",
      expect.stringMatching(/^\s+0\s+100000\s+65536$/),
      expect.stringMatching(/^Groups:\s*$/),
    ]);
    const id = await engine().create(["sleep", "1000"], { root: rootfs(), linux: inUser() });
    const { pid } = engine().sandbox.container(id).init.child;
    expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/^Uid:\t100000\t100000/m);
    await engine().sandbox.removeContainer(engine().sandbox.container(id));
  });

  test("has its namespaces of its own: they belong to its root", async () => {
    const rights = { capabilities: capabilities("CAP_SYS_ADMIN", "CAP_SYS_CHROOT") };
    const created = await engine().create(["sleep", "1000"], {
      root: rootfs(),
      process: rights,
      linux: inUser({ namespaces: [...NAMESPACES, { type: "cgroup" }] }),
    });
    const container = engine().sandbox.container(created);
    const { pid } = container.init.child;
    for (const kind of ["ipc", "uts", "mnt", "pid", "cgroup"]) {
      expect([kind, ownerOf(pid, kind)]).toEqual([kind, namespaceOf(pid, "user")]);
    }
    expect(namespaceOf(pid, "user")).not.toBe(namespaceOf("self", "user"));
    await engine().sandbox.removeContainer(container);
  });

  test("shares the pod's names with others that have the same maps, and with no one else (D21)", async () => {
    const [one, two, other] = await Promise.all([
      idle(inUser()),
      idle(inUser()),
      idle(inUser({ uidMappings: [{ containerID: 0, hostID: 300_000, size: 10 }] }), 300_000),
    ]);
    for (const kind of ["user", "ipc", "uts"]) {
      expect(namespaceOf(one.pid, kind)).toBe(namespaceOf(two.pid, kind));
      expect(namespaceOf(one.pid, kind)).not.toBe(namespaceOf(other.pid, kind));
    }
    expect(await engine().exec(one.id, "hostname")).toEqual(["the-pod"]);
    await engine().exec(one.id, "touch /dev/mqueue/letters");
    expect(await engine().exec(two.id, "ls /dev/mqueue")).toEqual(["letters"]);
    expect(await engine().exec(other.id, "ls /dev/mqueue")).toEqual([""]);
    for (const { remove } of [one, two, other]) await remove();
  });

  test("has the devices that it asks for, with their owners", async () => {
    const devices = [
      { path: "/dev/nested/null", type: "c", major: 1, minor: 3, fileMode: 0o640, uid: 5, gid: 6 },
      { path: "/dev/fifo", type: "p", fileMode: 0o600 },
    ];
    const script = [
      "echo x > /dev/null; head -c 3 /dev/zero | od -An -tx1",
      "stat -c '%F %a %u:%g %t,%T' /dev/null /dev/nested/null /dev/fifo",
    ].join("; ");
    expect(await lines(script, { linux: { devices } })).toEqual([
      " 00 00 00",
      "character special file 666 0:0 1,3",
      "character special file 640 5:6 1,3",
      "fifo 600 0:0 0,0",
    ]);
  });

  test("makes no device nodes, and cannot open those it finds in its own file systems", async () => {
    const process = { capabilities: capabilities("CAP_MKNOD", "CAP_SYS_ADMIN") };
    const { status } = await engine().run(["mknod", "/dev/mine", "c", "1", "3"], {
      root: rootfs(),
      process,
      linux: inUser(),
    });
    expect(status).not.toBe(0);
  });

  test("sees the guest's /sys read-only, and its own cgroup, terminals and processes", async () => {
    const mounts = [
      {
        destination: "/sys",
        type: "sysfs",
        source: "sysfs",
        options: ["nosuid", "noexec", "nodev"],
      },
      { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro"] },
      { destination: "/dev/pts", type: "devpts", source: "devpts", options: DEVPTS },
      { destination: "/dev/shm", type: "tmpfs", source: "shm", options: ["mode=1777"] },
    ];
    const script = [
      "ls /sys/class/net > /dev/null && echo sys",
      "grep ' /sys ' /proc/mounts | cut -d' ' -f3,4 | cut -d, -f1",
      "stat -c '%u:%g %a' /dev/pts/ptmx /dev/shm",
      "cd /proc; echo [0-9]*; exit",
    ].join("; ");
    const [sys, type, ptmx, shm, pids] = await lines(script, { mounts });
    expect([sys, type, ptmx, shm]).toEqual(["sys", "sysfs ro", "0:0 666", "0:0 1777"]);
    expect(pids).toMatch(/^1( \d+)?$/);
  });

  test("mounts sysfs itself where it has a network of its own", async () => {
    const mounts = [{ destination: "/sys", type: "sysfs", source: "sysfs", options: ["ro"] }];
    const namespaces = [...NAMESPACES, { type: "network" }];
    expect(await lines("ls /sys/class/net", { mounts, linux: { namespaces } })).toEqual(["lo"]);
  });

  test("has limits and an oom score that only the guest's root can give, and so has an exec", async () => {
    // A root in a container, such as this one may be, cannot raise what it has.
    const { nofile, mayRaise } = ownLimits();
    const [hard, score] = mayRaise ? [nofile + 1, -500] : [nofile, 500];
    const process = {
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 7, hard }],
      oomScoreAdj: score,
      user: { uid: 1000, gid: 1000, additionalGids: [50] },
    };
    const script = "ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj; id -u; id -G; umask";
    const wanted = ["7", String(hard), String(score), "1000", "1000 50", "0022"];
    expect(await lines(script, { process })).toEqual(wanted);
    const container = await idle(inUser());
    expect(await engine().exec(container.id, script, process)).toEqual(wanted);
    await container.remove();
  });

  test("has one session keyring for all its processes, which its root owns", async () => {
    const container = await idle(inUser());
    const script = `awk '$9 == "_ses.${container.id}:" { print $1, $6 }' /proc/keys`;
    const found = await engine().exec(container.id, script);
    expect(found).toEqual([expect.stringMatching(/^\w+ 0$/)]);
    expect(await engine().exec(container.id, script)).toEqual(found);
    await container.remove();
  });

  test("can open its standard streams again, whoever it is", async () => {
    const script = "echo out > /dev/stdout; echo err > /proc/self/fd/2";
    for (const uid of [0, 1000]) {
      const { status, stdout, stderr } = await engine().run(["sh", "-c", script], {
        root: rootfs(),
        process: { user: { uid, gid: uid } },
        linux: inUser(),
      });
      expect([status, stdout, stderr]).toEqual([0, "out\n", "err\n"]);
    }
  });

  test("has a terminal, and a terminal in an exec", async () => {
    const devpts = { destination: "/dev/pts", type: "devpts", source: "devpts", options: DEVPTS };
    const script = "tty; stat -c %u $(tty) /dev/console; exit 3";
    const asked = { terminal: true, user: { uid: 1000, gid: 1000 } };
    const { status, stdout } = await engine().run(["sh", "-c", script], {
      root: rootfs(),
      process: asked,
      mounts: [devpts],
      linux: inUser(),
    });
    expect([status, stdout]).toEqual([3, "/dev/pts/0\r\n1000\r\n1000\r\n"]);
    const container = await idle(inUser(), HOST, [devpts]);
    expect(await engine().exec(container.id, "tty", { ...asked })).toEqual(["/dev/pts/0"]);
    await container.remove();
  });

  test("reaches a source that only the guest's root can reach, and not what is around it", async () => {
    const secret = `${engine().directory}/secret`;
    mkdirSync(`${secret}/volume`, { recursive: true });
    writeFileSync(`${secret}/volume/file`, "hello\n", { mode: 0o644 });
    chmodSync(secret, 0o700);
    const bind = { destination: "/data", type: "bind", source: `${secret}/volume` };
    const mounts = [{ ...bind, options: ["bind", "ro"] }];
    expect(await lines("cat /data/file; stat -c %u /data/file", { mounts })).toEqual([
      "hello",
      "65534",
    ]);
  });

  test("sees no process of the agent above it", async () => {
    const process = { capabilities: capabilities("CAP_SYS_PTRACE", "CAP_SYS_ADMIN") };
    const id = await engine().create(["sleep", "1000"], {
      root: rootfs(),
      process,
      linux: inUser(),
    });
    const container = engine().sandbox.container(id);
    await container.start();
    // The agent itself is in no namespace that the container sees, and its parent is nobody there.
    expect(await engine().exec(id, "grep PPid /proc/1/status; echo $PPID", process)).toEqual([
      "PPid:\t0",
      "0",
    ]);
    await engine().sandbox.removeContainer(container);
  });

  test.skipIf(noCompiler !== undefined)(
    "gets hold of nothing of the agent when a process joins it",
    async () => {
      const root = rootfs();
      installPeeping(root.path);
      const process = {
        capabilities: capabilities("CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"),
      };
      const id = await engine().create(["peep"], { root, process, linux: inUser() });
      const outcome = engine().finish(id);
      // Until it has met one between its birth and execve: else this test tests nothing.
      const isMet = () => existsSync(`${root.path}/met`);
      for (let round = 0; round < 30 || (round < 1000 && !isMet()); round++) {
        await engine().exec(id, "true", process);
      }
      writeFileSync(`${root.path}/stop`, "");
      const { stdout } = await outcome;
      expect([...new Set(stdout.trim().split("\n"))]).toEqual(["looking", "meets one"]);
    },
    60_000,
  );

  test("has hooks that are root in it, with the limits of the program, and a program with its nice", async () => {
    const said = `${engine().directory}/said`;
    writeFileSync(said, "");
    chmodSync(said, 0o666);
    const sh = (script: string) => ({ path: "/bin/sh", args: ["sh", "-c", script] });
    const root = rootfs();
    const hooks = {
      createContainer: [sh(`id -u > ${said}; readlink /proc/self/ns/user >> ${said}`)],
      startContainer: [sh("(id -u; ulimit -n) > /out")],
    };
    const process = {
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 9, hard: 9 }],
      scheduler: { policy: "SCHED_BATCH", nice: 5 },
    };
    const script = "cat /out; readlink /proc/self/ns/user; cut -d' ' -f19 /proc/self/stat";
    const [uid, files, user, nice] = await lines(script, { root, hooks, process });
    expect([uid, files, nice]).toEqual(["0", "9", "5"]);
    expect(readFileSync(said, "utf8")).toBe(`0\n${user}\n`);
  });

  test("is joined by its path, with the maps that it has", async () => {
    const path = `${engine().directory}/user`;
    writeFileSync(path, "");
    const keep = `
      unshare --user sleep 1000 & p=$!
      until [ "$(readlink /proc/$p/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do :; done
      for map in uid_map gid_map; do echo "0 ${HOST} 65536" > /proc/$p/$map; done
      mount --bind /proc/$p/ns/user ${path}
      readlink /proc/$p/ns/user
      kill -KILL $p`;
    const user = spawnSync("bash", ["-c", keep], { encoding: "utf8" }).stdout.trim();
    const namespaces = [...NAMESPACES.slice(0, 3), { type: "user", path }];
    const unnamed = { namespaces, uidMappings: undefined, gidMappings: undefined };
    const script = "readlink /proc/self/ns/user; stat -c %u /dev/null";
    expect(await lines(script, { linux: unnamed })).toEqual([user, "0"]);
    expect(await lines(script, { linux: { namespaces } })).toEqual([user, "0"]);
    const other = { namespaces, uidMappings: [{ containerID: 0, hostID: 5, size: 1 }] };
    await expect(lines("true", { linux: other })).rejects.toThrow(
      "linux.uidMappings: not those of the user namespace to join",
    );
    spawnSync("umount", [path]);
  });

  test("leaves nothing when it cannot be made, before or after it is in the namespace", async () => {
    // What the tests before have ended may not have been reaped yet.
    await until(() => childPids().length === 0);
    const before = held();
    const bad = { destination: "/data", type: "bind", source: "/no/such", options: ["bind"] };
    await expect(lines("true", { mounts: [bad] })).rejects.toThrow("clone /no/such: ENOENT");
    const option = { destination: "/x", type: "tmpfs", source: "x", options: ["nonsense=1"] };
    await expect(lines("true", { mounts: [option] })).rejects.toThrow(
      "set nonsense=1 of /x: EINVAL",
    );
    const process = { cwd: "/", args: ["/no/such/program"] };
    await expect(lines("true", { process })).rejects.toThrow("/no/such/program was not found");
    await until(() => childPids().length === 0);
    expect(held()).toEqual(before);
  });

  test("is refused an exec as a user that it has not, by the name of the field", async () => {
    const container = await idle(inUser());
    const stranger = { user: { uid: 70_000, gid: 0 } };
    await expect(engine().exec(container.id, "true", stranger)).rejects.toThrow(
      "process.user.uid: 70000 is not mapped",
    );
    await container.remove();
  });

  async function idle(linux: object, host = HOST, mounts: readonly object[] = [MQUEUE]) {
    const root = rootfs();
    if (host !== HOST) spawnSync("chown", ["-R", `${host}:${HOST}`, root.path]);
    const id = await engine().create(["sleep", "1000"], { root, mounts, linux });
    const container = engine().sandbox.container(id);
    await container.start();
    const remove = () => engine().sandbox.removeContainer(container);
    return { id, pid: container.init.child.pid, remove };
  }
});

const MQUEUE = { destination: "/dev/mqueue", type: "mqueue", source: "mqueue" };
const DEVPTS = ["newinstance", "ptmxmode=0666", "mode=0620"];

function capabilities(...names: string[]) {
  return { bounding: names, effective: names, permitted: names };
}

function namespaceOf(pid: number | "self", kind: string): string {
  return readlinkSync(`/proc/${pid}/ns/${kind}`);
}

/** The user namespace that a namespace of the process belongs to, as the kernel names it. */
function ownerOf(pid: number, kind: string): string {
  const file = Fd.of("open it", openat(AT_FDCWD, `/proc/${pid}/ns/${kind}`, O.RDONLY));
  using _ = file;
  const NS_GET_USERNS = 0xb701;
  using owner = Fd.of("ask for its owner", call("ioctl", file.number, NS_GET_USERNS, null));
  return readlinkSync(`/proc/self/fd/${owner.number}`);
}

/** The namespaces and processes that this process holds, its children, and the bundles. */
function held(): string[] {
  const links = readdirSync("/proc/self/fd").flatMap((number) => {
    try {
      return [readlinkSync(`/proc/self/fd/${number}`)];
    } catch {
      // The descriptor that the directory was read by.
      return [];
    }
  });
  const ours = links.filter((link) => /^(user|ipc|uts|mnt|pid|net|time|cgroup):|pidfd/.test(link));
  return [...ours.toSorted(), ...childPids(), ...readdirSync("/run/kata-containers")];
}

function ownLimits(): { readonly nofile: number; readonly mayRaise: boolean } {
  const CAP_SYS_RESOURCE = 24n;
  const read = (file: string) => readFileSync(`/proc/self/${file}`, "utf8");
  const [, nofile = ""] = /^Max open files\s+\d+\s+(\d+)/m.exec(read("limits")) ?? [];
  const [, effective = ""] = /^CapEff:\t(\w+)$/m.exec(read("status")) ?? [];
  const mayRaise = ((BigInt(`0x${effective}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
  return { nofile: Number(nofile), mayRaise };
}

async function until(isSo: () => boolean): Promise<void> {
  await untilSo(isSo, 5000);
}
