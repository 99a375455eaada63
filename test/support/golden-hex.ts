// Files of wire bytes: blocks of a name and indented hex, with `#` comments.
import { readFileSync } from "node:fs";

/** All the bytes of the block of that name in the file. */
export function goldenOf(path: string): (name: string) => Uint8Array {
  const blocks = new Map<string, Uint8Array>();
  let name = "";
  let hex = "";
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const content = line.replace(/#.*/, "").trimEnd();
    if (content === "") continue;
    if (content.startsWith(" ")) hex += content.replaceAll(" ", "");
    else {
      name = content;
      hex = "";
    }
    blocks.set(name, Uint8Array.fromHex(hex));
  }
  return (wanted) => {
    const found = blocks.get(wanted);
    if (found === undefined) throw new Error(`no "${wanted}" in ${path}`);
    return found;
  };
}
