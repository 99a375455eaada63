// What can be told of hooks from outside.

/** Whose hooks fail the call when they fail: the spec's, the guest's as well, or nobody's. */
export type FatalHooks = "spec" | "all" | "none";

export type HookRules = {
  /** For a hook that says nothing of it. */
  readonly timeoutMs: number;
  readonly fatal: FatalHooks;
  readonly report: (level: "info" | "warn", message: string, fields: HookReport) => void;
};

/** Which hook, and why it failed or what it wrote. Nothing of its environment. */
export type HookReport = Readonly<Record<string, string>>;
