// The rules for hooks: each is a program that is run with what the host says, and made to end.
import { HOOK_KINDS } from "./hooks.ts";
import { InvalidSpec, quote } from "./invalid-spec.ts";
import { isAbsolute } from "./path-components.ts";
import type { Hook } from "./spec.ts";
import type { ContainerSpec } from "./valid-spec.ts";

/** Of one kind. They run one after the other while the host waits. */
export const MOST_HOOKS = 64;
/** PATH_MAX and MAX_ARG_STRLEN of the kernel (linux/limits.h, linux/binfmts.h), less the NUL. */
const LONGEST_PATH = 4095;
const LONGEST_ARGUMENT = 131_071;
/** In seconds: what a timer of 31 bits of milliseconds can do. */
const LONGEST_TIMEOUT = 2_147_483;

export function validHooks({ hooks = {} }: ContainerSpec): void {
  for (const kind of HOOK_KINDS) {
    const list = hooks[kind] ?? [];
    if (list.length > MOST_HOOKS)
      throw new InvalidSpec(`hooks.${kind}: ${list.length} hooks, of which ${MOST_HOOKS} may be`);
    for (const [index, hook] of list.entries()) validHook(hook, `hooks.${kind}[${index}]`);
  }
}

function validHook({ path, args = [], env = [], timeout }: Hook, at: string): void {
  if (!isAbsolute(path)) throw new InvalidSpec(`${at}.path: ${quote(path)} is not absolute`);
  noLonger(LONGEST_PATH, path, `${at}.path`);
  for (const [index, arg] of args.entries())
    noLonger(LONGEST_ARGUMENT, arg, `${at}.args[${index}]`);
  for (const [index, entry] of env.entries())
    noLonger(LONGEST_ARGUMENT, entry, `${at}.env[${index}]`);
  if (timeout !== undefined && (timeout < 1 || timeout > LONGEST_TIMEOUT))
    throw new InvalidSpec(`${at}.timeout: ${timeout} is not from 1 to ${LONGEST_TIMEOUT} seconds`);
}

/** The value itself is not repeated: an environment holds secrets. */
function noLonger(most: number, value: string, field: string): void {
  // No character is less than a byte.
  if (value.length > most || new TextEncoder().encode(value).length > most)
    throw new InvalidSpec(`${field} is longer than ${most} bytes`);
}
