// Hooks for tests: shell scripts that write down what they find.
import { type MessageInitShape } from "@bufbuild/protobuf";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { HookRules } from "../../src/container/hook-rules.ts";
import type { HookSchema } from "../../src/gen/oci_pb.ts";

/** For an agent that no test asks about hooks. */
export const HOOK_RULES: HookRules = { timeoutMs: 10_000, fatal: "spec", report: () => {} };

export type HookInit = Exclude<MessageInitShape<typeof HookSchema>, { $typeName: string }>;

/** Of the namespaces that a container always has to itself, and two that it shares with the agent. */
export const NAMESPACES = ["mnt", "pid", "ipc", "uts", "net", "user"] as const;

/** An executable file, and the path for the spec. */
export function script(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

/** What a hook, or a program, has found. */
export type Sight = {
  readonly name: string;
  readonly cwd: string;
  readonly user: string;
  readonly namespaces: readonly string[];
  readonly environment: readonly string[];
  readonly descriptors: readonly string[];
  readonly state: Readonly<Record<string, unknown>>;
};

/** A script that adds a line of what it finds to `log`, with `name` for what it is. */
export function looking(name: string, log: string): string {
  const links = NAMESPACES.map((each) => `$(readlink /proc/self/ns/${each})`).join(" ");
  const fields = [
    name,
    "$(pwd)",
    "$(id -u):$(id -g)",
    links,
    "$(env | tr '\\n' ' ')",
    // The last is the directory itself.
    "$(ls /proc/self/fd | tr '\\n' ' ')",
    "$state",
  ];
  return `state=$(cat)\nPATH=/bin:/usr/bin\nprintf '%s\\n' "${fields.join("|")}" >> ${log}`;
}

/** In the order in which they were written. */
export function sights(log: string): readonly Sight[] {
  if (!existsSync(log)) return [];
  return readFileSync(log, "utf8").trimEnd().split("\n").map(sightIn);
}

const words = (text: string) => text.split(" ").filter((word) => word !== "");

function sightIn(line: string): Sight {
  const [name = "", cwd = "", user = "", links = "", env = "", fds = "", ...rest] = line.split("|");
  const state = rest.join("|");
  return {
    name,
    cwd,
    user,
    namespaces: words(links),
    // The shell adds some of its own.
    environment: words(env).filter((entry) => !/^(PATH|PWD|OLDPWD|SHLVL|_)=/.test(entry)),
    descriptors: words(fds),
    state: state === "" ? {} : JSON.parse(state),
  };
}

export function logIn(rootfs: string): string {
  return join(rootfs, "hooks.log");
}
