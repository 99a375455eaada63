// The user database of an image: passwd(5).

/** The home directory of the first entry for `uid`; undefined if there is none. */
export function homeOf(passwd: string, uid: number): string | undefined {
  for (const line of passwd.split("\n")) {
    const [name, , id, , , home] = line.split(":");
    if (name !== "" && id === String(uid) && home) return home;
  }
  return undefined;
}
