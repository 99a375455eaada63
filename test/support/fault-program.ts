// The program that sweeps: run in namespaces and a /run of its own, it prints a report for each
// subject, a JSON object a line. Arguments: the name of a cgroup for what needs one, and which
// programs to sweep, `ordinary` or `golden`.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { Fd } from "../../src/kernel/fd.ts";
import { attempt, perform } from "../../src/kernel/perform.ts";
import { readable } from "../../src/kernel/poll.ts";
import { startReaper } from "../../src/kernel/reaper.ts";
import { AT_FDCWD } from "../../src/linux/constants.ts";
import { openat } from "../../src/linux/fs.ts";
import { writeText } from "../../src/linux/io.ts";
import { detach, mountBind } from "../../src/linux/mount.ts";
import { O } from "../../src/linux/open-flags.ts";
import { processFromProto } from "../../src/oci/from-proto-process.ts";
import { specFromProto } from "../../src/oci/from-proto.ts";
import type { NamespaceType } from "../../src/oci/namespace.ts";
import type { ContainerSpec } from "../../src/oci/valid-spec.ts";
import { validateProcess } from "../../src/oci/validate-process.ts";
import { validateSpec } from "../../src/oci/validate.ts";
import { UserNamespace } from "../../src/container/user-namespace.ts";
import type { Mount } from "../../src/oci/spec.ts";
import type { Joined } from "../../src/program/namespaces.ts";
import { SandboxNamespaces } from "../../src/sandbox/namespaces.ts";
import {
  type Context,
  DIRECTORY,
  copiedIn,
  hookIn,
  idsOf,
  leastContainer,
  names,
} from "../unit/program/golden.ts";
import { type Subject, sweep } from "./fault-sweep.ts";
import {
  BASE_ROOTFS,
  BUNDLE_ROOTFS,
  MAPS,
  NO_CGROUP,
  ROOTFS,
  type Setting,
  Surroundings,
  bareRootfs,
  cgroupNamed,
  giveAway,
  clutteredRootfs,
  guest,
  makeWorld,
  runInit,
} from "./fault-world.ts";
import { containerRequest, processMessage } from "./spec.ts";

const [name = "", which] = process.argv.slice(2);

startReaper();
await openPoll();
makeWorld();
bareRootfs();
const pod = await SandboxNamespaces.create("pod");
const cgroup = await cgroupNamed(name);
const namespaces: Joined = {
  ipc: pod.ipc.number,
  uts: pod.uts.number,
  network: own("net").number,
  cgroup: own("cgroup").number,
};

const mapped = await UserNamespace.create({ from: MAPS, hostname: "pod" });

/** It is opened by the first wait, for good: a program that is quick enough makes nobody wait. */
async function openPoll(): Promise<void> {
  const [from, to] = Fd.pipe("open a pipe");
  using _from = from;
  using _to = to;
  perform("write", writeText(to.number, "x"));
  await readable(from.number);
}

function own(kind: string): Fd {
  return Fd.of(`open ${kind}`, openat(AT_FDCWD, `/proc/self/ns/${kind}`, O.RDONLY));
}

/** The least container that an exec of any kind can be made in. */
const SURROUNDINGS = leastContainer({
  root: { path: BASE_ROOTFS },
  process: { args: ["sleep", "1000"], env: ["PATH=/bin"] },
  mounts: [
    { destination: "/proc", type: "proc", source: "proc" },
    { destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance"] },
  ],
});

const ORDINARY: Setting = {
  guest,
  cgroup,
  context: {
    rootSwitch: { kind: "pivot" },
    joined: { ipc: pod.ipc.number, uts: pod.uts.number },
    created: ["mount", "pid"],
    cgroupView: cgroup.view,
    idMapped: new Map(),
    copied: new Map(),
  },
};

/** The ipc and uts namespaces of a user namespace are its own. */
function namespacesFor(joined: object): Joined {
  const { user, names: owned } = mapped;
  if (!("user" in joined) || owned === undefined) return namespaces;
  const { ipc, uts } = owned;
  return { ...namespaces, user: user.number, ipc: ipc.number, uts: uts.number };
}

function idMappedIn({ mounts = [] }: ContainerSpec, { idMapped = [] }: Context) {
  const chosen = mounts.filter((_, index) => (idMapped[index] ?? 0) > 0);
  return new Map<Mount, number>(chosen.map((mount) => [mount, mapped.user.number]));
}

function settingOf(spec: ContainerSpec, context: Context): Setting {
  const { initramfs, joined = {}, created = ["mount", "pid", "ipc", "uts"] } = context;
  const entered = Object.entries(namespacesFor(joined)).filter(([type]) => type in joined);
  return {
    guest: { ...guest, ignoredSignals: context.ignoredSignals ?? [] },
    cgroup: context.cgroupFiles === undefined ? NO_CGROUP : cgroup,
    context: {
      rootSwitch: initramfs === undefined ? { kind: "pivot" } : { kind: "move", detach: initramfs },
      joined: Object.fromEntries(entered),
      created,
      cgroupView: context.cgroupVersion === 1 ? cgroup.view : { version: 2 },
      ids: idsOf(spec, context),
      idMapped: idMappedIn(spec, context),
      copied: copiedIn(spec, context),
    },
  };
}

/** As the run before has left it, then with nothing in it, then with everything in the way. */
function worldsOf(spec: ContainerSpec): Subject["worlds"] {
  return [() => giveAway(ROOTFS), bareRootfs, clutteredRootfs(spec)];
}

function initSubject(title: string, spec: ContainerSpec, setting: Setting): Subject {
  return {
    name: title,
    worlds: worldsOf(spec),
    mayLeave: BUNDLE_ROOTFS,
    run: (change) => runInit(spec, setting, change),
  };
}

/** Where a storage has mounted the root already, the mount is not the agent's. */
function mountedSubject(title: string, spec: ContainerSpec, setting: Setting): Subject {
  const remount = () => {
    attempt(detach(BUNDLE_ROOTFS));
    bareRootfs();
    mkdirSync(BUNDLE_ROOTFS, { recursive: true });
    perform("mount the root", mountBind(ROOTFS, BUNDLE_ROOTFS));
  };
  return { ...initSubject(title, spec, setting), worlds: [remount], mayLeave: undefined };
}

const MADE_IN_USER: readonly NamespaceType[] = ["mount", "pid"];

type Json = Readonly<Record<string, unknown>>;
type Given = {
  readonly spec?: Json;
  readonly exec?: Json;
  readonly hook?: Json;
  readonly context?: Context;
};

async function sweepGolden(golden: string): Promise<void> {
  const given: Given = JSON.parse(readFileSync(`${DIRECTORY}/${golden}.json`, "utf8"));
  const { spec = {}, exec, hook, context = {} } = given;
  const valid = leastContainer(spec, exec);
  const setting = settingOf(valid, context);
  const created: NamespaceType[] = ["mount", "ipc", "uts", "cgroup"];
  const { joined = { mount: 0 } } = context;
  const wanted = created.filter((type) => type in joined);
  // What a container in a user namespace has is joined, and all else made.
  const surroundings =
    setting.context.ids === undefined ? { joined: {}, created: wanted } : { created: MADE_IN_USER };
  const around = { ...setting, context: { ...setting.context, ...surroundings } };
  if (exec !== undefined) return sweepExec(golden, valid, around);
  if (hook !== undefined) return sweepHook(golden, hook, around, context.joined !== undefined);
  const isMounted = context.bindRootfs === false;
  for (const source of relativeSources(valid)) mkdirSync(source, { recursive: true });
  await report((isMounted ? mountedSubject : initSubject)(golden, valid, setting));
  if (isMounted) perform("unmount the root", detach(BUNDLE_ROOTFS));
  rmSync(dirname(BUNDLE_ROOTFS), { recursive: true, force: true });
}

/** What the host would have put into the bundle. */
function relativeSources({ mounts = [] }: ContainerSpec): string[] {
  return mounts
    .filter(
      ({ options = [], source = "/" }) => options.includes("rbind") && !source.startsWith("/"),
    )
    .map(({ source }) => `${dirname(BUNDLE_ROOTFS)}/${source}`);
}

async function sweepExec(title: string, spec: ContainerSpec, setting: Setting) {
  await using surroundings = await Surroundings.create(SURROUNDINGS, setting);
  await report({
    name: title,
    worlds: [() => {}],
    mayLeave: undefined,
    run: (change) => surroundings.run(spec, change),
  });
}

/** It ends by itself: a program that is there on any machine. */
async function sweepHook(title: string, given: Json, setting: Setting, isInside: boolean) {
  await using surroundings = await Surroundings.create(SURROUNDINGS, setting);
  const hook = hookIn({ ...given, path: isInside ? "/bin/busybox" : "/bin/true", args: ["true"] });
  await report({
    name: title,
    worlds: [() => {}],
    mayLeave: undefined,
    run: (change) => surroundings.runHook(hook, isInside, change),
  });
}

/** As containerd has the runtime ask for it. */
async function sweepOrdinary(): Promise<void> {
  for (const Terminal of [false, true]) {
    const { OCI } = containerRequest({
      id: "c1",
      rootfs: ROOTFS,
      args: ["sleep", "1000"],
      process: { Terminal, ConsoleSize: { Height: 24, Width: 80 } },
    });
    if (OCI === undefined) throw new Error("a request without a spec");
    const spec = validateSpec(specFromProto(OCI));
    const kind = Terminal ? "with a terminal" : "without a terminal";
    await report(initSubject(`an ordinary container ${kind}`, spec, ORDINARY));
    const process = validateProcess(processFromProto(processMessage(["true"], { Terminal })));
    await sweepExec(`an ordinary exec ${kind}`, { ...spec, process }, ORDINARY);
  }
}

async function report(subject: Subject): Promise<void> {
  console.log(JSON.stringify(await sweep(subject, name)));
}

if (which === "ordinary") await sweepOrdinary();
else for (const golden of names(".json")) await sweepGolden(golden);
await cgroup.destroy();
process.exit(0);
