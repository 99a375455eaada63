// What the process becomes: the program, looked for as a shell would.
import { exists, mayExecute } from "../linux/fs.ts";
import { execve } from "../linux/process.ts";
import { pathOf } from "../oci/environment.ts";
import { Mark, type Tape } from "../tape/tape.ts";

export type Entrypoint = {
  readonly args: readonly [string, ...string[]];
  readonly environment: readonly string[];
  /** The file to execute; absent: what the first of `args` names. */
  readonly file?: string | undefined;
};

/** What a shell passes over on its way through PATH. */
const PASSED_OVER = ["ENOENT", "ENOTDIR", "EACCES", "ELOOP", "ENAMETOOLONG"] as const;

/** So that a missing program is an error of the create call. Host programs look for these words. */
export function checkEntrypoint(tape: Tape, entrypoint: Entrypoint): void {
  const program = programOf(entrypoint);
  const label = `the file ${program} was not found`;
  if (program.includes("/")) {
    tape.do(label, exists(program));
    tape.do(`execute ${program}`, mayExecute(program));
    return;
  }
  const checks = candidates(entrypoint).map((path) => [label, mayExecute(path)] as const);
  tape.firstOf(checks, PASSED_OVER);
}

/**
 * The program that is found is the one: if it cannot start, the next in PATH must not. `last` appends
 * what comes between the look-up and the execve.
 */
export function execute(tape: Tape, entrypoint: Entrypoint, last: () => void): void {
  const { args, environment } = entrypoint;
  const paths = candidates(entrypoint);
  for (const path of paths.slice(0, -1)) {
    const next = new Mark();
    const passOver = Object.fromEntries(PASSED_OVER.map((name) => [name, next]));
    tape.do(`look for ${path}`, mayExecute(path), passOver);
    last();
    tape.do(`execute ${path}`, execve(path, args, environment));
    tape.place(next);
  }
  const path = paths.at(-1) ?? programOf(entrypoint);
  last();
  tape.do(`execute ${path}`, execve(path, args, environment));
}

function programOf({ file, args: [first] }: Entrypoint): string {
  return file ?? first;
}

function candidates(entrypoint: Entrypoint): readonly string[] {
  const program = programOf(entrypoint);
  if (program.includes("/")) return [program];
  return pathOf(entrypoint.environment)
    .split(":")
    .map((directory) => `${directory === "" ? "." : directory}/${program}`);
}
