// What the built-in console can be asked.
import { within } from "../async/timeout.ts";
import { Fd } from "../kernel/fd.ts";
import { listDirectories, readText, tryReadText } from "../kernel/file.ts";
import { linkTarget, namesIn } from "../kernel/listing.ts";
import { perform } from "../kernel/perform.ts";
import { relay } from "../kernel/relay.ts";
import { call } from "../linux/call.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { dup3, read, setStatusFlags } from "../linux/io.ts";
import { readKernelLog } from "../linux/machine.ts";
import { parseMountinfo } from "../linux/mountinfo.ts";
import { O } from "../linux/open-flags.ts";
import { parseStat } from "../linux/proc-stat.ts";
import { type Child, launch, openControl } from "../tape/player.ts";
import { Tape } from "../tape/tape.ts";

/** What the guest cannot be asked, but the agent knows. */
export type ConsoleSources = {
  readonly containers: () => readonly ContainerLine[];
  /** The agent's log, the newest line last, each with its newline. */
  readonly recentLines: () => readonly string[];
  /** The agent in numbers, one a line. */
  readonly state: () => Promise<string>;
};

export type ContainerLine = {
  readonly id: string;
  readonly status: string;
  /** Of its first process. */
  readonly pid: number;
};

type Asked = {
  readonly stream: Fd;
  readonly sources: ConsoleSources;
  /** Aborted: nobody waits for the answer. */
  readonly signal: AbortSignal;
};

type Command = {
  readonly name: string;
  readonly usage: string;
  readonly says: string;
  /** The answer, or what of it is not written to the stream already. What it throws is an answer, too. */
  readonly run: (argument: string, asked: Asked) => string | Promise<string>;
};

export const COMMANDS: readonly Command[] = [
  { name: "ps", usage: "ps", says: "processes", run: processes },
  { name: "mounts", usage: "mounts", says: "what is mounted where", run: mounts },
  { name: "containers", usage: "containers", says: "the containers of the pod", run: containers },
  { name: "state", usage: "state", says: "the agent in numbers", run: numbers },
  { name: "log", usage: "log [N]", says: "the last N lines of the agent's log, 20", run: log },
  { name: "ls", usage: "ls [DIR]", says: "what is in a directory", run: list },
  { name: "cat", usage: "cat FILE", says: "a file, its first 1 MiB", run: cat },
  { name: "dmesg", usage: "dmesg", says: "the kernel's log, its last 128 KiB", run: kernelLog },
];

export const HELP = [
  ...COMMANDS.map(({ usage, says }) => [usage, says]),
  ["help", "this"],
  ["exit", "end of the conversation"],
]
  .map(([usage = "", says = ""]) => `${usage.padEnd(12)}${says}\n`)
  .join("");

/** By `stat` alone: a process that hangs can make whoever reads its `cmdline` hang as well. */
function processes(): string {
  const pids = listDirectories("/proc").filter((name) => /^\d+$/.test(name));
  const rows = pids.flatMap((pid) => parseStat(tryReadText(`/proc/${pid}/stat`) ?? "") ?? []);
  return table([
    ["PID", "PPID", "S", "COMMAND"],
    ...rows.map(({ pid, parent, state, name }) => [String(pid), String(parent), state, name]),
  ]);
}

function mounts(): string {
  return parseMountinfo(readText("/proc/self/mountinfo"))
    .map((entry) => {
      const options = [...new Set([...entry.options, ...entry.superOptions])].join(",");
      return `${entry.source} on ${entry.mountPoint} type ${entry.fstype} (${options})\n`;
    })
    .join("");
}

function containers(_: string, { sources }: Asked): string {
  const rows = sources.containers().map(({ id, status, pid }) => [id, status, String(pid)]);
  return table([["CONTAINER", "STATUS", "PID"], ...rows]);
}

async function numbers(_: string, { sources }: Asked): Promise<string> {
  return `${await sources.state()}\n`;
}

const MOST_NAMES = 2000;
const LISTED_IN_MS = 5000;

/** With what links say: `ls /proc/1/fd` shows what the agent has open. Off the event loop. */
async function list(argument: string): Promise<string> {
  const path = argument || "/";
  let text = "it does not answer\n";
  const look = async () => {
    const names = (await namesIn(path)).slice(0, MOST_NAMES);
    const targets = await Promise.all(names.map((name) => linkTarget(`${path}/${name}`)));
    text = names
      .map((name, i) => (targets[i] ? `${name} -> ${targets[i]}\n` : `${name}\n`))
      .join("");
  };
  await within(look(), LISTED_IN_MS);
  return text;
}

const LINES = 20;

function log(argument: string, { sources }: Asked): string {
  const count = argument === "" ? LINES : Number(argument);
  if (!Number.isInteger(count) || count < 1) return "want a number of lines\n";
  return sources.recentLines().slice(-count).join("");
}

const KERNEL_LOG_SIZE = 128 << 10;

function kernelLog(): string {
  const buffer = new Uint8Array(KERNEL_LOG_SIZE);
  const length = perform("read the kernel's log", readKernelLog(buffer));
  return new TextDecoder().decode(buffer.subarray(0, length));
}

const CHUNK = 64 << 10;
const CHUNKS = 16;

/** By a child: the file may be on a disk, or on the host, and take its time. */
async function cat(path: string, { stream, signal }: Asked): Promise<string> {
  if (path === "") return "want a file\n";
  const [from, to] = Fd.pipe("open a pipe for the file");
  using _ = from;
  // This end only: the child waits until there is room.
  perform("make the pipe non-blocking", setStatusFlags(from.number, O.NONBLOCK));
  using child = launchCat(path, to);
  await relay(from, stream, signal);
  if (!signal.aborted) await child.played();
  return "";
}

function launchCat(path: string, to: Fd): Child {
  using _ = to;
  return launch({ tape: catProgram(path, to), control: openControl() });
}

/** Unrolled, for there are no loops; no call copies from whatever file it is in one go. */
function catProgram(path: string, to: Fd): Tape {
  const tape = new Tape();
  tape.do("place stdout", dup3(to.number, 1));
  // Neither a FIFO nor a terminal is waited for.
  const flags = O.RDONLY | O.NONBLOCK | O.NOCTTY;
  const file = tape.fd(`open ${path}`, openat(AT_FDCWD, path, flags));
  const buffer = new Uint8Array(CHUNK);
  for (let i = 0; i < CHUNKS; i++) {
    const count = tape.fd(`read ${path}`, read(file, buffer));
    tape.do(`send ${path}`, call("write", 1, buffer, count));
  }
  return tape;
}

/** Columns wide enough for what is in them. */
function table(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}
