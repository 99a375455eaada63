// Choose the role from the command line, put the parts together, serve.
import { serverAddress } from "./config.ts";
import { describeGuest } from "./container/guest.ts";
import { explain } from "./explain.ts";
import { readText } from "./kernel/file.ts";
import { listenOn } from "./kernel/listener.ts";
import { startReaper } from "./kernel/reaper.ts";
import { log } from "./log.ts";
import { services } from "./rpc/dispatch.ts";
import { Sandbox } from "./sandbox/sandbox.ts";
import { TapeError } from "./tape/error.ts";
import { serve } from "./ttrpc/server.ts";
import { NAME, VERSION } from "./version.ts";

/** How long DestroySandbox lets other calls finish: process.md section 2.10. */
const SHUTDOWN_BUDGET_MS = 10_000;

const USAGE = `usage: ${NAME}                        serve the runtime
       ${NAME} explain config.json    print the system calls a container would start with
       ${NAME} --version
`;

main(process.argv.slice(2));

function main(args: readonly string[]): void {
  const [command, file] = args;
  if (command === undefined) return serveRuntime();
  if (command === "explain" && file !== undefined)
    return void process.stdout.write(explain(readText(file)));
  if (command === "--version" || command === "-v")
    return void process.stdout.write(`${NAME} ${VERSION}\n`);
  process.stderr.write(USAGE);
  process.exitCode = 2;
}

function serveRuntime(): void {
  const { name, address } = serverAddress(process.env);
  const listener = listenOn(address, name);
  startReaper();
  const sandbox = new Sandbox(describeGuest(0));
  const server = serve({
    fd: listener.release(),
    services: services({
      sandbox,
      isInit: process.pid === 1,
      shutdown: () => void server.stop(SHUTDOWN_BUDGET_MS).then(() => process.exit(0)),
      onFailure: logFailure,
    }),
    onError: (error) => log.warn("connection", { error: String(error) }),
  });
  log.info("listening", { address: name });
}

/** The tape is named by the error, shown by the log: with an arrow at the call that failed. */
function logFailure(method: string, error: unknown, isDefect: boolean): void {
  log.warn(method, { error: String(error) });
  if (error instanceof TapeError) log.debug(method, { tape: error.listing() });
  if (isDefect && error instanceof Error) log.error(method, { stack: error.stack ?? "" });
}
