// The agent at work: the sandbox, what the runtime may call, the debug console, and the end of it all.
// Its modules are read only once the agent listens: a runtime that dials early then waits in the queue
// of the socket instead of being refused.
import { NEVER } from "./async/never.ts";
import { type Told, announce } from "./announce.ts";
import type { Config } from "./config.ts";
import { type State, heedDebugSignals, stateOf } from "./debug-state.ts";
import { describeGuest } from "./container/guest.ts";
import type { HookRules } from "./container/hook-rules.ts";
import { Hotplug } from "./device/hotplug.ts";
import { keepClock } from "./guest/clock-keeper.ts";
import { SHELLS } from "./guest/console-shell.ts";
import { type ConsoleOptions, serveConsole, serveDevice } from "./guest/debug-console.ts";
import { refuseInitdata } from "./guest/initdata.ts";
import type { MemoryAgentSettings } from "./guest/memory-agent-settings.ts";
import { inTurn } from "./guest/shutdown.ts";
import { letGoOfCode } from "./kernel/code-pages.ts";
import type { Fd } from "./kernel/fd.ts";
import { hasName, readText } from "./kernel/file.ts";
import { listenOn } from "./kernel/listener.ts";
import { startReaper } from "./kernel/reaper.ts";
import { alarmCounts, drainLog, dying, isLogged, log, recentLines, textOf } from "./log.ts";
import { Beginning } from "./metrics/beginning.ts";
import { Metrics } from "./metrics/metrics.ts";
import { Policy } from "./policy/policy.ts";
import { Rest } from "./rest.ts";
import { type Call, type DispatchOptions, services } from "./rpc/dispatch.ts";
import { Sandbox } from "./sandbox/sandbox.ts";
import { TapeError } from "./tape/error.ts";
import { Exporter } from "./tracing/exporter.ts";
import { startTracing } from "./tracing/tracer.ts";
import { parseAddress } from "./ttrpc/address.ts";
import { type Server, serve } from "./ttrpc/server.ts";
import { warmUp } from "./warm-up.ts";
import { NAME, VERSION } from "./version.ts";

/** What each part of the agent's end may take. */
const BUDGET_MS = { containers: 4_000, calls: 2_000, spans: 500, log: 500 } as const;

/** Where Kata's images have it: process.md section 4.1. */
const DEFAULT_POLICY_FILE = "/etc/kata-opa/default-policy.rego";

/** Kubernetes asks a container how it is each 10 s, unless told otherwise: that is no rest. */
const QUIET_MS = 20_000;
const COLLECTED_MS = 500;

const CONSOLE = "/dev/console";

const rpc = log.withTag("rpc");
const clock = log.withTag("clock");

/** How the agent was started. */
type Birth = {
  readonly isInit: boolean;
  readonly reached: ConstructorParameters<typeof Beginning>[0];
};

/** `listener` listens on the address of the configuration. */
export async function runService(told: Told, listener: () => Fd, birth: Birth): Promise<void> {
  const { config } = told;
  let debugConsole = Promise.resolve();
  try {
    announce(told);
    startReaper();
    const sandbox = new Sandbox(
      describeGuest(config.containerPipeSize, hookRules(config), log.withTag("container").warn),
      new Hotplug({ timeoutMs: config.hotplugTimeoutMs }),
      { timeoutMs: config.cdiTimeoutMs, heedsVariable: config.visibleCdiDevices },
      config.setsResolvConf,
    );
    if (config.memAgent.enable)
      sandbox.hardware.startMemoryAgent(memoryAgentSettings(config), sandbox.guest.cgroupVersion);
    if (config.ptpClock !== "")
      keepClock(config.ptpClock, (level, ...what) => clock[level](...what), NEVER);
    const beginning = new Beginning(birth.reached);
    const metrics = new Metrics({
      onMissing: (path, error) => rpc.info("no metrics", { path, error: String(error) }),
      beginning,
      alarms: alarmCounts,
    });
    const state = stateOf(sandbox, metrics);
    heedDebugSignals(state);
    if (config.debugConsole) debugConsole = openDebugConsole(config, sandbox, state);
    if (config.passfdListenerPort !== 0) void listenForStreams(config, sandbox);
    await refuseInitdata();
    const { isInit } = birth;
    const parts = { sandbox, metrics, policy: initialPolicy(config), isInit };
    serveRuntime(config, listener(), parts);
    beginning.reached("serving");
  } catch (error) {
    dying("cannot serve", error);
    // Whoever is in it may be looking for the reason.
    void debugConsole.then(() => process.exit(1));
  }
}

function hookRules({ hookTimeoutMs, hookErrors }: Config): HookRules {
  const tagged = log.withTag("hooks");
  return {
    timeoutMs: hookTimeoutMs,
    fatal: hookErrors,
    report: (level, message, fields) => tagged[level](message, fields),
  };
}

/**
 * An image that has none allows everything. Throws for one that cannot be read or is not understood:
 * then nothing is served.
 */
function initialPolicy({ policyFile }: Config): Policy {
  const tagged = log.withTag("policy");
  const isThere = policyFile !== "" || hasName(DEFAULT_POLICY_FILE);
  const file = policyFile || DEFAULT_POLICY_FILE;
  const policy = new Policy(isThere ? readText(file) : undefined, (refusal) =>
    tagged.warn("let pass", { error: refusal.message }),
  );
  if (isThere) tagged.info("initial policy", { file });
  return policy;
}

function memoryAgentSettings({ memAgent }: Config): MemoryAgentSettings {
  return {
    reclaim: {
      disabled: memAgent.memcgDisable,
      swap: memAgent.memcgSwap,
      swappinessMax: memAgent.memcgSwappinessMax,
      periodSecs: memAgent.memcgPeriodSecs,
      periodPsiPercentLimit: memAgent.memcgPeriodPsiPercentLimit,
      evictionPsiPercentLimit: memAgent.memcgEvictionPsiPercentLimit,
      evictionRunAgingCountMin: memAgent.memcgEvictionRunAgingCountMin,
    },
    compact: {
      disabled: memAgent.compactDisable,
      periodSecs: memAgent.compactPeriodSecs,
      periodPsiPercentLimit: memAgent.compactPeriodPsiPercentLimit,
      compactPsiPercentLimit: memAgent.compactPsiPercentLimit,
      compactSecMax: memAgent.compactSecMax,
      compactOrder: memAgent.compactOrder,
      compactThreshold: memAgent.compactThreshold,
      compactForceTimes: memAgent.compactForceTimes,
    },
  };
}

/** Resolves when there is none any more. */
async function openDebugConsole(
  { debugConsolePort }: Config,
  sandbox: Sandbox,
  state: State,
): Promise<void> {
  const tagged = log.withTag("debug-console");
  const address = debugConsolePort === 0 ? CONSOLE : `vsock://-1:${debugConsolePort}`;
  const options: ConsoleOptions = {
    shells: SHELLS,
    environment: Object.entries(process.env).map(([name, value]) => `${name}=${value}`),
    ignoredSignals: sandbox.guest.ignoredSignals,
    sources: { recentLines, ...state },
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

/** Resolves when it cannot be done any more: then the host has to ask for what processes write. */
async function listenForStreams({ passfdListenerPort }: Config, sandbox: Sandbox): Promise<void> {
  const address = `vsock://-1:${passfdListenerPort}`;
  try {
    await sandbox.streamPorts.serve(listenOn(parseAddress(address), address));
  } catch (error) {
    log.withTag("passfd").error("no streams of the host", { error: String(error) });
  }
}

type Parts = Pick<DispatchOptions, "sandbox" | "policy" | "metrics" | "isInit">;

function serveRuntime(config: Config, listener: Fd, parts: Parts): void {
  const { sandbox, isInit } = parts;
  const spans = config.tracing ? exportSpans(config) : undefined;
  const rest = new Rest(QUIET_MS, giveMemoryBack);
  /** From here on the real thing warms the code. */
  let hasBegun = false;
  let isEnding = false;
  const shutdown = () => {
    if (!isEnding) void end(sandbox, server, spans);
    isEnding = true;
  };
  const server = serve({
    fd: listener.release(),
    services: services({
      ...parts,
      shutdown,
      onCall: (call) => {
        hasBegun ||= call.method === "CreateContainer";
        rest.disturb();
        logCall(call);
      },
      onFailure: logFailure,
    }),
    onError: (error) => rpc.warn("connection", { error: String(error) }),
  });
  // What PID 1 does not catch the kernel keeps from it, and a guest is not stopped by a signal.
  if (!isInit) process.on("SIGTERM", shutdown);
  rpc.info("ttRPC server started", { address: config.serverAddress });
  rest.disturb();
  warmUp(() => !hasBegun).catch((error: unknown) => rpc.error("warm-up", { error: textOf(error) }));
}

/** What the engine keeps for the next container, the code that it has compiled included, and its own. */
function giveMemoryBack(): void {
  // It collects when it is idle, and runs over much of its code for that.
  Bun.shrink();
  setTimeout(() => {
    try {
      letGoOfCode();
    } catch (error) {
      log.warn("at rest", { error: String(error) });
    }
  }, COLLECTED_MS);
}

function exportSpans({ traceAddress }: Config): Exporter {
  const tagged = log.withTag("tracing");
  const spans = new Exporter({
    address: parseAddress(traceAddress),
    name: traceAddress,
    resource: { "service.name": NAME, "service.version": VERSION },
    onLoss: (error) => tagged.warn("spans are lost", { error: String(error) }),
  });
  startTracing((span) => spans.add(span));
  return spans;
}

/** What runs is ended, what waits is answered, what was seen and logged is sent. */
async function end(sandbox: Sandbox, server: Server, spans: Exporter | undefined): Promise<never> {
  // No call is accepted from here on.
  const answered = server.stop(BUDGET_MS.containers + BUDGET_MS.calls);
  // Not before: one of Kata's runtimes would ask again at once, and again.
  sandbox.oomEvents.close();
  await inTurn(
    [
      { what: "end the containers", budgetMs: BUDGET_MS.containers, run: () => sandbox.destroy() },
      { what: "answer the calls", budgetMs: BUDGET_MS.calls, run: () => answered },
      { what: "send the spans", budgetMs: BUDGET_MS.spans, run: async () => spans?.flush() },
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
  if (error instanceof TapeError && isLogged("debug")) {
    rpc.debug(method, { tape: excerpt(error) });
  }
  if (isDefect && error instanceof Error) rpc.error(method, { stack: error.stack ?? "" });
}

/** A tape can be longer than a line of the log may be. */
function excerpt(error: TapeError): string {
  const ops = error.listing().split("\n");
  return ops.slice(Math.max(error.index - 60, 0), error.index + 20).join("\n");
}
