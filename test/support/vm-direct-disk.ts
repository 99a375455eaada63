// Memory that is a disk with a head that says where the kernel is to have its table of pages for it, as
// Kata's osbuilder makes them: without that there is no direct access (drivers/nvdimm/pfn.h).
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { type DiskFile, makeDisk, makeExt4Disk } from "./vm-disk.ts";

const HEAD_BYTES = 2 << 20;
const INFO_AT = 4096;
const PAGE = 4096;
const IN_MEMORY = 1;

/** ext4 with these files, in a disk of so many bytes. */
export function makeDirectDisk(files: Readonly<Record<string, string>>, bytes: number): DiskFile {
  using volume = makeExt4Disk(files, bytes - HEAD_BYTES, ["-b", String(PAGE)]);
  const disk = makeDisk("", bytes);
  const file = openSync(disk.path, "r+");
  writeSync(file, infoBlock(bytes), 0, PAGE, INFO_AT);
  writeSync(file, readFileSync(volume.path), 0, bytes - HEAD_BYTES, HEAD_BYTES);
  closeSync(file);
  return disk;
}

/** struct nd_pfn_sb, of version 1.2 */
function infoBlock(bytes: number): Uint8Array {
  const block = new Uint8Array(PAGE);
  const view = new DataView(block.buffer);
  block.set(new TextEncoder().encode("NVDIMM_PFN_INFO"));
  view.setUint16(52, 1, true);
  view.setUint16(54, 2, true);
  view.setBigUint64(56, BigInt(HEAD_BYTES), true);
  view.setBigUint64(64, BigInt((bytes - HEAD_BYTES) / PAGE), true);
  view.setUint32(72, IN_MEMORY, true);
  view.setUint32(84, HEAD_BYTES, true);
  view.setBigUint64(PAGE - 8, fletcher64(view), true);
  return block;
}

/** nd_fletcher64 of drivers/nvdimm/core.c */
function fletcher64(view: DataView): bigint {
  let [low, high] = [0, 0];
  for (let at = 0; at < view.byteLength; at += 4) {
    low = (low + view.getUint32(at, true)) >>> 0;
    high = (high + low) >>> 0;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}
