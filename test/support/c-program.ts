// Ask the C compiler what the machine's own headers say.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "bun:test";

/** What the tests that compile C lack here; undefined if nothing. */
const missing =
  Bun.which("cc") === null || !existsSync("/usr/include/linux/openat2.h")
    ? "cc and the kernel's headers: Debian packages gcc, libc6-dev and linux-libc-dev"
    : undefined;

/** A test that compiles C. Skipped, with what to install in its title, where it cannot run. */
export function testWithC(title: string, body: () => void): void {
  test.skipIf(missing !== undefined)(missing ? `${title} (needs ${missing})` : title, body);
}

/** The lines that `main` prints. Throws with the compiler's words for what the headers do not know. */
export function linesOf(includes: readonly string[], main: string): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), "kata-agent-c-"));
  try {
    const program = join(directory, "program");
    const source = [
      ...includes.map((header) => `#include <${header}>`),
      "int printf(const char *, ...);",
      `int main(void) { ${main} return 0; }\n`,
    ].join("\n");
    output(["cc", "-w", "-x", "c", "-o", program, "-"], source);
    return output([program], "").trimEnd().split("\n");
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function output(command: string[], stdin: string): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { stdin: Buffer.from(stdin) });
  if (exitCode !== 0) throw new Error(stderr.toString());
  return stdout.toString();
}
