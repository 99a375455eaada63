// Text that reaches the kernel ends at the first NUL: a path checked as one thing would be used as
// another, so no text of a spec may hold one.
import { InvalidSpec } from "./invalid-spec.ts";

/** Looks at every string and every key of `value`. Throws InvalidSpec naming the place. */
export function refuseNul(value: unknown, path: string): void {
  if (holdsNul(value)) refuseAt(value, path);
}

/** Without a name for each place: a filter's profile has some hundred strings. */
function holdsNul(value: unknown): boolean {
  if (typeof value === "string") return value.includes("\0");
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(holdsNul);
  return Object.entries(value).some(([key, member]) => key.includes("\0") || holdsNul(member));
}

function refuseAt(value: unknown, path: string): void {
  if (typeof value === "string" && value.includes("\0"))
    throw new InvalidSpec(`${path} contains NUL`);
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (key.includes("\0")) throw new InvalidSpec(`a key of ${path} contains NUL`);
    refuseAt(member, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`);
  }
}
