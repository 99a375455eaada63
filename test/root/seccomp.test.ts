// `linux.seccomp`: what the kernel answers to real calls of a container.
import { expect, test } from "bun:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { LinuxSeccompSchema, LinuxSyscallSchema } from "../../src/gen/oci_pb.ts";
import { syscallNumbers } from "../../src/linux/syscall-numbers.ts";
import type { TestAgent } from "../support/agent.ts";
import {
  type Outcome,
  type ProcessChange,
  idleContainer,
  linesOf,
  sh,
  startContainer,
} from "../support/container.ts";
import { statusOf } from "../support/proc-status.ts";
import { installProbe, missing } from "../support/syscall-probe.ts";
import { describeWithAgent } from "../support/with-agent.ts";

type Rule = Exclude<MessageInitShape<typeof LinuxSyscallSchema>, { $typeName: string }>;
type Profile = Exclude<MessageInitShape<typeof LinuxSeccompSchema>, { $typeName: string }>;

const EPERM = 1;
const ENOSYS = 38;
const SIGSYS = 31;

const numbers = syscallNumbers(process.arch === "arm64" ? "aarch64" : "x86_64");
const NEWEST = Math.max(...numbers.values());

function numberOf(name: string): number {
  const number = numbers.get(name);
  if (number === undefined) throw new Error(`no system call ${name}`);
  return number;
}

/** Everything is allowed but what the rules say. */
function except(...rules: readonly Rule[]): Profile {
  return { DefaultAction: "SCMP_ACT_ALLOW", Syscalls: [...rules] };
}

const errno = (name: string, ErrnoRet?: number): Rule => ({
  Names: [name],
  Action: "SCMP_ACT_ERRNO",
  ...(ErrnoRet === undefined ? {} : { ErrnoRet: { case: "errnoret" as const, value: ErrnoRet } }),
});

const FORBID_MKDIR = except(errno("mkdir"), errno("mkdirat"));

function run(agent: TestAgent, script: string, Seccomp: Profile, process: ProcessChange = {}) {
  return sh(agent, script, { process, linux: { Seccomp } });
}

/** The errno of one call made by a program of the container. */
async function probed(agent: TestAgent, Seccomp: Profile, call: readonly (string | number)[]) {
  const rootfs = agent.rootfs();
  installProbe(rootfs);
  const [name = "", ...args] = call;
  const number = typeof name === "number" ? name : numberOf(name);
  const script = ["/bin/probe", number, ...args].join(" ");
  const [line] = await linesOf(agent, script, { rootfs, linux: { Seccomp } });
  return Number(line);
}

const withStatus = ({ status, stdout }: Outcome) => ({ status, stdout: stdout.trim() });

describeWithAgent("linux.seccomp", (agent) => {
  test("is loaded before the program runs, and only then", async () => {
    const read = async (linux: object) =>
      statusOf((await linesOf(agent(), "exec cat /proc/self/status", { linux })).join("\n"));
    expect((await read({}))["Seccomp"]).toBe("0");
    const status = await read({ Seccomp: FORBID_MKDIR });
    expect([status["Seccomp"], status["Seccomp_filters"]]).toEqual(["2", "1"]);
  });

  const users: readonly ProcessChange[] = [
    { NoNewPrivileges: true },
    { NoNewPrivileges: false },
    { NoNewPrivileges: true, User: { UID: 1000, GID: 1000 } },
    { NoNewPrivileges: false, User: { UID: 1000, GID: 1000 } },
    { NoNewPrivileges: false, Capabilities: {} },
  ];

  test.each(users)("forbids a call with EPERM: %j", async (process) => {
    const script = "mkdir /dev/shm/made";
    expect((await run(agent(), script, except(), process)).status).toBe(0);
    const { status, stderr } = await run(agent(), script, FORBID_MKDIR, process);
    expect([status, stderr]).toEqual([1, expect.stringContaining("Operation not permitted")]);
  });

  test.each(users)("holds for an exec: %j", async (process) => {
    await using container = await idleContainer(agent(), { linux: { Seccomp: FORBID_MKDIR } });
    const { status, stderr } = await container.run(["mkdir", "/dev/shm/made"], process);
    expect([status, stderr]).toEqual([1, expect.stringContaining("Operation not permitted")]);
    expect(await container.run(["echo", "it runs"], process)).toMatchObject({
      status: 0,
      stdout: "it runs\n",
    });
  });

  test("leaves a user the capabilities of the spec and no other", async () => {
    const Capabilities = { Permitted: ["CAP_CHOWN"], Bounding: ["CAP_CHOWN"] };
    const process = { NoNewPrivileges: false, User: { UID: 1000, GID: 1000 } };
    const read = async (linux: object) => {
      const wanted = { linux, process: { ...process, Capabilities } };
      const lines = await linesOf(agent(), "exec cat /proc/self/status", wanted);
      return lines.filter((line) => line.startsWith("Cap"));
    };
    expect(await read({ Seccomp: except() })).toEqual(await read({}));
  });

  test("answers with the errno of the rule", async () => {
    const profile = except(errno("mkdir", ENOSYS), errno("mkdirat", ENOSYS));
    const { stderr } = await run(agent(), "mkdir /made", profile);
    expect(stderr).toContain("Function not implemented");
  });

  test("takes an errno of 0 for none: a call that never ran has not succeeded (D2)", async () => {
    const profile = except(errno("mkdir", 0), errno("mkdirat", 0));
    const { stderr } = await run(agent(), "mkdir /made", profile);
    expect(stderr).toContain("Operation not permitted");
  });

  test("kills the process, and its status says by which signal", async () => {
    const kill = { Names: ["mkdir", "mkdirat"], Action: "SCMP_ACT_KILL_PROCESS" };
    await using container = await startContainer(agent(), ["mkdir", "/made"], {
      linux: { Seccomp: except(kill) },
    });
    expect(await container.wait()).toBe(128 + SIGSYS);
  });

  test("passes over names that no kernel has", async () => {
    const profile = except({ Names: ["no_such_call"], Action: "SCMP_ACT_KILL" }, errno("mkdir"));
    expect(withStatus(await run(agent(), "echo here", profile))).toEqual({
      status: 0,
      stdout: "here",
    });
    const lines = agent()
      .log.split("\n")
      .filter((line) => line.includes('"no_such_call"'));
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      "linux.seccomp names calls that no kernel has",
    ]);
  });

  test.each([
    ["a flag", { Flags: ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"] }],
    ["threads in step", { Flags: ["SECCOMP_FILTER_FLAG_TSYNC"] }],
    ["how a listener is waited for", { Flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] }],
  ])("may have %s", async (_, change) => {
    const profile = { ...FORBID_MKDIR, ...change };
    expect((await run(agent(), "mkdir /made", profile)).status).toBe(1);
  });

  test("that allows nothing ends the container, which does not hang (D8)", async () => {
    const linux = { Seccomp: { DefaultAction: "SCMP_ACT_ERRNO" } };
    await using container = await startContainer(agent(), ["true"], { linux });
    expect(await container.wait()).not.toBe(0);
    const early = startContainer(agent(), ["true"], {
      linux,
      process: { NoNewPrivileges: false },
    });
    await expect(early).rejects.toThrow();
  });

  test("that keeps a process from saying that it is ready fails the create, which does not hang", async () => {
    const process = { NoNewPrivileges: false };
    const silent = run(agent(), "true", except(errno("write")), process);
    await expect(silent).rejects.toThrow("before it was ready");
  });

  test.each(["close_range", "faccessat2"])(
    "that forbids %s lets a program be found and executed, as under runc",
    async (name) => {
      const allowed = [...numbers.keys()].filter((each) => each !== name);
      const profile = {
        DefaultAction: "SCMP_ACT_ERRNO",
        Syscalls: [{ Names: allowed, Action: "SCMP_ACT_ALLOW" }],
      };
      const linux = { Seccomp: profile };
      const process = { NoNewPrivileges: false };
      for (const args of [["true"], ["/bin/true"]]) {
        await using container = await startContainer(agent(), args, { linux, process });
        expect(await container.wait()).toBe(0);
      }
      for (const args of [["no-such-program"], ["/bin/no-such-program"]]) {
        const absent = startContainer(agent(), args, { linux, process });
        await expect(absent).rejects.toThrow("ENOENT");
      }
      await using container = await idleContainer(agent(), { linux });
      expect((await container.run(["true"], process)).status).toBe(0);
    },
  );

  test.each([
    ["an action", { DefaultAction: "SCMP_ACT_SING" }, 'defaultAction: "SCMP_ACT_SING"'],
    ["a listener", { DefaultAction: "SCMP_ACT_NOTIFY" }, "defaultAction"],
    [
      "a listener for one call",
      except({ Names: ["mkdir"], Action: "SCMP_ACT_NOTIFY" }),
      "SCMP_ACT_NOTIFY needs a listenerPath",
    ],
    ["an errno beyond all", except(errno("mkdir", 4096)), "errnoRet"],
  ])("is refused for %s that cannot be", async (_, profile, message) => {
    await expect(run(agent(), "true", profile)).rejects.toThrow(message);
  });
});

describeWithAgent("a filter and the arguments of a call", (agent) => {
  const title = (text: string) => (missing === undefined ? text : `${text} (needs ${missing})`);
  const arg = (Index: number, Op: string, Value: bigint, ValueTwo = 0n) => ({
    Index: BigInt(Index),
    Op,
    Value,
    ValueTwo,
  });
  const when = (...Args: readonly ReturnType<typeof arg>[]) =>
    except({ Names: ["getpriority"], Action: "SCMP_ACT_ERRNO", Args: [...Args] });
  const forbidden = async (profile: Profile, ...args: readonly (string | number)[]) =>
    (await probed(agent(), profile, ["getpriority", ...args])) === EPERM;

  test.skipIf(missing !== undefined)(title("compares all 64 bits"), async () => {
    const profile = when(arg(1, "SCMP_CMP_EQ", 0x1_0000_0000n));
    expect(await forbidden(profile, 0, "0x100000000")).toBe(true);
    expect(await forbidden(profile, 0, 0)).toBe(false);
  });

  test.skipIf(missing !== undefined)(title("wants all conditions of a rule"), async () => {
    const profile = when(arg(0, "SCMP_CMP_EQ", 0n), arg(1, "SCMP_CMP_LT", 1n));
    expect(await forbidden(profile, 0, 0)).toBe(true);
    expect(await forbidden(profile, 2, 0)).toBe(false);
  });

  test.skipIf(missing !== undefined)(title("looks at the bits of a mask"), async () => {
    const profile = when(arg(1, "SCMP_CMP_MASKED_EQ", 0xf0n, 0x10n));
    expect(await forbidden(profile, 0, 0x1f)).toBe(true);
    expect(await forbidden(profile, 0, 0x2f)).toBe(false);
  });

  test.skipIf(missing !== undefined)(
    title("takes two conditions on one argument for alternatives, as runc does"),
    async () => {
      const profile = when(arg(0, "SCMP_CMP_EQ", 0n), arg(0, "SCMP_CMP_EQ", 2n));
      expect(await forbidden(profile, 0, 0)).toBe(true);
      expect(await forbidden(profile, 2, 0)).toBe(true);
      expect(await forbidden(profile, 1, 0)).toBe(false);
    },
  );

  test.skipIf(missing !== undefined)(
    title("answers ENOSYS for a call that is newer than the profile, not EPERM (D39)"),
    async () => {
      const allowed = [...numbers].filter(([name, number]) => name !== "mkdir" && number < NEWEST);
      const profile = {
        DefaultAction: "SCMP_ACT_ERRNO",
        Syscalls: [{ Names: allowed.map(([name]) => name), Action: "SCMP_ACT_ALLOW" }],
      };
      expect(await probed(agent(), profile, [NEWEST + 100])).toBe(ENOSYS);
      if (numbers.has("mkdir")) expect(await probed(agent(), profile, ["mkdir", 0])).toBe(EPERM);
    },
  );
});
