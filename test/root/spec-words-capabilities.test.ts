// `process.capabilities`: all five sets, as the kernel shows them to the program.
import { expect, test } from "bun:test";
import { CAP } from "../../src/linux/capability-names.ts";
import type { TestAgent } from "../support/agent.ts";
import { type ProcessChange, idleContainer, linesOf } from "../support/container.ts";
import { statusOf } from "../support/proc-status.ts";
import { describeWithAgent } from "../support/with-agent.ts";

type Name = (typeof CAP)[number];
type Sets = {
  readonly bounding: readonly Name[];
  readonly effective: readonly Name[];
  readonly permitted: readonly Name[];
  readonly inheritable: readonly Name[];
  readonly ambient: readonly Name[];
};

/** What the spec asks for. */
function asked(sets: Partial<Sets>): NonNullable<ProcessChange["Capabilities"]> {
  return {
    Bounding: [...(sets.bounding ?? [])],
    Effective: [...(sets.effective ?? [])],
    Permitted: [...(sets.permitted ?? [])],
    Inheritable: [...(sets.inheritable ?? [])],
    Ambient: [...(sets.ambient ?? [])],
  };
}

const READ = ["cat", "/proc/self/status"];

/** The sets of a program, from /proc/self/status. */
function setsIn(text: string): Sets {
  const status = statusOf(text);
  const namesOf = (field: string): Name[] => {
    const mask = BigInt(`0x${status[field]}`);
    return CAP.filter((_, number) => ((mask >> BigInt(number)) & 1n) === 1n);
  };
  return {
    bounding: namesOf("CapBnd"),
    effective: namesOf("CapEff"),
    permitted: namesOf("CapPrm"),
    inheritable: namesOf("CapInh"),
    ambient: namesOf("CapAmb"),
  };
}

async function setsOf(agent: TestAgent, process: ProcessChange): Promise<Sets> {
  return setsIn((await linesOf(agent, "exec cat /proc/self/status", { process })).join("\n"));
}

const NONE: Sets = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
const user = { UID: 1000, GID: 1000 };

/** Of root: execve(2) gives it what the bounding set has. */
const TWO = ["CAP_CHOWN", "CAP_KILL"] as const;
/** Inside this machine's own bounding set, whatever that is. */
const THREE = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"] as const;
const SOME_INHERITABLE = asked({
  bounding: THREE,
  effective: THREE,
  permitted: THREE,
  inheritable: TWO,
});

describeWithAgent("process.capabilities", (agent) => {
  test("none are none, for root too", async () => {
    expect(await setsOf(agent(), { Capabilities: asked({}) })).toEqual(NONE);
    expect(await setsOf(agent(), { Capabilities: asked({}), User: user })).toEqual(NONE);
  });

  test("that the spec does not speak of are none", async () => {
    expect(await setsOf(agent(), { Capabilities: undefined })).toEqual(NONE);
  });

  test("of root are what its bounding set allows", async () => {
    const Capabilities = asked({ bounding: TWO, effective: TWO, permitted: TWO });
    const sets = await setsOf(agent(), { Capabilities });
    expect(sets).toEqual({ ...NONE, bounding: [...TWO], effective: [...TWO], permitted: [...TWO] });
  });

  test("of root can be inheritable", async () => {
    const sets = await setsOf(agent(), { Capabilities: SOME_INHERITABLE });
    expect(sets.inheritable).toEqual([...TWO]);
    expect(sets.permitted).toEqual([...THREE]);
  });

  test("of root that are only bounding come with execve, unless no privileges may be gained", async () => {
    const Capabilities = asked({ bounding: TWO });
    expect(await setsOf(agent(), { Capabilities })).toEqual({ ...NONE, bounding: [...TWO] });
    const sets = await setsOf(agent(), { Capabilities, NoNewPrivileges: false });
    expect(sets).toEqual({ ...NONE, bounding: [...TWO], effective: [...TWO], permitted: [...TWO] });
  });

  test("of another user stay behind at execve but for the bounding and the inheritable set", async () => {
    const sets = await setsOf(agent(), { Capabilities: SOME_INHERITABLE, User: user });
    expect(sets).toEqual({ ...NONE, bounding: [...THREE], inheritable: [...TWO] });
  });

  test("of another user that are ambient are effective", async () => {
    const Capabilities = asked({
      bounding: THREE,
      effective: TWO,
      permitted: TWO,
      inheritable: TWO,
      ambient: TWO,
    });
    const sets = await setsOf(agent(), { Capabilities, User: user });
    expect(sets).toEqual({
      bounding: [...THREE],
      effective: [...TWO],
      permitted: [...TWO],
      inheritable: [...TWO],
      ambient: [...TWO],
    });
  });

  test("that cannot be ambient are left out of the ambient set", async () => {
    const Capabilities = asked({
      bounding: THREE,
      effective: TWO,
      permitted: TWO,
      inheritable: ["CAP_CHOWN"],
      ambient: TWO,
    });
    const sets = await setsOf(agent(), { Capabilities, User: user });
    expect(sets.ambient).toEqual(["CAP_CHOWN"]);
  });

  test("of an exec are its own, or the container's where it says nothing", async () => {
    const two = asked({ bounding: TWO, effective: TWO, permitted: TWO });
    const three = asked({ bounding: THREE, effective: THREE, permitted: THREE });
    await using container = await idleContainer(agent(), { process: { Capabilities: three } });
    const execSets = async (Capabilities?: typeof two) =>
      setsIn((await container.run(READ, { Capabilities })).stdout);
    expect((await execSets(two)).permitted).toEqual([...TWO]);
    expect((await execSets()).permitted).toEqual([...THREE]);
    expect(await execSets(asked({}))).toEqual(NONE);
  });

  test("hold: without CAP_CHOWN root gives no file away", async () => {
    const script = "touch /tmp-file; chown 5:5 /tmp-file 2>/dev/null; stat -c %u /tmp-file";
    expect(await linesOf(agent(), script, { process: { Capabilities: asked({}) } })).toEqual(["0"]);
    const Capabilities = asked({ bounding: TWO, effective: TWO, permitted: TWO });
    expect(await linesOf(agent(), script, { process: { Capabilities } })).toEqual(["5"]);
  });

  test("are refused by a name that there is none of, and where they contradict each other", async () => {
    const unknown = setsOf(agent(), { Capabilities: { Bounding: ["CAP_FLY"] } });
    await expect(unknown).rejects.toThrow('invalid process.capabilities.bounding: "CAP_FLY"');
    const excess = setsOf(agent(), { Capabilities: asked({ bounding: TWO, effective: TWO }) });
    await expect(excess).rejects.toThrow("capability CAP_CHOWN is effective but not permitted");
  });
});
