// The debug console of a guest that has no shell: a few words that say how the guest is.
import type { Fd } from "../kernel/fd.ts";
import { attempt } from "../kernel/perform.ts";
import { readable } from "../kernel/poll.ts";
import { writeAll } from "../kernel/relay.ts";
import { errnoNumber } from "../linux/errno.ts";
import { read } from "../linux/io.ts";
import { COMMANDS, type ConsoleSources, HELP } from "./console-commands.ts";

const GREETING = "This guest has no shell. `help` says what there is instead.\n";
const PROMPT = "kata-agent> ";

/** A terminal gives no longer line either: N_TTY_BUF_SIZE. */
const LONGEST_LINE = 4096;

/**
 * Answer line by line, until `exit`, the end of `stream`, or `signal`. `stream` must not block; it
 * stays the caller's. Never throws.
 */
export async function serveBuiltIn(
  stream: Fd,
  sources: ConsoleSources,
  signal: AbortSignal,
): Promise<void> {
  const say = (text: string) => writeAll(stream, new TextEncoder().encode(text));
  await say(GREETING + PROMPT);
  for await (const line of linesFrom(stream, signal)) {
    const [name = "", ...words] = line.trim().split(/\s+/);
    if (name === "exit") return;
    await say(await answerTo(name, words.join(" "), { stream, sources, signal }));
    await say(PROMPT);
  }
}

type Asked = {
  readonly stream: Fd;
  readonly sources: ConsoleSources;
  readonly signal: AbortSignal;
};

async function answerTo(name: string, argument: string, asked: Asked): Promise<string> {
  if (name === "") return "";
  if (name === "help") return HELP;
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined) return `${printable(name)}: there is no such command, see help\n`;
  try {
    return printable(await command.run(argument, asked));
  } catch (error) {
    return `${printable(error instanceof Error ? error.message : String(error))}\n`;
  }
}

/** Names of processes and of files are chosen by containers, which must not steer a terminal. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "?");
}

async function* linesFrom(stream: Fd, signal: AbortSignal): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(LONGEST_LINE);
  let rest = "";
  while (stream.isOpen && !signal.aborted) {
    const count = attempt(read(stream.number, buffer));
    if (count === -errnoNumber("EAGAIN")) {
      await readable(stream.number, signal);
    } else if (count > 0) {
      const lines = (rest + decoder.decode(buffer.subarray(0, count), { stream: true })).split(
        /\r?\n|\r/,
      );
      rest = (lines.pop() ?? "").slice(0, LONGEST_LINE);
      yield* lines;
    } else if (count !== -errnoNumber("EINTR")) {
      return;
    }
  }
}
