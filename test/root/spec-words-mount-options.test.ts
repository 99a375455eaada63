// The options of `mounts`, each read back from the container's own mountinfo.
import { beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type MountinfoEntry, parseMountinfo } from "../../src/linux/mountinfo.ts";
import type { TestAgent } from "../support/agent.ts";
import { type MountChange, linesOf } from "../support/container.ts";
import { inGuest } from "../support/guest.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const AT = "/mnt/here";

/** The mounts at and below AT, by their place: one for each that is asked for. */
async function mounted(agent: TestAgent, mounts: readonly MountChange[]) {
  const lines = await linesOf(agent, "cat /proc/self/mountinfo", { mounts });
  const all = parseMountinfo(lines.join("\n"));
  return new Map(
    all
      .filter(({ mountPoint }) => mountPoint.startsWith(AT))
      .map((entry) => [entry.mountPoint, entry]),
  );
}

async function mountedWith(agent: TestAgent, mount: MountChange): Promise<MountinfoEntry> {
  const entry = (await mounted(agent, [{ destination: AT, ...mount }])).get(AT);
  if (entry === undefined) throw new Error(`nothing is mounted on ${AT}`);
  return entry;
}

const tmpfs = (options: readonly string[]): MountChange => ({
  type: "tmpfs",
  source: "tmpfs",
  options: [...options],
});

/** What each option adds to a mount that would else be `rw,relatime`; in place of which word. */
const ON_A_MOUNT = [
  ["ro", ["ro", "relatime"]],
  ["nosuid", ["rw", "nosuid", "relatime"]],
  ["nodev", ["rw", "nodev", "relatime"]],
  ["noexec", ["rw", "noexec", "relatime"]],
  ["noatime", ["rw", "noatime"]],
  ["nodiratime", ["rw", "nodiratime", "relatime"]],
  ["relatime", ["rw", "relatime"]],
  ["strictatime", ["rw"]],
  ["nosymfollow", ["rw", "relatime", "nosymfollow"]],
] as const;

/** The option that takes back each. */
const OPPOSITE = {
  ro: "rw",
  nosuid: "suid",
  nodev: "dev",
  noexec: "exec",
  nosymfollow: "symfollow",
  noatime: "atime",
  nodiratime: "diratime",
  relatime: "norelatime",
  strictatime: "nostrictatime",
} as const;

const ON_A_FILE_SYSTEM = ["sync", "dirsync", "lazytime"] as const;
const OFF_A_FILE_SYSTEM = { sync: "async", dirsync: "", lazytime: "nolazytime" } as const;

/** The kernel takes them and shows nothing. */
const WITHOUT_TRACE = [
  "defaults",
  "silent",
  "loud",
  "mand",
  "nomand",
  "iversion",
  "noiversion",
  "async",
  "rw",
  "suid",
  "dev",
  "exec",
  "atime",
  "diratime",
  "norelatime",
  "nostrictatime",
];

const PLAIN = ["rw", "relatime"];

describeWithAgent("an option of a tmpfs", (agent) => {
  test.each(ON_A_MOUNT)("%s is an option of the mount", async (option, expected) => {
    const { options } = await mountedWith(agent(), tmpfs([option]));
    expect(options).toEqual([...expected]);
    const takenBack = await mountedWith(agent(), tmpfs([option, OPPOSITE[option]]));
    expect(takenBack.options).toEqual(PLAIN);
  });

  test.each(ON_A_FILE_SYSTEM)("%s is an option of the file system", async (option) => {
    const { superOptions } = await mountedWith(agent(), tmpfs([option]));
    expect(superOptions).toContain(option);
    const off = OFF_A_FILE_SYSTEM[option];
    if (off === "") return;
    const takenBack = await mountedWith(agent(), tmpfs([option, off]));
    expect(takenBack.superOptions).not.toContain(option);
  });

  test.each(WITHOUT_TRACE)("%s changes nothing that is so already", async (option) => {
    expect((await mountedWith(agent(), tmpfs([option]))).options).toEqual(PLAIN);
  });

  test("of its own goes to the file system", async () => {
    const script = `stat -c '%a %u %g' ${AT}; df -k ${AT} | tail -n 1`;
    const options = ["size=2m", "mode=1750", "uid=5", "gid=6", "nr_inodes=9"];
    const mounts = [{ destination: AT, ...tmpfs(options) }];
    const [mode, size] = await linesOf(agent(), script, { mounts });
    expect(mode).toBe("1750 5 6");
    expect(size).toMatch(/ 2048 /);
    const { superOptions } = await mountedWith(agent(), tmpfs(options));
    expect(superOptions).toEqual(expect.arrayContaining(["size=2048k", "nr_inodes=9"]));
  });

  test("that it does not know is refused by name", async () => {
    const asked = mountedWith(agent(), tmpfs(["nosuid", "color=red"]));
    await expect(asked).rejects.toThrow(`set color=red of ${AT}: EINVAL: Invalid argument`);
  });

  test("ro holds for the container and not for what is mounted in it later", async () => {
    const script = `touch ${AT}/file 2>&1; touch ${AT}/inner/file && echo written`;
    const mounts = [
      { destination: AT, ...tmpfs(["ro"]) },
      { destination: `${AT}/inner`, ...tmpfs([]) },
    ];
    expect(await linesOf(agent(), script, { mounts })).toEqual([
      `touch: ${AT}/file: Read-only file system`,
      "written",
    ]);
  });

  test("noexec is obeyed", async () => {
    const script = `cp /bin/busybox ${AT}/true; ${AT}/true 2>/dev/null; echo $?`;
    const mounts = [{ destination: AT, ...tmpfs(["noexec"]) }];
    expect(await linesOf(agent(), script, { mounts })).toEqual(["126"]);
  });
});

describeWithAgent("an option of a bind mount", (agent) => {
  let source = "";
  let restricted = "";

  beforeAll(() => {
    source = join(agent().directory, "plain");
    restricted = join(agent().directory, "restricted");
    mkdirSync(join(source, "below"), { recursive: true });
    mkdirSync(restricted);
    const all = "ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow";
    inGuest(agent(), "mount", "-t", "tmpfs", "tmpfs", source);
    inGuest(agent(), "mkdir", `${source}/below`);
    inGuest(agent(), "mount", "-t", "tmpfs", "tmpfs", `${source}/below`);
    inGuest(agent(), "mount", "-t", "tmpfs", "-o", all, "tmpfs", restricted);
  });

  const bind = (from: string, ...options: string[]) =>
    mountedWith(agent(), { type: "bind", source: from, options });

  test.each(ON_A_MOUNT)("%s is an option of this one mount", async (option, expected) => {
    expect((await bind(source, "bind", option)).options).toEqual([...expected]);
    expect((await bind(source, "bind")).options).toEqual(PLAIN);
  });

  test("is that of its source where none is named", async () => {
    expect((await bind(restricted, "rbind")).options).toEqual([
      "ro",
      "nosuid",
      "nodev",
      "noexec",
      "noatime",
      "nodiratime",
      "nosymfollow",
    ]);
  });

  test.each([
    ["rw", "ro"],
    ["suid", "nosuid"],
    ["dev", "nodev"],
    ["exec", "noexec"],
    ["atime", "noatime"],
    ["diratime", "nodiratime"],
    ["symfollow", "nosymfollow"],
  ])("%s takes one away that its source has", async (option, gone) => {
    const { options } = await bind(restricted, "bind", option);
    expect(options).not.toContain(gone);
  });

  test("bind shows a directory without, and rbind with, what is mounted in it", async () => {
    const shown = async (option: string) => {
      const mount = { destination: AT, type: "bind", source, options: [option] };
      return [...(await mounted(agent(), [mount])).keys()];
    };
    expect(await shown("bind")).toEqual([AT]);
    expect(await shown("rbind")).toEqual([AT, `${AT}/below`]);
  });

  test("of the ordinary kind holds for the top, of the recursive kind for all below", async () => {
    const flags = async (...options: string[]) => {
      const mount = { destination: AT, type: "bind", source, options: ["rbind", ...options] };
      const found = await mounted(agent(), [mount]);
      return [found.get(AT)?.options, found.get(`${AT}/below`)?.options];
    };
    expect(await flags("ro", "nosuid")).toEqual([["ro", "nosuid", "relatime"], PLAIN]);
    const both = ["ro", "nosuid", "noatime"];
    expect(await flags("rro", "rnosuid", "rnoatime")).toEqual([both, both]);
    expect(await flags("rro", "rrw", "rnoexec", "rexec")).toEqual([PLAIN, PLAIN]);
  });

  test.each([
    ["rnodev", "nodev"],
    ["rnoexec", "noexec"],
    ["rnodiratime", "nodiratime"],
    ["rnosymfollow", "nosymfollow"],
    ["rrelatime", "relatime"],
  ])("%s is %s for the whole tree", async (option, word) => {
    const mount = { destination: AT, type: "bind", source, options: ["rbind", option] };
    const found = await mounted(agent(), [mount]);
    expect([...found.values()].map(({ options }) => options.includes(word))).toEqual([true, true]);
  });

  test.each([
    ["rrw", "ro"],
    ["rsuid", "nosuid"],
    ["rdev", "nodev"],
    ["rexec", "noexec"],
    ["ratime", "noatime"],
    ["rdiratime", "nodiratime"],
    ["rsymfollow", "nosymfollow"],
    ["rstrictatime", "noatime"],
  ])("%s takes away %s", async (option, gone) => {
    expect((await bind(restricted, "rbind", option)).options).not.toContain(gone);
  });

  // As runtime-rs hands on those of a volume's disk.
  test("that only a file system could know changes nothing but the log", async () => {
    const plain = await bind(source, "bind", "nosuid");
    expect(await bind(source, "bind", "nosuid", "discard", "size=1m")).toEqual(plain);
    expect(agent().log).toMatch(/a bind mount has no file system's options.*"discard size=1m"/);
  });
});

describeWithAgent("the option remount", (agent) => {
  const made = { destination: AT, ...tmpfs(["nosuid"]) };
  const change = (...options: string[]) => mounted(agent(), [made, { destination: AT, options }]);

  test.each([
    ["alone", ["remount", "ro", "nodev"]],
    ["with bind", ["bind", "remount", "ro", "nodev"]],
  ])("%s changes the mount that is there", async (_, options) => {
    const found = await change(...options);
    expect(found.get(AT)?.fstype).toBe("tmpfs");
    expect(found.get(AT)?.options).toEqual(["ro", "nosuid", "nodev", "relatime"]);
  });

  test("is refused where nothing is mounted", async () => {
    const mount = { destination: "/etc", options: ["remount", "ro"] };
    await expect(mounted(agent(), [mount])).rejects.toThrow("remount /etc: EINVAL");
  });
});
