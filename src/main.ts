// Choose the role from the command line; listen; then have `service.ts` serve.
import { LONGEST_TIMER_MS } from "./async/timeout.ts";
import { readText } from "./kernel/file.ts";
import { listenOn } from "./kernel/listener.ts";
import { loadConfig } from "./load-config.ts";
import { type Arguments, parseArguments } from "./option/arguments.ts";
import { parseAddress } from "./ttrpc/address.ts";
import { NAME, versionLine } from "./version.ts";

const USAGE = `usage: ${NAME} [--config FILE]        serve the runtime
       ${NAME} explain config.json    print the system calls a container would start with
       ${NAME} --version
`;

/** How far the agent came when, in milliseconds from the start of its process. */
const reached = { process: 0, code: performance.now(), prepared: 0, listening: 0 };

const isInit = process.pid === 1;
// No other waits for what only PID 1 does.
const asInit = isInit ? await import("./as-init.ts") : undefined;

main(parseArguments(process.argv.slice(2), isInit));

function main(args: Arguments): void {
  switch (args.role) {
    case "version":
      return void process.stdout.write(versionLine());
    case "help":
      return void process.stdout.write(USAGE);
    case "explain":
      return void explainFile(args.file);
    case "refuse":
      return refuse(2, `${args.reason}\n${USAGE}`);
    case "serve":
      return start(args.configFile, args.ignored);
  }
}

async function explainFile(file: string): Promise<void> {
  try {
    const { explain } = await import("./explain.ts");
    process.stdout.write(explain(readText(file)));
  } catch (error) {
    refuse(1, error instanceof Error ? `${error.message}\n` : String(error));
  }
}

function refuse(status: number, text: string): void {
  process.stderr.write(`${NAME}: ${text}`);
  process.exitCode = status;
}

function start(configFile: string | undefined, ignored: readonly string[]): void {
  // A child or a descriptor that is waited for is nothing to Bun, which ends a program that waits for
  // nothing. Whoever sits at the console of an agent that cannot serve would find the guest gone.
  setInterval(() => {}, LONGEST_TIMER_MS);
  // However the agent ends, as PID 1 it takes the guest with it: the kernel would panic.
  if (asInit !== undefined) process.on("exit", asInit.powerOff);
  const told = loadConfig(configFile);
  // The address may be in a file system that is mounted here.
  asInit?.prepare(told.config);
  reached.prepared = performance.now();
  // A runtime that is refused may give up before it dials again: what can wait is loaded after this, the
  // log as well.
  const { serverAddress } = told.config;
  const listener = tryTo(() => listenOn(parseAddress(serverAddress), serverAddress));
  reached.listening = performance.now();
  void import("./service.ts").then(({ runService }) =>
    runService({ ...told, ignored }, listener, { isInit, reached }),
  );
}

/** The result, or the error, for when it is asked for. */
function tryTo<Result>(work: () => Result): () => Result {
  try {
    const result = work();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
