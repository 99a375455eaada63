// The environment of a process: container.md section 1.15.

/** Where programs are looked for when the environment names no PATH. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The entries that execve(2) can pass on, verbatim: entries without `=`, without a name or with a
 * NUL are dropped, and of several for one name the last stays, in its own place.
 */
export function normaliseEnvironment(env: readonly string[]): readonly string[] {
  const last = new Map<string, number>();
  env.forEach((entry, index) => {
    const name = nameOf(entry);
    if (name !== undefined) last.set(name, index);
  });
  const kept = new Set(last.values());
  return env.filter((_, index) => kept.has(index));
}

/** The value of PATH, an empty one included, or the default. */
export function pathOf(env: readonly string[]): string {
  const entry = env.findLast((candidate) => nameOf(candidate) === "PATH");
  return entry?.slice("PATH=".length) ?? DEFAULT_PATH;
}

function nameOf(entry: string): string | undefined {
  const end = entry.indexOf("=");
  return end < 1 || entry.includes("\0") ? undefined : entry.slice(0, end);
}
