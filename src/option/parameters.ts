// The kernel's command line, /proc/cmdline: process.md section 1.4.

/** `value` is undefined where the word has no `=`. */
export type Parameter = { readonly name: string; readonly value: string | undefined };

/** The words in their order. There is no quoting: a value cannot hold a blank. */
export function parametersOf(commandLine: string): Parameter[] {
  return commandLine
    .split(/[ \t\n\f\r]+/)
    .filter((word) => word !== "")
    .map((word) => {
      const at = word.indexOf("=");
      return at < 0
        ? { name: word, value: undefined }
        : { name: word.slice(0, at), value: word.slice(at + 1) };
    });
}
