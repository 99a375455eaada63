// Every option, with what the documents of Kata's own agent say of it.
import type { Config } from "../../../src/config.ts";
import {
  BOOL,
  BYTE,
  FLAG,
  I64,
  PORT,
  SECONDS,
  TEXT,
  U64,
  type Values,
  big,
  same,
  words,
} from "./values.ts";

export type Row = Values & {
  readonly parameter?: string;
  readonly variable?: string;
  readonly key?: string;
  readonly of: (config: Config) => unknown;
  readonly unlessTold: unknown;
};

export const ROWS: readonly Row[] = [
  {
    parameter: "agent.server_addr",
    variable: "KATA_AGENT_SERVER_ADDR",
    key: "server_addr",
    of: (config) => config.serverAddress,
    unlessTold: "vsock://-1:1024",
    good: ["vsock://3:9", "unix:///run/a.sock", "unix://@name"].map(same),
    bad: ["", "1024", "tcp://127.0.0.1:1024", "vsock://-1:port"],
    goodToml: [same("vsock://3:9")],
    badToml: ["", "x", 1024],
  },
  {
    parameter: "agent.log",
    variable: "KATA_AGENT_LOG_LEVEL",
    key: "log_level",
    of: (config) => config.logLevel,
    unlessTold: "info",
    ...words(
      ["fatal", "critical"],
      ["panic", "critical"],
      ["critical", "critical"],
      ["error", "error"],
      ["warn", "warning"],
      ["warning", "warning"],
      ["info", "info"],
      ["debug", "debug"],
      ["trace", "trace"],
    ),
  },
  {
    parameter: "agent.log_vport",
    key: "log_vport",
    of: (config) => config.logPort,
    unlessTold: 0,
    ...PORT,
  },
  {
    parameter: "agent.container_pipe_size",
    key: "container_pipe_size",
    of: (config) => config.containerPipeSize,
    unlessTold: 0,
    ...PORT,
  },
  {
    parameter: "agent.hook_timeout",
    key: "hook_timeout",
    of: (config) => config.hookTimeoutMs,
    unlessTold: 10_000,
    ...SECONDS,
  },
  {
    parameter: "agent.hook_errors",
    key: "hook_errors",
    of: (config) => config.hookErrors,
    unlessTold: "spec",
    ...words(["spec", "spec"], ["all", "all"], ["none", "none"]),
  },
  {
    parameter: "agent.config_file",
    of: (config) => config.configFile,
    unlessTold: "",
    ...TEXT,
  },
  {
    parameter: "agent.debug_console",
    key: "debug_console",
    of: (config) => config.debugConsole,
    unlessTold: false,
    ...FLAG,
  },
  {
    parameter: "agent.debug_console_vport",
    key: "debug_console_vport",
    of: (config) => config.debugConsolePort,
    unlessTold: 0,
    ...PORT,
  },
  {
    parameter: "cgroup_no_v1",
    of: (config) => config.cgroupNoV1,
    unlessTold: false,
    // The kernel takes a list of controllers here: no mistake, but not for the agent.
    good: [
      ["all", true],
      ["memory", false],
      ["", false],
      [undefined, false],
    ],
    bad: [],
    goodToml: [],
    badToml: [],
  },
  {
    parameter: "systemd.unified_cgroup_hierarchy",
    key: "unified_cgroup_hierarchy",
    of: (config) => config.unifiedCgroupHierarchy,
    unlessTold: true,
    ...BOOL,
  },
  {
    parameter: "agent.hotplug_timeout",
    key: "hotplug_timeout",
    of: (config) => config.hotplugTimeoutMs,
    unlessTold: 3_000,
    ...SECONDS,
  },
  {
    parameter: "agent.trace",
    variable: "KATA_AGENT_TRACING",
    key: "tracing",
    of: (config) => config.tracing,
    unlessTold: false,
    ...BOOL,
    good: [...BOOL.good, [undefined, true]],
    bad: BOOL.bad.filter((text) => text !== undefined),
  },
  {
    parameter: "agent.https_proxy",
    key: "https_proxy",
    of: (config) => config.httpsProxy,
    unlessTold: "",
    good: [
      ["http://proxy.example:3128", "http://proxy.example:3128/"],
      ["https://a.example/x?y=z", "https://a.example/x?y=z"],
    ],
    bad: [undefined, "", "proxy", "http://"],
    goodToml: [["http://h", "http://h/"]],
    badToml: ["", "proxy", 1],
  },
  {
    parameter: "agent.no_proxy",
    key: "no_proxy",
    of: (config) => config.noProxy,
    unlessTold: "",
    ...TEXT,
  },
  {
    variable: "KATA_AGENT_POLICY_FILE",
    key: "policy_file",
    of: (config) => config.policyFile,
    unlessTold: "",
    ...TEXT,
  },
  {
    parameter: "agent.passfd_listener_port",
    key: "passfd_listener_port",
    of: (config) => config.passfdListenerPort,
    unlessTold: 0,
    ...PORT,
  },
  {
    parameter: "agent.visible_cdi_devices",
    key: "visible_cdi_devices",
    of: (config) => config.visibleCdiDevices,
    unlessTold: false,
    ...BOOL,
  },
  {
    parameter: "agent.cdi_timeout",
    key: "cdi_timeout",
    of: (config) => config.cdiTimeoutMs,
    unlessTold: 100_000,
    ...SECONDS,
  },
  {
    parameter: "agent.cdh_api_timeout",
    key: "cdh_api_timeout",
    of: (config) => config.cdhApiTimeoutMs,
    unlessTold: 50_000,
    ...SECONDS,
  },
  {
    parameter: "agent.image_pull_timeout",
    key: "image_pull_timeout",
    of: (config) => config.imagePullTimeoutMs,
    unlessTold: 1_200_000,
    ...SECONDS,
  },
  {
    parameter: "agent.launch_process_timeout",
    key: "launch_process_timeout",
    of: (config) => config.launchProcessTimeoutMs,
    unlessTold: 6_000,
    ...SECONDS,
  },
  {
    parameter: "agent.guest_components_procs",
    key: "guest_components_procs",
    of: (config) => config.guestComponentsProcs,
    unlessTold: "api-server-rest",
    ...words(
      ...["none", "attestation-agent", "confidential-data-hub", "api-server-rest"].map(same),
    ),
  },
  {
    parameter: "agent.guest_components_rest_api",
    key: "guest_components_rest_api",
    of: (config) => config.guestComponentsRestApi,
    unlessTold: "resource",
    ...words(...["all", "attestation", "resource"].map(same)),
  },
  {
    variable: "KATA_ATTESTER_VARIANT",
    of: (config) => config.attesterVariant,
    unlessTold: "default",
    ...TEXT,
    goodToml: [],
    badToml: [],
  },
  {
    parameter: "agent.secure_storage_integrity",
    key: "secure_storage_integrity",
    of: (config) => config.secureStorageIntegrity,
    unlessTold: true,
    ...BOOL,
  },
  {
    parameter: "agent.devmode",
    key: "dev_mode",
    of: (config) => config.devMode,
    unlessTold: false,
    ...FLAG,
  },
  ...memAgentRows(),
];

function memAgentRows(): Row[] {
  const row = (
    name: string,
    of: (config: Config["memAgent"]) => unknown,
    unlessTold: unknown,
    values: Values,
  ): Row => ({
    parameter: `agent.mem_agent_${name}`,
    key: `mem_agent_${name}`,
    of: ({ memAgent }) => of(memAgent),
    unlessTold,
    ...values,
  });
  return [
    row("enable", (each) => each.enable, false, BOOL),
    row("memcg_disable", (each) => each.memcgDisable, false, BOOL),
    row("memcg_swap", (each) => each.memcgSwap, false, BOOL),
    row("memcg_swappiness_max", (each) => each.memcgSwappinessMax, 50, BYTE),
    row("memcg_period_secs", (each) => each.memcgPeriodSecs, 600n, big(U64)),
    row("memcg_period_psi_percent_limit", (each) => each.memcgPeriodPsiPercentLimit, 1, BYTE),
    row("memcg_eviction_psi_percent_limit", (each) => each.memcgEvictionPsiPercentLimit, 1, BYTE),
    row(
      "memcg_eviction_run_aging_count_min",
      (each) => each.memcgEvictionRunAgingCountMin,
      3n,
      big(U64),
    ),
    row("compact_disable", (each) => each.compactDisable, false, BOOL),
    row("compact_period_secs", (each) => each.compactPeriodSecs, 600n, big(U64)),
    row("compact_period_psi_percent_limit", (each) => each.compactPeriodPsiPercentLimit, 1, BYTE),
    row("compact_psi_percent_limit", (each) => each.compactPsiPercentLimit, 5, BYTE),
    row("compact_sec_max", (each) => each.compactSecMax, 300n, big(I64)),
    row("compact_order", (each) => each.compactOrder, 9, BYTE),
    row("compact_threshold", (each) => each.compactThreshold, 1024n, big(U64)),
    row("compact_force_times", (each) => each.compactForceTimes, I64, big(U64)),
  ];
}

export const nameOf = ({ parameter, variable, key }: Row) => parameter ?? variable ?? key ?? "";
