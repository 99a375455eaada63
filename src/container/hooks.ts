// The hooks of a container at each moment of its life (OCI runtime spec, "POSIX-platform Hooks"):
// who runs them, where, what they are told, and whose failure fails the call. container.md 1.16.
import { NEVER } from "../async/never.ts";
import type { Cgroup } from "../cgroup/cgroup.ts";
import { internal } from "../error.ts";
import { readText } from "../kernel/file.ts";
import { innermostPid } from "../linux/proc-status.ts";
import type { SeccompFilter } from "../linux/seccomp.ts";
import { type HookKind, hookArgs } from "../oci/hooks.ts";
import type { IdMaps } from "../oci/id-mapping.ts";
import { quote } from "../oci/invalid-spec.ts";
import type { NamespaceType } from "../oci/namespace.ts";
import type { Hook } from "../oci/spec.ts";
import { type ContainerStatus, stateJson } from "../oci/state.ts";
import type { ContainerSpec } from "../oci/valid-spec.ts";
import { execProgram } from "../program/exec.ts";
import { hookProgram } from "../program/hook.ts";
import type { Take } from "../tape/player.ts";
import type { Tape } from "../tape/tape.ts";
import type { Bundle } from "./bundle.ts";
import type { Guest } from "./guest.ts";
import { phase } from "../tracing/tracer.ts";
import { PinnedNamespaces } from "./pinned-namespaces.ts";
import type { Labels } from "../program/security-labels.ts";
import { limitStops } from "./limits.ts";
import { takeListener } from "./seccomp-listener.ts";
import type { SpawnBirth } from "../child/clone.ts";
import { runListened } from "../child/run-listened.ts";
import type { Stop } from "../child/end-of.ts";

/** A container, as far as its hooks are concerned. */
export type Hooked = {
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly guest: Guest;
  readonly bundle: Bundle;
  readonly cgroup: Cgroup;
  readonly seccomp: SeccompFilter | undefined;
  readonly labels: Labels;
  readonly ids: IdMaps | undefined;
  /** Hooks that fail nothing but themselves. */
  readonly forgiven: ReadonlySet<Hook>;
};

type Moment = {
  readonly kind: HookKind;
  readonly status: ContainerStatus;
  /** Of the first process, as the hook sees it; asked for only where there are hooks. */
  readonly pid: () => number;
  readonly signal: AbortSignal;
  readonly place: Place;
};

type Place = {
  readonly program: (hook: Hook, birth: SpawnBirth) => Tape;
  readonly cgroup?: Cgroup | undefined;
  readonly take?: Take | undefined;
  readonly stops?: readonly Stop[] | undefined;
};

/** Of its output, in bytes. */
const KEPT_OUTPUT = 2048;

/** While the first process of a container, `pid`, waits with all its mounts made. */
export async function runCreateHooks(
  container: Hooked,
  pid: number,
  namespaces: readonly NamespaceType[],
  signal: AbortSignal,
): Promise<void> {
  const status = "creating";
  const runtime = { status, pid: () => pid, signal, place: agentOf(container) } as const;
  await runHooks(container, { kind: "prestart", ...runtime });
  await runHooks(container, { kind: "createRuntime", ...runtime });
  using pinned = PinnedNamespaces.of(pid, namespaces);
  const { id, bundle, cgroup, ids } = container;
  await runHooks(container, {
    kind: "createContainer",
    status,
    pid: () => pidInside(pid),
    signal,
    place: {
      // The root is in its place, and the agent's tree around it: as runc has it.
      program: (hook, birth) =>
        hookProgram(hook, {
          ...birth,
          containerId: id,
          ids,
          joined: pinned.joined,
          cwd: bundle.rootfs.target,
        }),
      cgroup,
    },
  });
}

/** In the container, as what its first process, `pid`, is about to become: user, limits, filter. */
export async function runStartHooks(
  container: Hooked,
  pid: number,
  pinned: PinnedNamespaces,
  signal: AbortSignal,
): Promise<void> {
  const { id, spec, cgroup, seccomp, labels, ids } = container;
  const program = (hook: Hook, birth: SpawnBirth) =>
    execProgram(
      { ...spec.process, terminal: false, args: hookArgs(hook) },
      {
        ...birth,
        containerId: id,
        ids,
        joined: pinned.joined,
        served: spec.linux,
        labels,
        seccomp,
        file: hook.path,
        environment: hook.env ?? [],
      },
    );
  const take = takeListener(container, "created", pid);
  const stops = limitStops(ids, spec.process);
  const place = { program, cgroup, take, stops };
  await runHooks(container, {
    kind: "startContainer",
    status: "created",
    pid: () => pidInside(pid),
    signal,
    place,
  });
}

export async function runPoststartHooks(
  container: Hooked,
  pid: number,
  signal: AbortSignal,
): Promise<void> {
  const place = agentOf(container);
  const status = "running";
  await runHooks(container, { kind: "poststart", status, pid: () => pid, signal, place });
}

/** Nothing is left of the container but its bundle. Never throws for what a hook does. */
export async function runPoststopHooks(container: Hooked): Promise<void> {
  const place = agentOf(container);
  const status = "stopped";
  await runHooks(container, { kind: "poststop", status, pid: () => 0, signal: NEVER, place });
}

function agentOf({ id, bundle }: Hooked): Place {
  return {
    program: (hook, birth) =>
      hookProgram(hook, { ...birth, containerId: id, joined: {}, cwd: bundle.path }),
  };
}

/** In the order of the list. The first failure that counts is thrown; the rest are not run then. */
async function runHooks(container: Hooked, moment: Moment): Promise<void> {
  const { id, spec, guest, forgiven } = container;
  const { kind, signal } = moment;
  const isLate = kind === "poststart" || kind === "poststop";
  for (const [index, hook] of (spec.hooks?.[kind] ?? []).entries()) {
    const name = `${kind} hook ${index} ${quote(hook.path)}`;
    const fields = { "container-id": id, hook: name };
    try {
      const output = await phase(name, () => runHook(container, hook, moment));
      if (output !== "") guest.hooks.report("info", "hook", { ...fields, output });
    } catch (error) {
      signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      if (!isLate && !forgiven.has(hook)) throw internal(`${name}: ${reason}`);
      guest.hooks.report("warn", "hook failed", { ...fields, error: reason });
    }
  }
}

/** What it wrote. */
async function runHook(container: Hooked, hook: Hook, moment: Moment): Promise<string> {
  const { id, spec, guest, bundle } = container;
  const { status, pid, signal, place } = moment;
  const { ociVersion, annotations } = spec;
  const ended = await runListened({
    ...place,
    program: (birth) => place.program(hook, birth),
    entry: place.cgroup?.entry,
    ignoredSignals: guest.ignoredSignals,
    together: true,
    kept: KEPT_OUTPUT,
    stdin: stateJson({ ociVersion, id, status, pid: pid(), bundle: bundle.path, annotations }),
    timeoutMs: hook.timeout === undefined ? guest.hooks.timeoutMs : hook.timeout * 1000,
    signal,
  });
  const output = ended.stdout.text.trim();
  if (ended.status === 0) return output;
  const said = output === "" ? "" : `: ${JSON.stringify(output)}`;
  throw internal(`it ended with status ${ended.status}${said}`);
}

function pidInside(pid: number): number {
  const inside = innermostPid(readText(`/proc/${pid}/status`));
  if (inside === undefined) throw internal(`process ${pid} has ended`);
  return inside;
}
