// What the agent itself uses.
import { readdirSync } from "node:fs";

/** Open descriptors, but for the one that the list is read from. */
export function descriptorCount(): number {
  return readdirSync("/proc/self/fd").length - 1;
}

/** Bytes that JavaScript values take, live or not collected yet. */
export function heapBytes(): number {
  return process.memoryUsage().heapUsed;
}
