// A megabyte that is the same in every run, for what must come through unchanged.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { seeded } from "./random.ts";

const MiB = 1 << 20;

/** Printable and without a line end, so that a terminal passes it on as it is. */
function printable(length: number): Buffer {
  const random = seeded(1);
  return Buffer.from(Array.from({ length }, () => 33 + Math.floor(random() * 94)));
}

export const bulkData: Buffer = printable(MiB);

/** The root file system, with the data in its file /data. */
export function rootfsWithData(rootfs: string): string {
  writeFileSync(join(rootfs, "data"), bulkData);
  return rootfs;
}

/** Where two buffers differ first, for what is too long to be shown. */
export function difference(got: Uint8Array, wanted: Uint8Array): string {
  if (Buffer.compare(got, wanted) === 0) return "";
  const at = wanted.findIndex((byte, index) => byte !== got[index]);
  return `${got.length} bytes, wanted ${wanted.length}; they differ from ${at} on`;
}
