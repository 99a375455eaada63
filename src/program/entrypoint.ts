// What the process becomes: the program, looked for as a shell would.
import { exists, mayExecute } from "../linux/fs.ts";
import { execve } from "../linux/process.ts";
import { pathOf } from "../oci/environment.ts";
import { Mark, type Tape, skip } from "../tape/tape.ts";

export type Entrypoint = {
  readonly args: readonly [string, ...string[]];
  readonly environment: readonly string[];
  /** The file to execute; absent: what the first of `args` names. */
  readonly file?: string | undefined;
  /** A filter of system calls is in force already. */
  readonly isFiltered: boolean;
};

/** What a shell passes over on its way through PATH. */
const PASSED_OVER = ["ENOENT", "ENOTDIR", "EACCES", "ELOOP", "ENAMETOOLONG"] as const;

const ABSENT = { ENOENT: skip, ENOTDIR: skip, ELOOP: skip, ENAMETOOLONG: skip } as const;

/** So that a missing program is an error of the create call. Host programs look for these words. */
export function checkEntrypoint(tape: Tape, entrypoint: Entrypoint): void {
  const unseen = new Mark();
  if (entrypoint.isFiltered) tryToLook(tape, unseen);
  check(tape, entrypoint);
  tape.place(unseen);
}

/** A filter may forbid to look at files: then only execve(2) finds out. */
function tryToLook(tape: Tape, forbidden: Mark): void {
  const errnos = { EPERM: forbidden, ENOSYS: forbidden };
  tape.do("see whether the filter lets files be looked at", exists("/"), errnos);
}

function check(tape: Tape, entrypoint: Entrypoint): void {
  const program = programOf(entrypoint);
  const label = `the file ${program} was not found`;
  if (program.includes("/")) {
    tape.do(label, exists(program));
    tape.do(`execute ${program}`, mayExecute(program));
    return;
  }
  const paths = candidates(entrypoint);
  const found = new Mark();
  for (const path of paths) {
    const next = new Mark();
    find(tape, label, path, found, next);
    tape.place(next);
  }
  // Nothing found: as execvp(3) does, what there is and may not be executed is the reason, if anything.
  for (const path of paths) tape.do(label, mayExecute(path), ABSENT);
  tape.do(label, exists(""));
  tape.place(found);
}

/** Goes on at `found` if `path` is a file that the process may execute, else at `next`. */
function find(tape: Tape, label: string, path: string, found: Mark, next: Mark): void {
  const passOver = Object.fromEntries(PASSED_OVER.map((name) => [name, next]));
  tape.do(label, mayExecute(path), passOver);
  // So may be a directory of that name; but only that has entries.
  tape.do(label, exists(`${path}/.`), { ...passOver, ENOTDIR: found }, next);
}

/**
 * The program that is found is the one: if it cannot start, the next in PATH must not. `last` appends
 * what comes between the look-up and the execve.
 */
export function execute(tape: Tape, entrypoint: Entrypoint, last: () => void): void {
  const { args, environment, isFiltered } = entrypoint;
  const paths = candidates(entrypoint);
  const unseen = new Mark();
  const isBlind = isFiltered && paths.length > 1;
  if (isBlind) tryToLook(tape, unseen);
  for (const path of paths.slice(0, -1)) {
    const found = new Mark();
    const next = new Mark();
    find(tape, `look for ${path}`, path, found, next);
    tape.place(found);
    last();
    tape.do(`execute ${path}`, execve(path, args, environment));
    tape.place(next);
  }
  const path = paths.at(-1) ?? programOf(entrypoint);
  last();
  tape.do(`execute ${path}`, execve(path, args, environment));
  if (!isBlind) return;
  tape.place(unseen);
  const attempts = paths.map(
    (each) => [`execute ${each}`, execve(each, args, environment)] as const,
  );
  tape.firstOf(attempts, PASSED_OVER);
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
