// Messages as containerd and Kata's runtime send them for an ordinary container.
import { type MessageInitShape, create } from "@bufbuild/protobuf";
import {
  type CreateContainerRequest,
  CreateContainerRequestSchema,
} from "../../src/gen/agent_pb.ts";
import {
  type LinuxSchema,
  type Mount,
  MountSchema,
  type Process,
  ProcessSchema,
  type SpecSchema,
} from "../../src/gen/oci_pb.ts";

const words = (text: string): string[] => text.trim().split(/\s+/);

/** containerd's default set. */
const CAPABILITIES = words(`
  CAP_CHOWN CAP_DAC_OVERRIDE CAP_FSETID CAP_FOWNER CAP_MKNOD CAP_NET_RAW CAP_SETGID CAP_SETUID
  CAP_SETFCAP CAP_SETPCAP CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_KILL CAP_AUDIT_WRITE
`);

const MASKED_PATHS = words(`
  /proc/acpi /proc/asound /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list
  /proc/timer_stats /proc/sched_debug /proc/scsi /sys/firmware /sys/devices/virtual/powercap
`);

const READONLY_PATHS = words("/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger");

function mount(destination: string, type: string, options: string): Mount {
  return create(MountSchema, { destination, type, source: type, options: options.split(",") });
}

/** Kata binds the pod's own directory on /dev/shm instead, where there is one. */
const MOUNTS = [
  mount("/proc", "proc", "nosuid,noexec,nodev"),
  mount("/dev", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"),
  mount("/dev/pts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"),
  mount("/dev/shm", "tmpfs", "nosuid,noexec,nodev,mode=1777,size=65536k"),
  mount("/dev/mqueue", "mqueue", "nosuid,noexec,nodev"),
  mount("/sys", "sysfs", "nosuid,noexec,nodev,ro"),
  mount("/sys/fs/cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro"),
];

type Change<Schema extends Parameters<typeof create>[0]> = Exclude<
  MessageInitShape<Schema>,
  { $typeName: string }
>;

/** A process for CreateContainer and ExecProcess. */
export function processMessage(
  args: readonly string[],
  change: Change<typeof ProcessSchema> = {},
): Process {
  return create(ProcessSchema, {
    User: { UID: 0, GID: 0 },
    Args: [...args],
    Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    Cwd: "/",
    Capabilities: {
      Bounding: CAPABILITIES,
      Effective: CAPABILITIES,
      Permitted: CAPABILITIES,
    },
    Rlimits: [{ Type: "RLIMIT_NOFILE", Hard: 1024n, Soft: 1024n }],
    NoNewPrivileges: true,
    ...change,
  });
}

export type ContainerOptions = {
  readonly id: string;
  /** Directory in the agent's tree. */
  readonly rootfs: string;
  readonly args: readonly string[];
  readonly process?: Change<typeof ProcessSchema>;
  readonly spec?: Change<typeof SpecSchema>;
  readonly linux?: Change<typeof LinuxSchema>;
  readonly request?: Change<typeof CreateContainerRequestSchema>;
};

/** What `process`, `spec`, `linux` and `request` name replaces the default as a whole. */
export function containerRequest(options: ContainerOptions): CreateContainerRequest {
  const { id, rootfs, args, process, spec, linux, request } = options;
  return create(CreateContainerRequestSchema, {
    containerId: id,
    execId: id,
    OCI: {
      Version: "1.1.0",
      Process: processMessage(args, process),
      Root: { Path: rootfs },
      Mounts: MOUNTS,
      Linux: {
        CgroupsPath: `/${id}`,
        // Those left when the runtime has taken away what is the guest's: network, pid, cgroup.
        Namespaces: [{ Type: "ipc" }, { Type: "uts" }, { Type: "mount" }],
        MaskedPaths: MASKED_PATHS,
        ReadonlyPaths: READONLY_PATHS,
        ...linux,
      },
      ...spec,
    },
    ...request,
  });
}
