// The agent's command line: process.md section 1.1.

export type Arguments =
  | {
      readonly role: "serve";
      readonly configFile: string | undefined;
      /** Not understood, and left alone. */
      readonly ignored: readonly string[];
    }
  | { readonly role: "explain"; readonly file: string }
  | { readonly role: "version" | "help" }
  | { readonly role: "refuse"; readonly reason: string };

/**
 * `--version` wins over everything, as with Kata's own agent. PID 1 always serves: the kernel gives it
 * the words of its own command line that it does not know, and panics when it ends.
 */
export function parseArguments(args: readonly string[], isInit: boolean): Arguments {
  const { configFiles, ignored } = parseServe(args);
  const [configFile] = configFiles;
  if (isInit) return { role: "serve", configFile, ignored };
  if (args.includes("-v") || args.includes("--version")) return { role: "version" };
  if (args.includes("-h") || args.includes("--help") || args[0] === "help") return { role: "help" };
  const [command, file = ""] = args;
  if (command === "explain" && args.length === 2) return { role: "explain", file };
  if (command === "explain") return refuse("explain takes one file");
  if (ignored.length > 0) return refuse(`unexpected argument ${JSON.stringify(ignored[0])}`);
  if (configFiles.length > 1) return refuse("more than one configuration file");
  return { role: "serve", configFile, ignored };
}

function parseServe(args: readonly string[]): { configFiles: string[]; ignored: string[] } {
  const configFiles: string[] = [];
  const ignored: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const file = arg === "-c" || arg === "--config" ? rest.shift() : attached(arg);
    if (file === undefined || file === "") ignored.push(arg);
    else configFiles.push(file);
  }
  return { configFiles, ignored };
}

/** `--config=FILE`, `-cFILE` */
function attached(arg: string): string | undefined {
  return /^(?:--config=|-c=?)(.*)$/s.exec(arg)?.[1];
}

function refuse(reason: string): Arguments {
  return { role: "refuse", reason };
}
