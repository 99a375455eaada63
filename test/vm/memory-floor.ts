// The least memory with which a guest comes to its first answer, by the way in which it is given its
// files: `bun test/vm/memory-floor.ts [WORD]`, for all guests or for those whose names have the word.
// Prints what docs/install.md shows; no test, since it takes ten minutes.
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Root, type RootFiles, writeRoot } from "../support/vm-root.ts";
import { TestVm } from "../support/vm.ts";

type Guest = {
  readonly what: string;
  readonly root: Root;
  /** Reads the initramfs and writes what the kernel is to unpack. */
  readonly compress?: readonly string[];
  readonly words?: readonly string[];
};

/** As initrd_builder.sh of osbuilder does it. */
const GZIP = ["gzip", "-9"];
/** The kernel knows no other check than that. */
const XZ = ["xz", "-6", "--check=crc32", "-T0"];
const ZSTD = ["zstd", "-19", "-T0"];

/** Without it the kernel's first root is a tmpfs, which holds half of the memory at most. */
const RAMFS = ["rootfstype=ramfs"];

const GUESTS: readonly Guest[] = [
  { what: "initrd, plain", root: "memory" },
  { what: "initrd, gzip", root: "memory", compress: GZIP },
  { what: "initrd, xz", root: "memory", compress: XZ },
  { what: "initrd, zstd", root: "memory", compress: ZSTD },
  { what: "initrd, plain, rootfstype=ramfs", root: "memory", words: RAMFS },
  { what: "initrd, gzip, rootfstype=ramfs", root: "memory", compress: GZIP, words: RAMFS },
  { what: "initrd, zstd, rootfstype=ramfs", root: "memory", compress: ZSTD, words: RAMFS },
  { what: "image, ext4 on virtio-blk", root: "disk" },
];

/** In MB: one that is too little for a kernel, one that is enough for all, and what is told apart. */
const TOO_LITTLE = 32;
const ENOUGH = 512;
const STEP = 8;

/** What a kernel says when files are missing; the agent may be there and answer all the same. */
const FAILURE = /Initramfs unpacking failed.*|Out of memory.*|Kernel panic - .*/;

/**
 * It takes 5 s with memory to spare. One that is short of it reads the agent's pages from its disk again
 * and again: the runtime would have given up.
 */
const ANSWERS_IN_S = 20;

type Booted = { readonly seconds: number; readonly total: number; readonly available: number };

console.log("guest | file | least memory | total | available | first answer | below");
const [word = ""] = process.argv.slice(2);
for (const guest of GUESTS.filter(({ what }) => what.includes(word))) {
  const directory = mkdtempSync(join(tmpdir(), "kata-agent-floor-"));
  try {
    await measure(guest, directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function measure({ what, root, compress, words = [] }: Guest, directory: string) {
  mkdirSync(directory, { recursive: true });
  const files = await writeRoot({ root }, directory);
  if (compress !== undefined) pack(files.initramfs, compress);
  let fails = TOO_LITTLE;
  let starts = ENOUGH;
  let booted = await boot(files, words, starts);
  let reason = "";
  while (starts - fails > STEP) {
    const megabytes = fails + Math.floor((starts - fails) / 2 / STEP) * STEP;
    const result = await boot(files, words, megabytes);
    if (typeof result === "string") {
      fails = megabytes;
      reason = result;
    } else {
      starts = megabytes;
      booted = result;
    }
  }
  if (typeof booted === "string") throw new Error(`${what}: with ${ENOUGH} MB: ${booted}`);
  const size = statSync(files.disk ?? files.initramfs).size;
  const { total, available, seconds } = booted;
  const columns = [size / 1e6, starts, total, available, seconds].map((each) => each.toFixed(0));
  console.log([what, ...columns, reason].join(" | "));
}

function pack(path: string, command: readonly string[]): void {
  const packed = `${path}.packed`;
  const { success, stderr } = Bun.spawnSync([...command, "--stdout", path], {
    stdout: Bun.file(packed),
  });
  if (!success) throw new Error(`${command.join(" ")}: ${stderr}`);
  renameSync(packed, path);
}

/** Why it has not started, or how it has. */
async function boot(
  written: RootFiles,
  words: readonly string[],
  megabytes: number,
): Promise<Booted | string> {
  try {
    await using vm = await TestVm.boot({ written, words, megabytes });
    const [failure] = FAILURE.exec(vm.console.text) ?? [];
    if (failure !== undefined) return failure.trimEnd();
    const seconds = vm.bootMs / 1000;
    if (seconds > ANSWERS_IN_S) return `first answer after ${seconds.toFixed(0)} s`;
    const memory = await vm.sh("cat /proc/meminfo");
    const field = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(memory)?.[1]) / 1024;
    return {
      seconds,
      total: field("MemTotal"),
      available: field("MemAvailable"),
    };
  } catch (error) {
    const [first = ""] = FAILURE.exec(String(error)) ?? String(error).split(/\n|: \{/, 1);
    return first.trimEnd();
  }
}
