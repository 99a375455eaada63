import { describe, expect, test } from "bun:test";
import { deviceWrites } from "../../../src/cgroup/device-list.ts";
import {
  type DevicePolicy,
  deviceName,
  devicePolicy,
  deviceText,
} from "../../../src/cgroup/device-policy.ts";
import { deviceProgram } from "../../../src/cgroup/device-program.ts";
import { BPF_DEVCG_ACC, BPF_DEVCG_DEV, encodeEbpf } from "../../../src/linux/bpf.ts";
import type { DeviceCgroup } from "../../../src/oci/resources.ts";
import { deviceFilterOf, listEbpf } from "../../support/extended-bpf.ts";
import { pick, seeded } from "../../support/random.ts";

const denyAll: DeviceCgroup = { allow: false, type: "a", access: "rwm" };
const allowAll: DeviceCgroup = { allow: true, type: "a", access: "rwm" };

/** `c 1:3 rwm`, `b *:* m` */
function rule(verb: "allow" | "deny", text: string): DeviceCgroup {
  const [, type = "a", major = "*", minor = "*", access] =
    /^([abc]) (\d+|\*):(\d+|\*) ?([rwm]*)$/.exec(text) ?? [];
  const number = (word: string) => (word === "*" ? undefined : Number(word));
  return {
    allow: verb === "allow",
    type: type as DeviceCgroup["type"],
    major: number(major),
    minor: number(minor),
    access,
  };
}

/** One line an exception, as the file devices.list of v1 shows a default of deny. */
function listOf({ exceptions }: DevicePolicy): string[] {
  return [...exceptions.values()].map((each) => deviceText(deviceName(each), each.access));
}

const DEFAULTS = [
  "c *:* m",
  "b *:* m",
  "c 1:3 rwm",
  "c 1:5 rwm",
  "c 1:7 rwm",
  "c 1:8 rwm",
  "c 1:9 rwm",
  "c 5:0 rwm",
  "c 5:1 rwm",
  "c 5:2 rwm",
  "c 136:* rwm",
  "c 10:200 rwm",
];

/** Whether a policy lets a device be used, by its program. */
function permits(policy: DevicePolicy, text: string): boolean {
  const { type, major = 0, minor = 0, access = "" } = rule("allow", text);
  const bits = { m: BPF_DEVCG_ACC.MKNOD, r: BPF_DEVCG_ACC.READ, w: BPF_DEVCG_ACC.WRITE };
  const asked = Object.entries(bits).reduce(
    (sum, [letter, bit]) => (access.includes(letter) ? sum | bit : sum),
    0,
  );
  const kind = type === "b" ? BPF_DEVCG_DEV.BLOCK : BPF_DEVCG_DEV.CHAR;
  return deviceFilterOf(deviceProgram(policy))({ type: kind, access: asked, major, minor });
}

describe("the rules of a spec", () => {
  test("come after a ban on everything, and before what every container may use", () => {
    const policy = devicePolicy([rule("allow", "b 8:0 r")]);
    expect(policy.allow).toBe(false);
    expect(listOf(policy)).toEqual(["b 8:0 r", ...DEFAULTS]);
  });

  test("may be missing, as Kata's runtimes leave them out", () => {
    expect(listOf(devicePolicy([]))).toEqual(DEFAULTS);
    expect(listOf(devicePolicy([denyAll]))).toEqual(DEFAULTS);
  });

  test("may allow all there is", () => {
    expect(devicePolicy([denyAll, allowAll])).toEqual({ allow: true, exceptions: new Map() });
  });

  test.each<[string, DeviceCgroup[], string[]]>([
    ["add up", [rule("allow", "b 8:0 r"), rule("allow", "b 8:0 w")], ["b 8:0 rw"]],
    ["take back", [rule("allow", "b 8:0 rwm"), rule("deny", "b 8:0 w")], ["b 8:0 rm"]],
    ["take all back", [rule("allow", "b 8:0 rw"), rule("deny", "b 8:0 rw")], []],
    ["forget what was before all", [rule("allow", "b 8:0 rw"), denyAll], []],
    ["forbid what is not allowed", [rule("deny", "b 8:0 rw")], []],
    ["do nothing without letters", [rule("allow", "b 8:0 ")], []],
    ["have no letters where they are for all", [{ ...denyAll, access: undefined }], []],
  ])("%s", (_, rules, list) => {
    expect(listOf(devicePolicy(rules))).toEqual([...list, ...DEFAULTS]);
  });

  test("may forbid some of all", () => {
    const policy = devicePolicy([allowAll, rule("deny", "b 8:* rw"), rule("deny", "c 1:3 w")]);
    expect({ allow: policy.allow, list: listOf(policy) }).toEqual({
      allow: true,
      list: ["b 8:* rw"],
    });
    expect(permits(policy, "b 8:1 r")).toBe(false);
    expect(permits(policy, "b 8:1 m")).toBe(true);
    expect(permits(policy, "b 9:1 rw")).toBe(true);
  });

  test("keep from the defaults what they forbid as a part of more", () => {
    const policy = devicePolicy([allowAll, rule("deny", "c 1:* rwm")]);
    expect(permits(policy, "c 1:3 r")).toBe(false);
    expect(permits(policy, "c 2:3 r")).toBe(true);
  });

  test("cannot take a part away from more", () => {
    expect(() => devicePolicy([rule("allow", "c 10:* rw"), rule("deny", "c 10:1 w")])).toThrow(
      "linux.resources.devices[1]: c 10:1 w is a part of c 10:*, from which nothing can be taken",
    );
    expect(() =>
      devicePolicy([allowAll, rule("deny", "b *:* w"), rule("allow", "b 8:0 w")]),
    ).toThrow(
      "linux.resources.devices[2]: b 8:0 w is a part of b *:*, from which nothing can be taken",
    );
    expect(listOf(devicePolicy([rule("allow", "c 10:* r"), rule("deny", "c 10:1 w")]))).toContain(
      "c 10:* r",
    );
  });

  test("of an update go on from what is in force", () => {
    const before = devicePolicy([rule("allow", "b 8:0 r")]);
    expect(listOf(devicePolicy([rule("allow", "b 8:16 r")], before))).toEqual([
      "b 8:0 r",
      ...DEFAULTS,
      "b 8:16 r",
    ]);
    expect(listOf(devicePolicy([denyAll], before))).toEqual(DEFAULTS);
  });
});

describe("the list of v1", () => {
  const writesOf = (from: DevicePolicy | undefined, to: DevicePolicy) =>
    deviceWrites(from, to).map(({ file, value }) => `${file} ${value}`);

  test("of a new cgroup is forgotten first", () => {
    expect(writesOf(undefined, devicePolicy([]))).toEqual([
      "devices.deny a *:* rwm",
      ...DEFAULTS.map((each) => `devices.allow ${each}`),
    ]);
    expect(writesOf(undefined, devicePolicy([allowAll, rule("deny", "b 8:0 rw")]))).toEqual([
      "devices.allow a *:* rwm",
      "devices.deny b 8:0 rw",
    ]);
  });

  test("changes by the difference, and gives before it takes", () => {
    const before = devicePolicy([rule("allow", "b 8:0 rw"), rule("allow", "b 8:16 rw")]);
    const after = devicePolicy([rule("allow", "b 8:0 rm"), rule("allow", "b 8:32 r")]);
    expect(writesOf(before, after)).toEqual([
      "devices.allow b 8:0 m",
      "devices.allow b 8:32 r",
      "devices.deny b 8:0 w",
      "devices.deny b 8:16 rw",
    ]);
    expect(writesOf(after, after)).toEqual([]);
  });

  test("names the rule, and bears with a parent that lacks what nobody asked for", () => {
    const writes = deviceWrites(undefined, devicePolicy([denyAll, rule("allow", "b 8:0 r")]));
    expect(writes.slice(0, 3)).toEqual([
      { field: "devices", file: "devices.deny", value: "a *:* rwm" },
      { field: "devices[1]", file: "devices.allow", value: "b 8:0 r" },
      { field: "devices", file: "devices.allow", value: "c *:* m", tolerated: ["EPERM"] },
    ]);
  });
});

describe("the program of v2", () => {
  test("is the default alone where there are no exceptions", () => {
    expect(listEbpf(deviceProgram(devicePolicy([allowAll])))).toBe(
      [
        "0: LDX_MEM_W r2 [r1+0]",
        "1: ALU_MOV_X r3 r2",
        "2: ALU_AND_K r2 65535",
        "3: ALU_RSH_K r3 16",
        "4: LDX_MEM_W r4 [r1+4]",
        "5: LDX_MEM_W r5 [r1+8]",
        "6: ALU_MOV_K r0 1",
        "7: EXIT",
      ].join("\n"),
    );
  });

  test("tests type, access, major and minor of each exception, as far as it has them", () => {
    const policy = devicePolicy([denyAll, rule("allow", "b 8:16 r")]);
    const lines = listEbpf(deviceProgram(policy)).split("\n");
    expect(lines.slice(6, 20)).toEqual([
      "6: JMP32_JNE_K r2 1 →14",
      "7: ALU_MOV_X r6 r3",
      "8: ALU_AND_K r6 2",
      "9: JMP32_JNE_X r6 r3 →14",
      "10: JMP32_JNE_K r4 8 →14",
      "11: JMP32_JNE_K r5 16 →14",
      "12: ALU_MOV_K r0 1",
      "13: EXIT",
      // c *:* m
      "14: JMP32_JNE_K r2 2 →20",
      "15: ALU_MOV_X r6 r3",
      "16: ALU_AND_K r6 1",
      "17: JMP32_JNE_X r6 r3 →20",
      "18: ALU_MOV_K r0 1",
      "19: EXIT",
    ]);
  });

  test.each([
    ["c 1:3 rw", true],
    ["c 1:3 rwm", true],
    ["c 136:4000 rw", true],
    ["c 1:1 r", false],
    ["c 1:1 m", true],
    ["c 1:1 rm", false],
    ["b 8:0 m", true],
    ["b 8:0 r", false],
    ["b 1:3 r", false],
  ])("of the defaults answers for %s with %p", (asked, answer) => {
    expect(permits(devicePolicy([]), asked)).toBe(answer);
  });

  test("compares whole numbers, also those that a signed word cannot hold", () => {
    const policy = devicePolicy([rule("allow", "c 4294967295:4294967294 r")]);
    expect(permits(policy, "c 4294967295:4294967294 r")).toBe(true);
    expect(permits(policy, "c 4294967295:4294967295 r")).toBe(false);
  });

  test("is written in eight bytes an instruction", () => {
    const bytes = encodeEbpf([{ code: 0x56, dst: 4, src: 3, off: -2, imm: 0xfffffffe }]);
    expect(Buffer.from(bytes).toString("hex")).toBe("5634fefffeffffff");
  });

  test("says what the exceptions say, for any rules", () => {
    const random = seeded(20_261_125);
    const NUMBERS = ["1", "2", "*"];
    for (let round = 0; round < 300; round++) {
      const rules = Array.from({ length: Math.floor(random() * 8) }, () => {
        const verb = pick(random, ["allow", "deny"] as const);
        const text = `${pick(random, ["b", "c"])} ${pick(random, NUMBERS)}:${pick(random, NUMBERS)} ${pick(random, ["r", "w", "rw", "rwm", "m"])}`;
        return random() < 0.1 ? pick(random, [allowAll, denyAll]) : rule(verb, text);
      });
      let policy: DevicePolicy;
      try {
        policy = devicePolicy(rules);
      } catch (error) {
        expect(String(error)).toContain("is a part of");
        continue;
      }
      for (const type of ["b", "c"] as const)
        for (const device of ["1:1", "1:2", "2:1", "2:9", "9:9"])
          for (const access of ["r", "w", "m", "rw", "rwm"]) {
            const asked = `${type} ${device} ${access}`;
            expect([asked, permits(policy, asked)]).toEqual([asked, byExceptions(policy, asked)]);
          }
    }
  });
});

/** match_exception and match_exception_partial of the kernel's security/device_cgroup.c. */
function byExceptions({ allow, exceptions }: DevicePolicy, text: string): boolean {
  const asked = rule("allow", text);
  const fits = [...exceptions.values()].some((each) => {
    const same = (one: number | undefined, other: number | undefined) =>
      one === undefined || one === other;
    const letters = deviceText("", each.access);
    const held = [...(asked.access ?? "")].filter((letter) => letters.includes(letter)).length;
    return (
      each.type === asked.type &&
      same(each.major, asked.major) &&
      same(each.minor, asked.minor) &&
      (allow ? held > 0 : held === asked.access?.length)
    );
  });
  return fits ? !allow : allow;
}
