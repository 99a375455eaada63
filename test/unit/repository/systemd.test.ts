// The units of docs/systemd, against process.md section 8.2 and systemd's own reading of them.
import { describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ROOT, filesOf, textOf } from "./source.ts";

const SERVICE = "docs/systemd/kata-agent.service";
const TARGET = "docs/systemd/kata-containers.target";

/** `Section.Key: value`, in its order; a list that one line holds is one line. */
function settingsOf(path: string): string[] {
  let section = "";
  return textOf(path)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .flatMap((line) => {
      section = /^\[(\w+)\]$/.exec(line)?.[1] ?? section;
      const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
      return key === undefined ? [] : [`${section}.${key}: ${value}`];
    });
}

const withoutWords = (settings: string[]) =>
  settings.filter((each) => !/\.(Description|Documentation):/.test(each));

describe("the units for systemd", () => {
  test("are the two that a guest needs", () => {
    expect(filesOf("docs/systemd/*")).toEqual([SERVICE, TARGET]);
  });

  test("run the agent so that the guest ends with it", () => {
    expect(withoutWords(settingsOf(SERVICE))).toEqual([
      "Unit.Wants: kata-containers.target",
      "Service.Type: simple",
      "Service.ExecStart: /usr/bin/kata-agent",
      "Service.StandardOutput: tty",
      "Service.LimitNOFILE: 1073741824",
      "Service.OOMScoreAdjust: -997",
      "Service.ExecStop: /bin/sync",
      "Service.ExecStop: /usr/bin/systemctl --force poweroff",
      "Service.FailureAction: poweroff",
    ]);
  });

  test("are what the runtime boots into", () => {
    expect(withoutWords(settingsOf(TARGET))).toEqual([
      "Unit.Requires: basic.target",
      "Unit.Requires: tmp.mount",
      "Unit.Requires: kata-agent.service",
      "Unit.Wants: chronyd.service",
      "Unit.Conflicts: rescue.service rescue.target",
      "Unit.After: basic.target rescue.service rescue.target",
      "Unit.AllowIsolate: yes",
    ]);
  });

  const lacks = Bun.which("systemd-analyze") === null ? " (needs Debian's package systemd)" : "";
  test.skipIf(lacks !== "")(`are understood by systemd, every line of them${lacks}`, () => {
    expect(complaints((text) => text)).toBe("");
    // It does complain where there is reason to.
    expect(complaints((text) => text.replace("LimitNOFILE", "LimitNoFile"))).toContain(
      "LimitNoFile",
    );
  });
});

/** What is in every image: programs that the units name, and units that they rest on. */
const PROGRAMS = ["/usr/bin/kata-agent", "/usr/bin/systemctl", "/bin/sync"];
const TARGETS = ["sysinit", "basic", "shutdown", "rescue", "umount", "local-fs", "local-fs-pre"];

/** What systemd says of the units, changed by `change`, in an image that has all they need. */
function complaints(change: (text: string) => string): string {
  const root = mkdtempSync(join(tmpdir(), "kata-agent-units-"));
  const units = join(root, "usr/lib/systemd/system");
  try {
    mkdirSync(units, { recursive: true });
    for (const program of PROGRAMS) {
      mkdirSync(join(root, dirname(program)), { recursive: true });
      copyFileSync("/bin/true", join(root, program));
    }
    for (const name of [...TARGETS, "swap"]) {
      writeFileSync(join(units, `${name}.target`), "[Unit]\nDescription=in every image\n");
    }
    writeFileSync(join(units, "tmp.mount"), "[Mount]\nWhat=tmpfs\nWhere=/tmp\nType=tmpfs\n");
    writeFileSync(join(units, "rescue.service"), "[Service]\nExecStart=/bin/sync\n");
    const names = [SERVICE, TARGET].map((path) => path.slice(path.lastIndexOf("/") + 1));
    for (const name of names) {
      writeFileSync(join(units, name), change(textOf(`docs/systemd/${name}`)));
    }
    const command = ["systemd-analyze", "verify", "--man=no", `--root=${root}`, ...names];
    const { stderr } = Bun.spawnSync(command, { cwd: ROOT });
    return stderr.toString();
  } finally {
    rmSync(root, { recursive: true });
  }
}
