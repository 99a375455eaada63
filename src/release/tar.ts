// Archives in the form of POSIX, "ustar" of tar(5). The same files give the same bytes.

export type Packed = {
  /** Below the root of the guest, without a slash at its begin. */
  readonly path: string;
  readonly permissions: number;
  readonly bytes: Uint8Array;
};

const BLOCK = 512;
/** GNU tar writes that many at a time, and pads the end to it. */
const RECORD = 20 * BLOCK;

/**
 * 1 January 1980, for every file. What time it is must not change the archive, and systemd takes a unit
 * that was changed at 0 for one that is masked.
 */
const MTIME = 315_532_800;

/** Offset and width of each field of a header. */
const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  chksum: [148, 8],
  typeflag: [156, 1],
  magic: [257, 6],
  version: [263, 2],
  uname: [265, 32],
  gname: [297, 32],
} as const;

/**
 * Files of root's, in the order given. Directories are not in it: those of the image that it is unpacked
 * into stay as they are, and tar makes what is missing. Throws an Error for what no header can say.
 */
export function tar(files: readonly Packed[]): Uint8Array {
  const sizes = files.map(({ bytes }) => BLOCK + padded(bytes.length, BLOCK));
  const size = sizes.reduce((sum, each) => sum + each, 2 * BLOCK);
  const archive = new Uint8Array(padded(size, RECORD));
  let at = 0;
  for (const [index, file] of files.entries()) {
    archive.set(header(file), at);
    archive.set(file.bytes, at + BLOCK);
    at += sizes[index] ?? 0;
  }
  return archive;
}

function header({ path, permissions, bytes }: Packed): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (field: keyof typeof FIELDS, text: string) => {
    const [offset, width] = FIELDS[field];
    if (text.length > width) throw new Error(`${path}: ${field} ${text} is too long`);
    block.set(new TextEncoder().encode(text), offset);
  };
  /** Octal digits that fill the field but for its NUL. */
  const number = (field: keyof typeof FIELDS, value: number) =>
    put(field, `${value.toString(8).padStart(FIELDS[field][1] - 1, "0")}\0`);
  put("name", path);
  number("mode", permissions);
  number("uid", 0);
  number("gid", 0);
  number("size", bytes.length);
  number("mtime", MTIME);
  put("typeflag", "0");
  put("magic", "ustar\0");
  put("version", "00");
  put("uname", "root");
  put("gname", "root");
  // The sum counts its own field as blanks, and is six digits, NUL, blank.
  put("chksum", " ".repeat(8));
  const sum = block.reduce((total, byte) => total + byte, 0);
  put("chksum", `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

function padded(size: number, to: number): number {
  return Math.ceil(size / to) * to;
}
