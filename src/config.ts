// What the agent can be told from outside, a row each: process.md section 1. docs/configuration.md
// is printed from these rows.
import {
  address,
  bool,
  flag,
  integer,
  is,
  port,
  seconds,
  switchable,
  text,
  url,
  word,
} from "./option/kind.ts";
import { readGuestComponents } from "./option/guest-components.ts";
import { documentOf, rowOf } from "./option/markdown.ts";
import { readMemAgent } from "./option/mem-agent.ts";
import { CONFIG_FILE, type Read } from "./option/option.ts";
import { parametersOf } from "./option/parameters.ts";
import { readOptions } from "./option/read.ts";
import type { Sources } from "./option/sources.ts";

export type Config = ReturnType<typeof options>;

/** Kata's words for how much is logged. */
const LEVELS = {
  fatal: "critical",
  panic: "critical",
  critical: "critical",
  error: "error",
  warn: "warning",
  warning: "warning",
  info: "info",
  debug: "debug",
  trace: "trace",
} as const;

/** The table. A row that `acts` not is read and checked, so that what is told wrongly is said today. */
function options(read: Read) {
  return {
    serverAddress: read({
      parameter: "agent.server_addr",
      variable: "KATA_AGENT_SERVER_ADDR",
      kind: address,
      default: "vsock://-1:1024",
      says: "Where the runtime finds the agent. The context id -1 is every one that the guest has.",
      acts: true,
    }),
    logLevel: read({
      parameter: "agent.log",
      variable: "KATA_AGENT_LOG_LEVEL",
      key: "log_level",
      kind: word(LEVELS),
      default: "info",
      says: "What is logged: this, and what is worse.",
      acts: true,
    }),
    logPort: read({
      parameter: "agent.log_vport",
      kind: port,
      default: 0,
      says: "The vsock port where the log is handed out, to one reader at a time. 0: it goes to stdout.",
      acts: true,
    }),
    containerPipeSize: read({
      parameter: "agent.container_pipe_size",
      kind: integer(0, 0x7fff_ffff),
      default: 0,
      says: "Bytes in each output pipe of a process, as F_SETPIPE_SZ takes them. 0: the kernel's default.",
      acts: true,
    }),
    hookTimeoutMs: read({
      parameter: "agent.hook_timeout",
      kind: seconds,
      default: 10_000,
      says: "How long a hook may run that says nothing of it.",
      acts: true,
    }),
    hookErrors: read({
      parameter: "agent.hook_errors",
      kind: word({ spec: "spec", all: "all", none: "none" } as const),
      default: "spec",
      says: "Whose hooks fail a call by failing: the spec's, the guest's as well, or nobody's.",
      acts: true,
    }),
    configFile: read({
      parameter: CONFIG_FILE,
      key: null,
      kind: text,
      default: "",
      says: "A TOML file to read instead of everything else.",
      acts: true,
    }),
    debugConsole: read({
      parameter: "agent.debug_console",
      kind: flag,
      default: false,
      says: "A shell for whoever debugs the guest.",
      acts: true,
    }),
    debugConsolePort: read({
      parameter: "agent.debug_console_vport",
      kind: port,
      default: 0,
      says: "The vsock port of that shell. 0: it is on `/dev/console`.",
      acts: true,
    }),
    cgroupNoV1: read({
      parameter: "cgroup_no_v1",
      key: null,
      kind: is("all"),
      default: false,
      says: "As PID 1: mount cgroup v2. The kernel itself reads it, too.",
      acts: true,
    }),
    unifiedCgroupHierarchy: read({
      parameter: "systemd.unified_cgroup_hierarchy",
      key: "unified_cgroup_hierarchy",
      kind: bool,
      default: true,
      says: "As PID 1: mount cgroup v2, or v1 if false and v1 is there.",
      acts: true,
    }),
    hotplugTimeoutMs: read({
      parameter: "agent.hotplug_timeout",
      kind: seconds,
      default: 3_000,
      says: "How long a device may take to appear.",
      acts: true,
    }),
    ptpClock: read({
      parameter: "agent.ptp_clock",
      kind: text,
      default: "",
      says: "A clock of the host's to keep the guest's by, such as `/dev/ptp0`. None: nobody keeps it here.",
      acts: true,
    }),
    tracing: read({
      parameter: "agent.trace",
      variable: "KATA_AGENT_TRACING",
      key: "tracing",
      kind: switchable,
      default: false,
      says: "Export spans to the host. The name alone says true.",
      acts: true,
    }),
    traceAddress: read({
      parameter: "agent.trace_address",
      kind: address,
      default: "vsock://2:10240",
      says: "Where the spans go: to an OpenTelemetry collector, by OTLP over HTTP.",
      acts: true,
    }),
    httpsProxy: read({
      parameter: "agent.https_proxy",
      kind: url,
      default: "",
      says: "The proxy for programs of the guest that fetch images and keys.",
      acts: false,
    }),
    noProxy: read({
      parameter: "agent.no_proxy",
      kind: text,
      default: "",
      says: "Hosts that are asked without that proxy.",
      acts: false,
    }),
    policyFile: read({
      variable: "KATA_AGENT_POLICY_FILE",
      key: "policy_file",
      kind: text,
      default: "",
      says: "The policy to begin with. Without this name, `/etc/kata-opa/default-policy.rego` if it is there.",
      acts: true,
    }),
    setsResolvConf: read({
      parameter: "agent.set_resolv_conf",
      kind: bool,
      default: true,
      says: "Mount the `resolv.conf` that the host sends over the guest's own. False: that stays, as where the guest has a network of its own; containers get theirs all the same.",
      acts: true,
    }),
    passfdListenerPort: read({
      parameter: "agent.passfd_listener_port",
      kind: port,
      default: 0,
      says: "The vsock port where streams of processes are connected directly. 0: nowhere.",
      acts: true,
    }),
    visibleCdiDevices: read({
      parameter: "agent.visible_cdi_devices",
      kind: bool,
      default: false,
      says: "Heed `VISIBLE_CDI_DEVICES` in the environment of containers.",
      acts: true,
    }),
    cdiTimeoutMs: read({
      parameter: "agent.cdi_timeout",
      kind: seconds,
      default: 100_000,
      says: "How long the specs of CDI devices may take to appear.",
      acts: true,
    }),
    guestComponents: readGuestComponents(read),
    devMode: read({
      parameter: "agent.devmode",
      key: "dev_mode",
      kind: flag,
      default: false,
      says: "Nothing, in Kata's own agent as well.",
      acts: false,
    }),
    memAgent: readMemAgent(read),
  };
}

/** Each value, and a line for the log about each thing that was told in vain. Never throws. */
export function readConfig(sources: Sources): {
  readonly config: Config;
  readonly warnings: readonly string[];
} {
  const { values, warnings } = readOptions(options, sources);
  return { config: values, warnings };
}

/** The file that the kernel's command line names; undefined if it names none. */
export function configFileIn(commandLine: string): string | undefined {
  const named = parametersOf(commandLine).find(({ name }) => name === CONFIG_FILE);
  return named?.value || undefined;
}

/** All of it on one line for the log, but no name and password of a proxy. */
export function describeConfig(config: Config): string {
  const httpsProxy = config.httpsProxy && config.httpsProxy.replace(/\/\/[^/@]*@/, "//…@");
  return JSON.stringify({ ...config, httpsProxy }, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
}

/** The text of docs/configuration.md. */
export function configurationMarkdown(): string {
  const rows: (readonly string[])[] = [];
  options((option) => {
    rows.push(rowOf(option));
    return option.default;
  });
  return documentOf(rows);
}
