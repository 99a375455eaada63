import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guestHooksIn } from "../../../src/guest/hooks.ts";
import { MOST_HOOKS } from "../../../src/oci/validate-hooks.ts";

const directory = mkdtempSync(join(tmpdir(), "kata-agent-guest-hooks-"));
afterAll(() => rmSync(directory, { recursive: true }));

let serial = 0;

/** A directory of hooks with these files and their modes. */
function hooks(files: Readonly<Record<string, number>>): string {
  const path = join(directory, String(++serial));
  for (const [name, mode] of Object.entries(files)) {
    mkdirSync(join(path, name, ".."), { recursive: true });
    writeFileSync(join(path, name), "", { mode });
  }
  return path;
}

async function found(path: string) {
  const reports: string[] = [];
  const lists = await guestHooksIn(path, (at, error) => reports.push(`${at}: ${error}`));
  const args = Object.entries(lists).flatMap(([kind, list]) =>
    (list ?? []).map((hook) => `${kind}: ${hook.path.slice(path.length)} ${hook.args?.join(" ")}`),
  );
  return { args, reports };
}

describe("hooks of the guest", () => {
  test("are the programs of each kind, by name, told their name and their kind", async () => {
    const path = hooks({ "prestart/b": 0o755, "prestart/a": 0o100, "poststop/z": 0o701 });
    expect(await found(path)).toEqual({
      args: [
        "prestart: /prestart/a a prestart",
        "prestart: /prestart/b b prestart",
        "poststop: /poststop/z z poststop",
      ],
      reports: [],
    });
  });

  test("are no other things that are there", async () => {
    const path = hooks({ "prestart/data": 0o644, "prestart/real": 0o755, createRuntime: 0o755 });
    mkdirSync(join(path, "prestart/directory"));
    symlinkSync("real", join(path, "prestart/link"));
    expect(await found(path)).toEqual({
      args: ["prestart: /prestart/real real prestart"],
      reports: [],
    });
  });

  test("are none where there is no directory", async () => {
    expect(await found("/nowhere")).toEqual({ args: [], reports: [] });
  });

  test("are not taken of a kind that is a program of the container's, which is said", async () => {
    const { args, reports } = await found(hooks({ "startContainer/x": 0o755 }));
    expect(args).toEqual([]);
    expect(reports).toEqual([expect.stringContaining("/startContainer: it names programs of")]);
  });

  test("are not taken of a kind that has too many, which is said", async () => {
    const many = Object.fromEntries(
      Array.from({ length: MOST_HOOKS + 1 }, (_, index) => [`prestart/${index}`, 0o755]),
    );
    const { args, reports } = await found(hooks({ ...many, "poststart/one": 0o755 }));
    expect(args).toEqual(["poststart: /poststart/one one poststart"]);
    expect(reports).toEqual([expect.stringContaining(`more than ${MOST_HOOKS} programs`)]);
  });
});
