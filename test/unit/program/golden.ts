// The pairs in golden/: a spec in, its tape out. Each `*.json` holds what one concern needs and no
// more; the rest is the least container there is.
import { readFileSync } from "node:fs";
import { normaliseEnvironment } from "../../../src/oci/environment.ts";
import { specFromJson } from "../../../src/oci/from-json.ts";
import {
  type Decode,
  array,
  flag,
  integer,
  object,
  optional,
  record,
  text,
  texts,
  u32,
  word,
} from "../../../src/oci/json-value.ts";
import type { IdMaps } from "../../../src/oci/id-mapping.ts";
import { NAMESPACE_TYPES, type NamespaceType } from "../../../src/oci/namespace.ts";
import type { Process } from "../../../src/oci/process.ts";
import type { Hook } from "../../../src/oci/spec.ts";
import type { ContainerProcess, ContainerSpec } from "../../../src/oci/valid-spec.ts";
import { validateSpec } from "../../../src/oci/validate.ts";
import type { TreeEntry } from "../../../src/linux/tree-entry.ts";
import { CAP } from "../../../src/linux/capability-names.ts";
import type { Birth } from "../../../src/program/birth.ts";
import type { CgroupView, HierarchyView } from "../../../src/program/cgroup-view.ts";
import { execProgram } from "../../../src/program/exec.ts";
import { hookProgram } from "../../../src/program/hook.ts";
import { initProgram } from "../../../src/program/init.ts";
import { compileSeccomp } from "../../../src/seccomp/compile.ts";
import type { Tape } from "../../../src/tape/tape.ts";

export const DIRECTORY = `${import.meta.dir}/golden`;
export const BUNDLE = "/run/kata-containers/c1";
export const ROOTFS = `${BUNDLE}/rootfs`;
/** The child's end of its line to the agent. */
export const CONTROL = 3;

/** What the agent knows when it writes a tape. */
export type Context = {
  readonly cgroupFiles?: readonly string[] | undefined;
  readonly ignoredSignals?: readonly number[] | undefined;
  /** What the guest's kernel has: SELinux, AppArmor. */
  readonly enforces?: readonly ("selinux" | "apparmor")[] | undefined;
  readonly created?: readonly NamespaceType[] | undefined;
  readonly joined?: Readonly<Record<string, number>> | undefined;
  /** The descriptor of a user namespace for each mount, in the order of the spec; 0: none. */
  readonly idMapped?: readonly number[] | undefined;
  /** What is in the directory that the mount with `tmpcopyup` covers. */
  readonly copied?: readonly TreeEntry[] | undefined;
  /** False: a storage has mounted the root already. */
  readonly bindRootfs?: boolean | undefined;
  /** `/` is the initramfs, with these mounted in it. */
  readonly initramfs?: readonly string[] | undefined;
  readonly cgroupVersion?: number | undefined;
  readonly hierarchies?: readonly HierarchyView[] | undefined;
  /** Of a hook. */
  readonly cwd?: string | undefined;
};

/** A container, or with `exec` a process in one, or `hook`: all in the form of config.json. */
type Given = {
  readonly spec?: Json | undefined;
  readonly exec?: Json | undefined;
  readonly hook?: Json | undefined;
  readonly context?: Context | undefined;
};

type Json = Readonly<Record<string, unknown>>;

const json = record((value: unknown) => value);

const owned = { name: text, mode: u32, uid: u32, gid: u32 };

const treeEntry: Decode<TreeEntry> = (value, path) => {
  const { kind } = json(value, path);
  const is = <const Kind extends string>(name: Kind) => word([name]);
  if (kind === "directory") {
    const entries = array(treeEntry, "entries");
    return object({ ...owned, kind: is("directory"), entries })(value, path);
  }
  if (kind === "link") return object({ ...owned, kind: is("link"), target: text })(value, path);
  return object({ ...owned, kind: is("file"), size: u32 })(value, path);
};

const decode = object<Given>({
  spec: optional(json),
  exec: optional(json),
  hook: optional(json),
  context: optional(
    object<Context>({
      cgroupFiles: optional(texts),
      ignoredSignals: optional(array(u32, "signals")),
      enforces: optional(array(word(["selinux", "apparmor"]), "names of modules")),
      created: optional(array(word(NAMESPACE_TYPES), "namespaces")),
      joined: optional(record(u32)),
      idMapped: optional(array(u32, "descriptors")),
      copied: optional(array(treeEntry, "entries")),
      bindRootfs: optional(flag),
      initramfs: optional(texts),
      cgroupVersion: optional(integer(1, 2)),
      hierarchies: optional(
        array(object<HierarchyView>({ name: text, links: texts, directory: text }), "hierarchies"),
      ),
      cwd: optional(text),
    }),
  ),
});

export type Golden = {
  readonly name: string;
  readonly kind: "init" | "exec" | "hook";
  readonly process: ContainerProcess;
  readonly context: Context;
  readonly tape: Tape;
};

/** By name, without the extension. */
export function golden(name: string): Golden {
  const { spec = {}, exec, hook, context = {} } = read(name);
  const valid = leastContainer(spec, exec);
  const { process } = valid;
  const kind = hook === undefined ? (exec === undefined ? "init" : "exec") : "hook";
  const tape = {
    init: () => tapeOf(valid, context),
    exec: () => execTapeOf(valid, context),
    hook: () => hookTapeOf(hookIn(hook ?? {}), valid, context),
  }[kind]();
  return { name, kind, process, context, tape };
}

/** The one hook of a container. */
export function hookIn(hook: Json): Hook {
  const [found] = leastContainer({ hooks: { prestart: [hook] } }).hooks?.prestart ?? [];
  if (found === undefined) throw new Error("a container without its hook");
  return found;
}

function hookTapeOf(hook: Hook, spec: ContainerSpec, context: Context): Tape {
  const { cwd = BUNDLE, joined = {} } = context;
  return hookProgram(hook, { ...birthOf({}, context), ids: idsOf(spec, context), joined, cwd });
}

export function tapeOf(spec: ContainerSpec, context: Context): Tape {
  const { initramfs, bindRootfs = true } = context;
  return initProgram(spec, {
    ...birthOf(spec.process, context),
    ids: idsOf(spec, context),
    idMapped: idMappedIn(spec, context),
    copied: copiedIn(spec, context),
    bundle: BUNDLE,
    rootfs: { source: spec.root.path, target: ROOTFS, bind: bindRootfs },
    rootSwitch: initramfs === undefined ? { kind: "pivot" } : { kind: "move", detach: initramfs },
    joined: context.joined ?? {},
    created: context.created ?? ["mount", "pid", "ipc", "uts"],
    cgroupView: viewOf(context),
    mountLabel: context.enforces?.includes("selinux") ? spec.linux.mountLabel : undefined,
    seccomp: spec.linux.seccomp && compileSeccomp(spec.linux.seccomp, "x86_64"),
  });
}

/** Those of the spec, if its user namespace is one that the agent has made. */
export function idsOf({ linux }: ContainerSpec, { joined = {} }: Context): IdMaps | undefined {
  const { uidMappings: uid = [], gidMappings: gid = [] } = linux;
  return "user" in joined ? { uid, gid } : undefined;
}

function idMappedIn({ mounts = [] }: ContainerSpec, { idMapped = [] }: Context) {
  const pairs = mounts.map((mount, index) => [mount, idMapped[index] ?? 0] as const);
  return new Map(pairs.filter(([, descriptor]) => descriptor > 0));
}

export function copiedIn({ mounts = [] }: ContainerSpec, { copied = [] }: Context) {
  const mount = mounts.find(({ options = [] }) => options.includes("tmpcopyup"));
  return new Map(mount === undefined ? [] : [[mount, copied] as const]);
}

function execTapeOf(spec: ContainerSpec, context: Context): Tape {
  const { process, linux } = spec;
  const seccomp = linux.seccomp && compileSeccomp(linux.seccomp, "x86_64");
  const joined = context.joined ?? {};
  const ids = idsOf(spec, context);
  const birth = birthOf(process, context);
  return execProgram(process, { ...birth, ids, joined, served: linux, seccomp });
}

/** A word that is not known is a mistake here: it would leave a concern untested. */
function read(name: string): Given {
  const file = json(JSON.parse(readFileSync(`${DIRECTORY}/${name}.json`, "utf8")), name);
  const given = decode(file, name);
  const unknown = [
    ...Object.keys(file).filter((key) => !(key in given)),
    ...Object.keys(json(file["context"] ?? {}, name)).filter(
      (key) => !(key in (given.context ?? {})),
    ),
  ];
  if (unknown.length > 0) throw new Error(`golden/${name}.json: unknown ${unknown.join(", ")}`);
  return given;
}

/** What a file of golden/ does not say. Its process may keep every capability: one line less each. */
export function leastContainer(spec: Json, process: unknown = spec["process"]): ContainerSpec {
  const config = {
    ociVersion: "1.2.0",
    root: { path: "/run/kata-containers/shared/containers/c1/rootfs" },
    ...spec,
    process: {
      cwd: "/",
      args: ["/bin/sh"],
      capabilities: { bounding: CAP },
      ...json(process ?? {}, "process"),
    },
    linux: {
      namespaces: [{ type: "mount" }, { type: "pid" }, { type: "ipc" }, { type: "uts" }],
      ...json(spec["linux"] ?? {}, "linux"),
    },
  };
  return validateSpec(specFromJson(JSON.stringify(config)));
}

type ProcessBirth = Pick<Process, "terminal" | "env" | "selinuxLabel" | "apparmorProfile">;

function birthOf(process: ProcessBirth, context: Context): Birth {
  const { cgroupFiles = [], ignoredSignals = [], enforces = [] } = context;
  return {
    containerId: "c1",
    control: CONTROL,
    stdio: process.terminal === true ? null : { stdin: 4, stdout: 5, stderr: 6 },
    cgroupFiles,
    ignoredSignals,
    labels: {
      selinux: enforces.includes("selinux") ? process.selinuxLabel : undefined,
      apparmor: enforces.includes("apparmor") ? process.apparmorProfile : undefined,
    },
    environment: normaliseEnvironment(process.env ?? []),
  };
}

function viewOf({ cgroupVersion = 2, hierarchies = [] }: Context): CgroupView {
  return cgroupVersion === 1 ? { version: 1, hierarchies } : { version: 2 };
}

/** The names of all files of golden/ that end so. */
export function names(extension: ".json" | ".tape"): string[] {
  const files = [...new Bun.Glob(`*${extension}`).scanSync({ cwd: DIRECTORY })];
  return files.map((file) => file.slice(0, -extension.length)).toSorted();
}

/** `a-bind-mount-is-cloned` → `a bind mount is cloned` */
export function sentence(name: string): string {
  return name.replaceAll("-", " ");
}
