// The units of docs/systemd, against process.md section 8.2 and systemd's own reading of them.
import { describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noSystemd, verifyUnits } from "../../support/systemd.ts";
import { filesOf, textOf } from "./source.ts";

const SERVICE = "docs/systemd/kata-agent.service";
const TARGET = "docs/systemd/kata-containers.target";
const UNITS = [SERVICE, TARGET];

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
    expect(filesOf("docs/systemd/*")).toEqual(UNITS);
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

  const lacks = noSystemd === undefined ? "" : ` (needs ${noSystemd})`;
  test.skipIf(lacks !== "")(`are understood by systemd, every line of them${lacks}`, () => {
    expect(complaints((text) => text)).toBe("");
    // It does complain where there is reason to.
    expect(complaints((text) => text.replace("LimitNOFILE", "LimitNoFile"))).toContain(
      "LimitNoFile",
    );
  });
});

/** What systemd says of the units, changed by `change`. */
function complaints(change: (text: string) => string): string {
  const root = mkdtempSync(join(tmpdir(), "kata-agent-units-"));
  try {
    const directory = join(root, "usr/lib/systemd/system");
    mkdirSync(directory, { recursive: true });
    const names = UNITS.map((path) => path.slice(path.lastIndexOf("/") + 1));
    for (const name of names) {
      writeFileSync(join(directory, name), change(textOf(`docs/systemd/${name}`)));
    }
    mkdirSync(join(root, "usr/bin"));
    copyFileSync("/bin/true", join(root, "usr/bin/kata-agent"));
    return verifyUnits(root, names);
  } finally {
    rmSync(root, { recursive: true });
  }
}
