// Paths of a spec, judged as text: nothing here looks at a file system.

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
