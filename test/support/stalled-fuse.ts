// The server of a file system of FUSE, on descriptor 3, that takes every request and answers none but the
// first, which mounts it: whoever waits for it cannot be killed, as where a host serves virtio-fs no more.
import { readSync, writeSync } from "node:fs";

const FUSE = 3;
/** linux/fuse.h */
const INIT = 26;
const IN_HEADER = { opcode: 4, unique: 8 } as const;
const OUT_HEADER_SIZE = 16;
const INIT_OUT_SIZE = 64;
const VERSION = { major: 7, minor: 31 } as const;
const LONGEST_WRITE = 4096;

const request = Buffer.alloc(1 << 20);
for (;;) {
  readSync(FUSE, request);
  if (request.readUInt32LE(IN_HEADER.opcode) !== INIT) continue;
  const answer = Buffer.alloc(OUT_HEADER_SIZE + INIT_OUT_SIZE);
  answer.writeUInt32LE(answer.length, 0);
  answer.writeBigUInt64LE(request.readBigUInt64LE(IN_HEADER.unique), 8);
  answer.writeUInt32LE(VERSION.major, OUT_HEADER_SIZE);
  answer.writeUInt32LE(VERSION.minor, OUT_HEADER_SIZE + 4);
  answer.writeUInt32LE(LONGEST_WRITE, OUT_HEADER_SIZE + 20);
  writeSync(FUSE, answer);
}
