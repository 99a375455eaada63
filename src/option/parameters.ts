// The kernel's command line, /proc/cmdline: process.md section 1.4.

/** `value` is undefined where the word has no `=`. */
export type Parameter = { readonly name: string; readonly value: string | undefined };

const BLANKS = [" ", "\t", "\n", "\f", "\r"] as const;

/**
 * The words in their order. There is no quoting: a value cannot hold a blank. By no regular expression, as
 * nothing before the agent listens: the first one waits for a thread in which Bun gets its own ready.
 */
export function parametersOf(commandLine: string): Parameter[] {
  return BLANKS.reduce((words, blank) => words.flatMap((word) => word.split(blank)), [commandLine])
    .filter((word) => word !== "")
    .map((word) => {
      const at = word.indexOf("=");
      return at < 0
        ? { name: word, value: undefined }
        : { name: word.slice(0, at), value: word.slice(at + 1) };
    });
}
