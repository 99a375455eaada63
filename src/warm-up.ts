// Rehearse the first container before there is one. Code that has never run is linked as it runs for
// the first time, and interpreted: the first container took several times as long as the next.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { devicePolicy } from "./cgroup/device-policy.ts";
import { CreateContainerRequestSchema } from "./gen/agent_pb.ts";
import { arch } from "./kernel/native.ts";
import { syscallNumbers } from "./linux/syscall-numbers.ts";
import { specFromProto } from "./oci/from-proto.ts";
import { homeOf } from "./oci/passwd.ts";
import type { Seccomp } from "./oci/seccomp.ts";
import type { ContainerSpec } from "./oci/valid-spec.ts";
import { specToJson } from "./oci/to-json.ts";
import { validateSpec } from "./oci/validate.ts";
import { execProgram } from "./program/exec.ts";
import { initProgram } from "./program/init.ts";
import { compileSeccomp } from "./seccomp/compile.ts";
import { encode } from "./tape/encode.ts";

/** The first links the code, the second has the engine compile what is in loops. */
const ROUNDS = 2;

/** Resolves when it is done, or no longer wanted. Others have their turn after each of its steps. */
export async function warmUp(isWanted: () => boolean): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const _ of rehearsal()) {
      await new Promise<void>((resolve) => void setImmediate(resolve));
      if (!isWanted()) return;
    }
  }
}

/** From the bytes of a request to those that a child would play. Nothing of it is seen by the kernel. */
function* rehearsal(): Generator<void> {
  const schema = CreateContainerRequestSchema;
  const asked = create(schema, { containerId: "c1", OCI: EXAMPLE });
  yield;
  const bytes = toBinary(schema, asked);
  yield;
  const { OCI } = fromBinary(schema, bytes, { readUnknownFields: false });
  yield;
  if (OCI === undefined) return;
  const given = specFromProto(OCI);
  yield;
  const spec = validateSpec(given);
  yield;
  for (const architectures of ARCHITECTURES) {
    compileSeccomp({ ...profile(), architectures }, arch);
    yield;
  }
  devicePolicy([]);
  homeOf("root:x:0:0:root:/root:/bin/sh\n", spec.process.user.uid);
  specToJson(spec);
  yield;
  // Bare first: the whole would be too long a step.
  const { mounts: _, ...bare } = spec;
  initOf({ ...bare, linux: {} });
  yield;
  const init = initOf(spec);
  yield;
  const memory = new Uint8Array(256 << 10);
  const target = { arch, memory, address: 0x1000, control: BIRTH.control, agent: 3 };
  encode(init, target);
  yield;
  const { process, linux } = spec;
  encode(
    execProgram(process, { ...BIRTH, joined: { ipc: 8, mount: 9, pid: 10 }, served: linux }),
    target,
  );
}

/** Descriptors and names as a container has them. */
const BIRTH = {
  containerId: "c1",
  control: 4,
  stdio: { stdin: 5, stdout: 6, stderr: 7 },
  cgroupFiles: ["/sys/fs/cgroup/memory/c1/tasks"],
  ignoredSignals: [13],
  environment: ["PATH=/bin", "HOME=/"],
};

function initOf(spec: ContainerSpec) {
  const bundle = "/run/kata-containers/c1";
  return initProgram(spec, {
    ...BIRTH,
    bundle,
    rootfs: { source: spec.root.path, target: `${bundle}/rootfs`, bind: true },
    rootSwitch: { kind: "pivot" },
    joined: {},
    created: ["ipc", "uts", "mount", "pid"],
    idMapped: new Map(),
    copied: new Map(),
    cgroupView: {
      version: 1,
      hierarchies: [{ name: "memory", links: [], directory: "/sys/fs/cgroup/memory/c1" }],
    },
    seccomp: { program: new Uint8Array(8), flags: 0 },
  });
}

/** One at a time: no step is to be long. */
const ARCHITECTURES = [["SCMP_ARCH_X86_64"], ["SCMP_ARCH_X86"], ["SCMP_ARCH_X32"]] as const;

/** As long as profiles are: the first to be compiled costs more than all the rest of a container. */
function profile(): Seccomp {
  const names = [...syscallNumbers(arch === "arm64" ? "aarch64" : arch).keys()];
  const some = names.filter((_, index) => index % 7 !== 0);
  const condition = { index: 0, value: 1n, valueTwo: 0n, op: "SCMP_CMP_EQ" } as const;
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [
      { names: some, action: "SCMP_ACT_ALLOW" },
      { names: ["clone"], action: "SCMP_ACT_ALLOW", args: [condition] },
    ],
  };
}

const CAPABILITIES = ["CAP_CHOWN", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"];

/** What containerd asks for, a little of each kind. */
const EXAMPLE = {
  Version: "1.1.0",
  Process: {
    User: {},
    Args: ["true"],
    Env: ["PATH=/bin"],
    Cwd: "/tmp",
    Capabilities: {
      Bounding: CAPABILITIES,
      Effective: CAPABILITIES,
      Permitted: CAPABILITIES,
    },
    Rlimits: [{ Type: "RLIMIT_NOFILE", Hard: 1024n, Soft: 1024n }],
    NoNewPrivileges: true,
  },
  Root: { Path: "/run/kata-containers/c1/rootfs" },
  Mounts: [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid"] },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
    {
      destination: "/dev/shm",
      type: "bind",
      source: "/run/kata-containers/shm",
      options: ["rbind"],
    },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: ["ro"] },
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro"] },
  ],
  Linux: {
    CgroupsPath: "/c1",
    Namespaces: [{ Type: "ipc" }, { Type: "uts" }, { Type: "mount" }],
    MaskedPaths: ["/proc/kcore"],
    ReadonlyPaths: ["/proc/sys"],
    Seccomp: {
      DefaultAction: "SCMP_ACT_ERRNO",
      Syscalls: [{ Names: ["read", "write"], Action: "SCMP_ACT_ALLOW" }],
    },
  },
};
