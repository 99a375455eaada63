// A TOML file as an object. The name comes from the kernel's command line, so from the host.
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { read } from "../linux/io.ts";
import { O } from "../linux/open-flags.ts";
import { Fd } from "./fd.ts";
import { isRegularFile } from "./file.ts";
import { perform } from "./perform.ts";

const LONGEST_FILE = 1 << 20;

/** Throws a KernelError, or an Error that says what the file is instead. */
export function readToml(path: string): Readonly<Record<string, unknown>> {
  const label = `read ${path}`;
  // A FIFO would otherwise be waited for.
  using file = Fd.of(label, openat(AT_FDCWD, path, O.RDONLY | O.NONBLOCK | O.NOCTTY));
  if (!isRegularFile(file)) throw new Error(`${label}: not a file`);
  const bytes = bytesOf(file, label);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { ...Object(Bun.TOML.parse(text)) };
  } catch (error) {
    throw new Error(`${label}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

function bytesOf(file: Fd, label: string): Uint8Array {
  const buffer = new Uint8Array(LONGEST_FILE + 1);
  let length = 0;
  for (;;) {
    const count = perform(label, read(file.number, buffer.subarray(length)));
    if (count === 0) return buffer.subarray(0, length);
    length += count;
    if (length > LONGEST_FILE) throw new Error(`${label}: longer than ${LONGEST_FILE} bytes`);
  }
}
