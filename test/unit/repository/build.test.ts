import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import manifest from "../../../package.json" with { type: "json" };
import { ROOT } from "./source.ts";

function run(command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: ROOT });
  if (exitCode !== 0) throw new Error(stderr.toString());
  return stdout.toString();
}

test("two builds are the same bytes, and know the version of package.json", async () => {
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
    expect(run([builds[0] ?? "", "--version"])).toStartWith(
      `kata-agent version ${manifest.version} (`,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 60_000);
