import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tar } from "../../../src/release/tar.ts";

const scratch = mkdtempSync(join(tmpdir(), "kata-agent-tar-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Sizes around the size of a block; `at` makes them differ. */
const FILES = [0, 1, 511, 512, 513, 100_000].map((size, at) => ({
  path: `usr/lib/of-${size}-bytes`,
  permissions: at % 2 === 0 ? 0o644 : 0o755,
  bytes: new Uint8Array(size).fill(at),
}));

function gnuTar(archive: Uint8Array, ...options: readonly string[]): string {
  const command = ["tar", "--extract", "--file=-", `--directory=${scratch}`, ...options];
  const { success, stdout, stderr } = Bun.spawnSync(command, { stdin: archive });
  expect(stderr.toString()).toBe("");
  expect(success).toBe(true);
  return stdout.toString();
}

describe("an archive", () => {
  test("gives GNU tar the files that it was made of", () => {
    gnuTar(tar(FILES));
    for (const { path, permissions, bytes } of FILES) {
      expect(statSync(join(scratch, path)).mode & 0o7777).toBe(permissions);
      expect(Buffer.compare(readFileSync(join(scratch, path)), bytes)).toBe(0);
    }
  });

  test("names files of root's of 1980 and nothing else, in the order given", () => {
    const command = ["tar", "--list", "--verbose", "--full-time", "--utc", "--file=-"];
    const { stdout } = Bun.spawnSync(command, { stdin: tar(FILES) });
    expect(stdout.toString().trimEnd().replace(/ +/g, " ").split("\n")).toEqual(
      FILES.map(({ path, permissions, bytes }) => {
        const mode = permissions === 0o644 ? "-rw-r--r--" : "-rwxr-xr-x";
        return `${mode} root/root ${bytes.length} 1980-01-01 00:00:00 ${path}`;
      }),
    );
  });

  test("is whole records, as programs that read a tape want it", () => {
    expect(tar(FILES).length % 10_240).toBe(0);
    expect(tar([]).length).toBe(10_240);
  });

  test("is refused where a header has no room for a name or a size", () => {
    const [file] = FILES;
    if (file === undefined) throw new Error("no file");
    const long = { ...file, path: "x".repeat(101) };
    expect(() => tar([long])).toThrow(`${long.path}: name ${long.path} is too long`);
    expect(() => tar([{ ...file, permissions: 0o100000000 }])).toThrow("mode");
  });
});
