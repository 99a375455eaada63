// The executable, as it is and as a package would hold it.
import { statSync } from "node:fs";
import type { Benchmark } from "./bench.ts";
import type { Row } from "./row.ts";

/** What a release would take; it is half a minute of work. */
const LEVEL = 19;

export const size: Benchmark = async ({ executable, pace }) => {
  const what = `executable, zstd -${LEVEL}`;
  const plain: Row = {
    id: "size",
    what: "executable",
    unit: "MB",
    ours: [statSync(executable).size / 1e6],
  };
  if (Bun.which("zstd") === null) return [plain, absent(what, "zstd is not installed")];
  if (pace !== "full") return [plain, absent(what, "measured with --full")];
  const zstd = Bun.spawn(["zstd", `-${LEVEL}`, "-T0", "--stdout", executable], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let bytes = 0;
  for await (const chunk of zstd.stdout) bytes += chunk.length;
  return [plain, { id: "size-zstd", what, unit: "MB", ours: [bytes / 1e6] }];
};

function absent(what: string, why: string): Row {
  return { id: "size-zstd", what, absent: why };
}
