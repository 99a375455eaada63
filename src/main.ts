// Choose the role from the command line, put the parts together, serve.
import { type Config, describeConfig } from "./config.ts";
import { describeGuest } from "./container/guest.ts";
import { explain } from "./explain.ts";
import { SHELLS } from "./guest/console-shell.ts";
import { type ConsoleOptions, serveConsole, serveDevice } from "./guest/debug-console.ts";
import { prepareGuest } from "./guest/init.ts";
import { powerOffGuest } from "./guest/power-off.ts";
import { inTurn } from "./guest/shutdown.ts";
import { readText } from "./kernel/file.ts";
import { listenOn } from "./kernel/listener.ts";
import { startReaper } from "./kernel/reaper.ts";
import { loadConfig } from "./load-config.ts";
import { drainLog, dying, log, openLog, recentLines, textOf } from "./log.ts";
import { type Arguments, parseArguments } from "./option/arguments.ts";
import { type Call, services } from "./rpc/dispatch.ts";
import { Sandbox } from "./sandbox/sandbox.ts";
import { TapeError } from "./tape/error.ts";
import { parseAddress } from "./ttrpc/address.ts";
import { type Server, serve } from "./ttrpc/server.ts";
import { API_VERSION, NAME, VERSION, versionLine } from "./version.ts";

/** What each part of the agent's end may take, together less than the 10 s of process.md section 2.10. */
const BUDGET_MS = { containers: 4_000, calls: 2_000, log: 500, disks: 3_000 } as const;

const CONSOLE = "/dev/console";

const USAGE = `usage: ${NAME} [--config FILE]        serve the runtime
       ${NAME} explain config.json    print the system calls a container would start with
       ${NAME} --version
`;

const isInit = process.pid === 1;
const rpc = log.withTag("rpc");

main(parseArguments(process.argv.slice(2), isInit));

function main(args: Arguments): void {
  switch (args.role) {
    case "version":
      return void process.stdout.write(versionLine());
    case "help":
      return void process.stdout.write(USAGE);
    case "explain":
      return explainFile(args.file);
    case "refuse":
      return refuse(2, `${args.reason}\n${USAGE}`);
    case "serve":
      return start(args.configFile, args.ignored);
  }
}

function explainFile(file: string): void {
  try {
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
  // A defect in one call must not end the pod.
  process.on("uncaughtException", (error) =>
    log.fatal("uncaught exception", { error: textOf(error) }),
  );
  process.on("unhandledRejection", (error) =>
    log.fatal("unhandled rejection", { error: textOf(error) }),
  );
  // However the agent ends, as PID 1 it takes the guest with it: the kernel would panic.
  if (isInit) process.on("exit", powerOff);
  const { config, warnings } = loadConfig(configFile);
  openLog(config);
  log.info("announce", {
    "agent-commit": VERSION,
    "agent-version": VERSION,
    "api-version": API_VERSION,
    config: describeConfig(config),
    "extra-features": "[]",
  });
  for (const argument of ignored) log.warn("argument ignored", { argument });
  for (const warning of warnings) log.warn(warning);
  if (isInit) prepare(config);
  let debugConsole = Promise.resolve();
  try {
    startReaper();
    const sandbox = new Sandbox(describeGuest(config.containerPipeSize));
    if (config.debugConsole) debugConsole = openDebugConsole(config, sandbox);
    serveRuntime(config, sandbox);
  } catch (error) {
    dying("cannot serve", error);
    // Whoever is in it may be looking for the reason.
    void debugConsole.then(() => process.exit(1));
  }
}

/** What systemd does where the agent is not PID 1. */
function prepare({ unifiedCgroupHierarchy, cgroupNoV1 }: Config): void {
  prepareGuest({
    cgroups: { unified: unifiedCgroupHierarchy, noV1: cgroupNoV1 },
    report: (error) => log.withTag("init").error("not prepared", { error: String(error) }),
  });
}

function powerOff(): void {
  try {
    powerOffGuest(BUDGET_MS.disks);
  } catch (error) {
    dying("cannot power off", error);
  }
}

/** Resolves when there is none any more. */
async function openDebugConsole({ debugConsolePort }: Config, sandbox: Sandbox): Promise<void> {
  const tagged = log.withTag("debug-console");
  const address = debugConsolePort === 0 ? CONSOLE : `vsock://-1:${debugConsolePort}`;
  const options: ConsoleOptions = {
    shells: SHELLS,
    environment: Object.entries(process.env).map(([name, value]) => `${name}=${value}`),
    ignoredSignals: sandbox.guest.ignoredSignals,
    sources: {
      recentLines,
      containers: () =>
        sandbox.containers.map(({ id, status, init }) => ({ id, status, pid: init.child.pid })),
    },
    report: (message, error) => tagged.warn(message, { error: String(error) }),
  };
  tagged.warn("THE DEBUG CONSOLE IS ON: whoever reaches it is root in this guest", { address });
  try {
    if (debugConsolePort === 0) await serveDevice(CONSOLE, options);
    else await serveConsole(listenOn(parseAddress(address), address), options);
  } catch (error) {
    tagged.error("no debug console", { error: String(error) });
  }
}

function serveRuntime({ serverAddress }: Config, sandbox: Sandbox): void {
  const listener = listenOn(parseAddress(serverAddress), serverAddress);
  let isEnding = false;
  const shutdown = () => {
    if (!isEnding) void end(sandbox, server);
    isEnding = true;
  };
  const server = serve({
    fd: listener.release(),
    services: services({ sandbox, isInit, shutdown, onCall: logCall, onFailure: logFailure }),
    onError: (error) => rpc.warn("connection", { error: String(error) }),
  });
  // What PID 1 does not catch the kernel keeps from it, and a guest is not stopped by a signal.
  if (!isInit) process.on("SIGTERM", shutdown);
  rpc.info("ttRPC server started", { address: serverAddress });
}

/** What runs is ended, what waits is answered, what was logged is written. */
async function end(sandbox: Sandbox, server: Server): Promise<never> {
  // No call is accepted from here on.
  const answered = server.stop(BUDGET_MS.containers + BUDGET_MS.calls);
  await inTurn(
    [
      { what: "end the containers", budgetMs: BUDGET_MS.containers, run: () => sandbox.destroy() },
      { what: "answer the calls", budgetMs: BUDGET_MS.calls, run: () => answered },
      { what: "write the log", budgetMs: BUDGET_MS.log, run: () => drainLog(BUDGET_MS.log) },
    ],
    (what, reason) => log.warn("shutdown", { what, error: String(reason) }),
  );
  process.exit(0);
}

function logCall({ method, containerId, execId }: Call): void {
  const fields = { "container-id": containerId, "exec-id": execId };
  const given = Object.entries(fields).filter(([, value]) => value !== "");
  rpc.info(`rpc call from shim to agent: "${method}"`, Object.fromEntries(given));
}

/** The op is named by the error, and shown by the log: among others, with an arrow. */
function logFailure(method: string, error: unknown, isDefect: boolean): void {
  rpc.warn(method, { error: String(error) });
  if (error instanceof TapeError) rpc.debug(method, { tape: excerpt(error) });
  if (isDefect && error instanceof Error) rpc.error(method, { stack: error.stack ?? "" });
}

/** A tape can be longer than a line of the log may be. */
function excerpt(error: TapeError): string {
  const ops = error.listing().split("\n");
  return ops.slice(Math.max(error.index - 60, 0), error.index + 20).join("\n");
}
