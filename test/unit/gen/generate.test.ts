// Holds src/gen against proto/: a protocol file changed without `bun run gen`, or generated code
// edited by hand, shows here.
import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "../../..");
const title = "Generating from proto/ anew yields the files of src/gen, byte for byte";
const absent = "protoc is absent: install Debian's protobuf-compiler and libprotobuf-dev";

function filesOf(directory: string): Record<string, string> {
  const names = readdirSync(directory).toSorted();
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(directory, name), "utf8")]),
  );
}

if (Bun.which("protoc") === null) {
  test.skip(`${title} (${absent}).`, () => {});
} else {
  test(`${title}.`, () => {
    const fresh = mkdtempSync(join(tmpdir(), "gen-"));
    try {
      const run = Bun.spawnSync(["bash", join(root, "proto/generate.sh"), fresh]);
      expect({ stderr: run.stderr.toString(), exitCode: run.exitCode }).toEqual({
        stderr: "",
        exitCode: 0,
      });
      expect(filesOf(fresh)).toEqual(filesOf(join(root, "src/gen")));
    } finally {
      rmSync(fresh, { recursive: true });
    }
  });
}
