// Paths of a spec, judged as text: nothing here looks at a file system.

/** Directories in one another that a host may ask for: some calls each, and its paths have ten. */
export const MOST_NAMES = 128;

/** The names a path is made of, without empty ones and `.`. */
export function components(path: string): readonly string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

export function isAbsolute(path: string): boolean {
  return path.startsWith("/");
}

/** True if a component is `..`. */
export function climbs(path: string): boolean {
  return path.split("/").includes("..");
}
