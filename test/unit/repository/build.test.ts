import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import manifest from "../../../package.json" with { type: "json" };
import { ROOT } from "./source.ts";

function run(command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: ROOT });
  if (exitCode !== 0) throw new Error(stderr.toString());
  return stdout.toString();
}

test("two builds are the same bytes, and know version and commit", async () => {
  const directory = mkdtempSync(join(tmpdir(), "kata-agent-build-"));
  try {
    const builds = ["first", "second"].map((name) => {
      run([process.execPath, "build.ts", join(directory, name)]);
      return join(directory, name, "kata-agent");
    });
    const digests = builds.map(async (path) =>
      new Bun.CryptoHasher("sha256").update(await Bun.file(path).arrayBuffer()).digest("hex"),
    );
    const [first, second] = await Promise.all(digests);
    expect(second).toBe(first);
    const version = run([builds[0] ?? "", "--version"]);
    expect(version).toStartWith(`kata-agent version ${manifest.version} (`);
    expect(version).toContain(`, commit version: ${manifest.version}${commit()}, `);
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 60_000);

/** As Kata's own agent has it: what git does not keep does not count. */
function commit(): string {
  // Outside of a repository, as in an archive of the sources, there is none.
  if (!existsSync(join(ROOT, ".git"))) return "";
  const changed = run(["git", "status", "--porcelain", "--untracked-files=no"]) !== "";
  return `-${run(["git", "rev-parse", "HEAD"]).trimEnd()}${changed ? "-dirty" : ""}`;
}
