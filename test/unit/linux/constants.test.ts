// Every constant against the headers of the machine, by the C compiler.
import { expect, test } from "bun:test";
import * as bpf from "../../../src/linux/bpf.ts";
import { CAP } from "../../../src/linux/capability-names.ts";
import * as constants from "../../../src/linux/constants.ts";
import {
  FSCONFIG,
  FSMOUNT,
  FSOPEN,
  FSPICK,
  MOUNT_ATTR,
  MS,
} from "../../../src/linux/mount-flags.ts";
import { O, openFlagsFor } from "../../../src/linux/open-flags.ts";
import * as netlink from "../../../src/linux/netlink-flags.ts";
import * as requests from "../../../src/linux/requests.ts";
import * as scheduling from "../../../src/linux/scheduling-flags.ts";
import * as seccomp from "../../../src/linux/seccomp.ts";
import { linesOf, testWithC } from "../../support/c-program.ts";

type Table = Readonly<Record<string, number>>;
/** The table, and how a key of it is written in C. */
type Group = readonly [table: Table, inC: (key: string) => string];

const prefix = (text: string) => (key: string) => text + key;

const numbered = (names: readonly string[]): Table =>
  Object.fromEntries(names.map((name, number) => [name, number]));

/** Tables whose names the kernel exports to programs (include/uapi). */
const KERNEL: Readonly<Record<string, Group>> = {
  AT: [constants.AT, prefix("AT_")],
  AT_FDCWD: [{ AT_FDCWD: constants.AT_FDCWD }, prefix("")],
  S: [constants.S, prefix("S_")],
  RENAME: [constants.RENAME, prefix("RENAME_")],
  RESOLVE: [constants.RESOLVE, prefix("RESOLVE_")],
  RWF: [constants.RWF, prefix("RWF_")],
  MAGIC: [constants.MAGIC, (key) => `${key}_MAGIC`],
  OPEN_TREE: [constants.OPEN_TREE, prefix("OPEN_TREE_")],
  MOVE_MOUNT: [constants.MOVE_MOUNT, prefix("MOVE_MOUNT_")],
  CLONE: [constants.CLONE, prefix("CLONE_")],
  W: [constants.W, (key) => (key === "ALL" ? "__WALL" : `W${key}`)],
  CLOSE_RANGE: [constants.CLOSE_RANGE, prefix("CLOSE_RANGE_")],
  SIG: [constants.SIG, prefix("SIG")],
  SIG_DISPOSITION: [constants.SIG_DISPOSITION, prefix("SIG_")],
  SIG_HOW: [constants.SIG_HOW, prefix("SIG_")],
  PR: [constants.PR, prefix("PR_")],
  PR_CAP_AMBIENT: [constants.PR_CAP_AMBIENT, prefix("PR_CAP_AMBIENT_")],
  SECCOMP_SET_MODE: [constants.SECCOMP_SET_MODE, prefix("SECCOMP_SET_MODE_")],
  SECCOMP_FILTER_FLAG: [constants.SECCOMP_FILTER_FLAG, prefix("SECCOMP_FILTER_FLAG_")],
  RLIMIT: [constants.RLIMIT, prefix("RLIMIT_")],
  F: [constants.F, prefix("F_")],
  NETLINK: [constants.NETLINK, prefix("NETLINK_")],
  EPOLL: [constants.EPOLL, prefix("EPOLL")],
  EPOLL_CTL: [constants.EPOLL_CTL, prefix("EPOLL_CTL_")],
  EPOLL_CREATE: [constants.EPOLL_CREATE, prefix("EPOLL_")],
  IOCB: [constants.IOCB, prefix("IOCB_")],
  MFD: [constants.MFD, prefix("MFD_")],
  MADV: [constants.MADV, prefix("MADV_")],
  TIOC: [constants.TIOC, prefix("TIOC")],
  SIOC: [constants.SIOC, prefix("SIOC")],
  DM: [constants.DM, prefix("DM_")],
  CLOCK: [constants.CLOCK, prefix("CLOCK_")],
  ADJ: [constants.ADJ, prefix("ADJ_")],
  STA: [constants.STA, prefix("STA_")],
  DM_FLAG: [constants.DM_FLAG, prefix("DM_")],
  LINUX_REBOOT: [constants.LINUX_REBOOT, prefix("LINUX_REBOOT_")],
  KEYCTL: [constants.KEYCTL, prefix("KEYCTL_")],
  BPF_CMD: [constants.BPF_CMD, prefix("BPF_")],
  BPF_F: [constants.BPF_F, prefix("BPF_F_")],
  KEY_SPEC: [constants.KEY_SPEC, prefix("KEY_SPEC_")],
};

/** Newer than the headers of Debian 12, which end before it: the next number is its. */
const { WEIGHTED_INTERLEAVE: _, ...MPOL } = scheduling.MPOL;

/** Those of scheduling-flags.ts. */
const SCHEDULING: Readonly<Record<string, Group>> = {
  SCHED: [scheduling.SCHED, (key) => `SCHED_${key === "OTHER" ? "NORMAL" : key}`],
  SCHED_FLAG: [scheduling.SCHED_FLAG, prefix("SCHED_FLAG_")],
  IOPRIO_CLASS: [scheduling.IOPRIO_CLASS, prefix("IOPRIO_CLASS_")],
  IOPRIO_WHO: [scheduling.IOPRIO_WHO, prefix("IOPRIO_WHO_")],
  MPOL: [MPOL, prefix("MPOL_")],
  MPOL_F: [scheduling.MPOL_F, prefix("MPOL_F_")],
  PER: [scheduling.PER, prefix("PER_")],
};

const BPF_IN_C: Readonly<Record<string, string>> = {
  LD_W_ABS: "BPF_LD|BPF_W|BPF_ABS",
  ALU_AND_K: "BPF_ALU|BPF_AND|BPF_K",
  JMP_JA: "BPF_JMP|BPF_JA",
  JMP_JEQ_K: "BPF_JMP|BPF_JEQ|BPF_K",
  JMP_JGT_K: "BPF_JMP|BPF_JGT|BPF_K",
  JMP_JGE_K: "BPF_JMP|BPF_JGE|BPF_K",
  RET_K: "BPF_RET|BPF_K",
};

/** Those of filters, which stand in seccomp.ts. */
const FILTERS: Readonly<Record<string, Group>> = {
  SECCOMP_RET: [seccomp.SECCOMP_RET, prefix("SECCOMP_RET_")],
  BPF: [seccomp.BPF, (key) => BPF_IN_C[key] ?? key],
  BPF_MAXINSNS: [{ BPF_MAXINSNS: seccomp.BPF_MAXINSNS }, prefix("")],
  AUDIT_ARCH: [seccomp.AUDIT_ARCH, prefix("AUDIT_ARCH_")],
};

const EBPF_IN_C: Readonly<Record<string, string>> = {
  LDX_MEM_W: "BPF_LDX|BPF_MEM|BPF_W",
  ALU_AND_K: "BPF_ALU|BPF_AND|BPF_K",
  ALU_RSH_K: "BPF_ALU|BPF_RSH|BPF_K",
  ALU_MOV_K: "BPF_ALU|BPF_MOV|BPF_K",
  ALU_MOV_X: "BPF_ALU|BPF_MOV|BPF_X",
  JMP32_JEQ_K: "BPF_JMP32|BPF_JEQ|BPF_K",
  JMP32_JNE_K: "BPF_JMP32|BPF_JNE|BPF_K",
  JMP32_JNE_X: "BPF_JMP32|BPF_JNE|BPF_X",
  EXIT: "BPF_JMP|BPF_EXIT",
};

/** Those of programs for devices, which stand in bpf.ts. */
const DEVICES: Readonly<Record<string, Group>> = {
  BPF_PROG_TYPE: [bpf.BPF_PROG_TYPE, prefix("BPF_PROG_TYPE_")],
  BPF_ATTACH_TYPE: [bpf.BPF_ATTACH_TYPE, prefix("BPF_")],
  BPF_DEVCG_ACC: [bpf.BPF_DEVCG_ACC, prefix("BPF_DEVCG_ACC_")],
  BPF_DEVCG_DEV: [bpf.BPF_DEVCG_DEV, prefix("BPF_DEVCG_DEV_")],
  BPF_CGROUP_DEV_CTX: [
    bpf.BPF_CGROUP_DEV_CTX,
    (key) => `__builtin_offsetof(struct bpf_cgroup_dev_ctx, ${key})`,
  ],
  EBPF: [bpf.EBPF, (key) => EBPF_IN_C[key] ?? key],
};

/** Those of netlink-flags.ts. */
const NETLINK: Readonly<Record<string, Group>> = {
  NETLINK_OPTION: [netlink.NETLINK_OPTION, prefix("NETLINK_")],
  NLMSG: [netlink.NLMSG, prefix("NLMSG_")],
  NLM_F: [netlink.NLM_F, prefix("NLM_F_")],
  NLA: [netlink.NLA, prefix("NLA_")],
  NLMSGERR_ATTR: [netlink.NLMSGERR_ATTR, prefix("NLMSGERR_ATTR_")],
  RTM: [netlink.RTM, prefix("RTM_")],
  IFLA: [netlink.IFLA, prefix("IFLA_")],
  RTEXT_FILTER: [netlink.RTEXT_FILTER, prefix("RTEXT_FILTER_")],
  IFA: [netlink.IFA, prefix("IFA_")],
  IFA_F: [netlink.IFA_F, prefix("IFA_F_")],
  RTA: [netlink.RTA, prefix("RTA_")],
  RTAX: [netlink.RTAX, prefix("RTAX_")],
  RTN: [netlink.RTN, prefix("RTN_")],
  RTPROT: [netlink.RTPROT, prefix("RTPROT_")],
  RT_TABLE: [netlink.RT_TABLE, prefix("RT_TABLE_")],
  RTNH_F: [netlink.RTNH_F, prefix("RTNH_F_")],
  NDA: [netlink.NDA, prefix("NDA_")],
  NUD: [netlink.NUD, prefix("NUD_")],
  NTF: [netlink.NTF, prefix("NTF_")],
};

const KERNEL_HEADERS = [
  "linux/fcntl.h",
  "linux/stat.h",
  "linux/openat2.h",
  "linux/magic.h",
  "linux/mount.h",
  "linux/sched.h",
  "linux/wait.h",
  "linux/seccomp.h",
  "linux/audit.h",
  "linux/filter.h",
  "linux/close_range.h",
  "linux/signal.h",
  "linux/prctl.h",
  "linux/capability.h",
  "linux/resource.h",
  "linux/netlink.h",
  "linux/eventpoll.h",
  "linux/aio_abi.h",
  "linux/memfd.h",
  "linux/sockios.h",
  "linux/btrfs.h",
  "linux/random.h",
  "linux/ptp_clock.h",
  "linux/timex.h",
  "linux/dm-ioctl.h",
  "linux/reboot.h",
  "linux/keyctl.h",
  "linux/bpf.h",
  "linux/rtnetlink.h",
  "linux/neighbour.h",
  "linux/ioprio.h",
  "linux/mempolicy.h",
  "linux/personality.h",
  "asm/ioctls.h",
  "asm/mman.h",
];

/** Tables whose names the kernel keeps in its internal headers; the C library repeats them. */
const LIBC: Readonly<Record<string, Group>> = {
  ACCESS: [constants.ACCESS, prefix("")],
  MNT: [constants.MNT, prefix("MNT_")],
  UMOUNT: [constants.UMOUNT, prefix("UMOUNT_")],
  AF: [constants.AF, prefix("AF_")],
  SOCK: [constants.SOCK, prefix("SOCK_")],
  MSG: [constants.MSG, prefix("MSG_")],
  SOL: [constants.SOL, prefix("SOL_")],
  SO: [constants.SO, prefix("SO_")],
  SCM: [constants.SCM, prefix("SCM_")],
  EFD: [constants.EFD, prefix("EFD_")],
  IFF: [constants.IFF, prefix("IFF_")],
};

const CAPABILITIES: Readonly<Record<string, Group>> = { CAP: [numbered(CAP), prefix("")] };

const LIBC_HEADERS = ["unistd.h", "sys/mount.h", "sys/socket.h", "sys/eventfd.h", "net/if.h"];

/** `SIGHUP 1`: ours on the left, what the headers say on the right. */
function compare(headers: readonly string[], groups: readonly Group[]): void {
  const ours = groups.flatMap(([table, inC]) =>
    Object.entries(table).map(([key, number]) => [inC(key), number] as const),
  );
  const print = ours.map(([name]) => `printf("${name} %lld\\n", (long long)(${name}));`);
  expect(ours.map(([name, number]) => `${name} ${number}`)).toEqual([
    ...linesOf(headers, print.join("\n")),
  ]);
}

/** Those of requests.ts. Newer than the headers of Debian 12 are those of ext4; xfs exports none. */
const { BTRFS_IOC_RESIZE } = requests.GROW;
const REQUESTS: Readonly<Record<string, Group>> = {
  RND: [requests.RND, prefix("RND")],
  PTP: [requests.PTP, prefix("PTP_")],
  GROW: [{ BTRFS_IOC_RESIZE }, prefix("")],
};

test("every table of constants is compared", () => {
  expect(Object.keys(NETLINK).toSorted()).toEqual(Object.keys(netlink).toSorted());
  expect(Object.keys(REQUESTS).toSorted()).toEqual(Object.keys(requests).toSorted());
  expect(Object.keys(SCHEDULING).toSorted()).toEqual(Object.keys(scheduling).toSorted());
  expect([...Object.keys(KERNEL), ...Object.keys(LIBC)].toSorted()).toEqual(
    Object.keys(constants).toSorted(),
  );
});

testWithC("the constants are those of the kernel's headers", () => {
  const tables = [KERNEL, FILTERS, DEVICES, CAPABILITIES, SCHEDULING, NETLINK, REQUESTS];
  const groups = tables.flatMap((each) => Object.values(each));
  compare(KERNEL_HEADERS, groups);
});

testWithC("the constants of internal headers are those of the C library", () => {
  compare(LIBC_HEADERS, Object.values(LIBC));
});

testWithC("the mount flags are those of the kernel's headers", () => {
  const groups: readonly Group[] = [
    [MS, prefix("MS_")],
    [MOUNT_ATTR, prefix("MOUNT_ATTR_")],
    [FSOPEN, prefix("FSOPEN_")],
    [FSPICK, prefix("FSPICK_")],
    [FSMOUNT, prefix("FSMOUNT_")],
    [FSCONFIG, prefix("FSCONFIG_")],
  ];
  compare(["linux/mount.h"], groups);
});

testWithC("the open flags are those of the kernel's headers", () => {
  const arch = process.arch === "arm64" ? "arm64" : "x86_64";
  const here = Object.entries(O).map(([key, flag]) => [key, openFlagsFor(arch, flag)]);
  compare(["linux/fcntl.h"], [[Object.fromEntries(here), prefix("O_")]]);
});

test("four open flags have other places on arm64, and the rest stay", () => {
  const moved = Object.entries(O)
    .filter(([, flag]) => openFlagsFor("arm64", flag) !== flag)
    .map(([name, flag]) => `${name} 0${openFlagsFor("arm64", flag).toString(8)}`);
  expect(moved).toEqual([
    "DIRECT 0200000",
    "LARGEFILE 0400000",
    "DIRECTORY 040000",
    "NOFOLLOW 0100000",
  ]);
});

test("moving all open flags at once loses none", () => {
  const all = Object.values(O).reduce<number>((sum, flag) => sum | flag, 0);
  expect(openFlagsFor("x86_64", all)).toBe(all);
  expect(openFlagsFor("arm64", all)).toBe(all);
  expect(openFlagsFor("arm64", O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC)).toBe(0o2140000);
});
