// Opens a FIFO that nobody writes to so many times, all of which hang, and says when it has read a file
// beside them: `hung-reads.ts FIFO COUNT`.
import { open, readFile } from "node:fs/promises";
import "../../src/kernel/native.ts";

const [fifo = "", count = "0"] = process.argv.slice(2);
for (let left = Number(count); left > 0; left--) void open(fifo, "r");
await readFile("/proc/self/stat");
process.stdout.write("read");
process.exit(0);
