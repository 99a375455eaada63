/** Reads golden/wire.hex: blocks of a name and indented hex, with `#` comments. */

import { readFileSync } from "node:fs";

const frames = new Map<string, Uint8Array>();
let name = "";
let hex = "";
for (const line of readFileSync(`${import.meta.dir}/golden/wire.hex`, "utf8").split("\n")) {
  const content = line.replace(/#.*/, "").trimEnd();
  if (content === "") continue;
  if (content.startsWith(" ")) hex += content.replaceAll(" ", "");
  else {
    name = content;
    hex = "";
  }
  frames.set(name, Uint8Array.fromHex(hex));
}

/** The whole frame of that name. */
export function golden(wanted: string): Uint8Array {
  const found = frames.get(wanted);
  if (found === undefined) throw new Error(`no "${wanted}" in golden/wire.hex`);
  return found;
}
