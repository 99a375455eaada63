// Programs of the Go module beside this file, made from our own protocol files.
import { join } from "node:path";

const MODULE = join(import.meta.dir, "go");

/** What cannot be made here for want of this; undefined if nothing. */
export const missingForGo = ["go", "protoc"].every((program) => Bun.which(program) !== null)
  ? undefined
  : "Go 1.24, and protoc with its include files: Debian's protobuf-compiler and libprotobuf-dev";

/** Generate the stubs and build one package of the module: `.`, or `./peer`. */
export async function buildGoProgram(name: string, executable: string): Promise<void> {
  await run(["bash", join(MODULE, "generate.sh")]);
  await run(["go", "build", "-o", executable, name]);
}

async function run(command: string[]): Promise<void> {
  const made = Bun.spawn(command, { cwd: MODULE, stdout: "ignore", stderr: "pipe" });
  const words = await new Response(made.stderr).text();
  if ((await made.exited) !== 0) throw new Error(`${command.join(" ")}: ${words}`);
}
