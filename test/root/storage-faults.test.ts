// Each system call of a mount made to fail: the error names it, and nothing is left that is mounted.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { work } from "../../src/child/work.ts";
import { startReaper } from "../../src/kernel/reaper.ts";
import { close } from "../../src/linux/io.ts";
import { type MountRequest, mountProgram } from "../../src/storage/mount-program.ts";
import { Tape } from "../../src/tape/tape.ts";
import { CALLER, STATE, mountedAt, seen } from "../support/storages.ts";

const LIMITS = { signal: CALLER, timeoutMs: 10_000 };
const why = process.getuid?.() === 0 ? "" : " (skipped: needs root)";

describe.skipIf(why !== "")(`a mount of which a step fails${why}`, () => {
  const directory = mkdtempSync(join(tmpdir(), "kata-faults-"));
  beforeAll(() => {
    startReaper();
    mkdirSync(join(directory, "source"));
    writeFileSync(join(directory, "file"), "");
  });
  afterAll(() => {
    process.removeAllListeners("SIGCHLD");
    rmSync(directory, { recursive: true });
  });

  test.each<[string, Omit<MountRequest, "target">]>([
    ["a tmpfs", { source: "tmpfs", fstype: "tmpfs", options: ["size=1m", "nosuid", "rprivate"] }],
    ["a directory", { source: join(directory, "source"), fstype: "bind", options: ["ro"] }],
    ["a file", { source: join(directory, "file"), fstype: "bind", options: ["nodev"] }],
  ])("leaves nothing of %s", async (kind, asked) => {
    const target = `${STATE}/faults/${kind.replace(" ", "-")}`;
    const program = mountProgram({ ...asked, target });
    const whole = new Tape();
    program(whole);
    const attached = whole.ops.findIndex(({ call }) => call?.name === "move_mount");
    const before = seen().mounts;
    const quiet: number[] = [];
    for (const index of whole.ops.keys()) {
      const error = await failAt(program, index);
      if (error === undefined) quiet.push(index);
      else expect(String(error)).toContain(`${whole.ops[index]?.label}: EBADF`);
      // What comes after that is taken back by whoever asked for the mount.
      expect(mountedAt(target)).toBe(index > attached || error === undefined ? 1 : 0);
      if (mountedAt(target) > 0) Bun.spawnSync(["umount", target]);
      expect(seen().mounts).toEqual(before);
    }
    // Only steps of the other kind, a directory's or a file's, are not taken.
    expect(quiet.map((index) => whole.ops[index]?.label)).toEqual(
      kind === "a directory"
        ? [`make file ${target}`]
        : kind === "a file"
          ? [`make directory ${target}`]
          : [],
    );
  });
});

/** What the program throws when its op does not do what it should. */
async function failAt(program: (tape: Tape) => void, index: number): Promise<unknown> {
  try {
    await work((tape) => {
      const first = tape.ops.length;
      program(tape);
      const op = tape.ops[first + index];
      if (op !== undefined) tape.ops[first + index] = { ...op, call: close(-1), tolerated: [] };
    }, LIMITS);
    return undefined;
  } catch (error) {
    return error;
  }
}
