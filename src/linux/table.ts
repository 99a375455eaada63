// Every system call the agent makes: its number on both architectures and how its arguments are
// written and shown. Numbers: arch/x86/entry/syscalls/syscall_64.tbl and
// include/uapi/asm-generic/unistd.h; `test/unit/linux/table.test.ts` compares them with the
// machine's own headers.
import {
  ACCESS,
  AF,
  AT,
  BPF_CMD,
  CLOCK,
  CLONE,
  CLOSE_RANGE,
  EPOLL_CTL,
  F,
  KEYCTL,
  MNT,
  MOVE_MOUNT,
  MSG,
  OPEN_TREE,
  PR,
  RENAME,
  RLIMIT,
  RWF,
  SECCOMP_FILTER_FLAG,
  SECCOMP_SET_MODE,
  SIG,
  SIG_HOW,
  DM,
  SIOC,
  SOCK,
  TIOC,
  UMOUNT,
  W,
} from "./constants.ts";
import type { Arch } from "./arch.ts";
import {
  type Kind,
  type NameTable,
  bytes,
  data,
  environment,
  fd,
  flags,
  hex,
  int,
  octal,
  openFlags,
  path,
  pointer,
  string,
  strings,
  struct,
  value,
} from "./kind.ts";
import { FSCONFIG, FSPICK, MOUNT_ATTR, MS } from "./mount-flags.ts";
import { O } from "./open-flags.ts";
import { GROW, PTP, RND } from "./requests.ts";
import { IOPRIO_WHO, PER } from "./scheduling-flags.ts";

type Row = readonly [x86_64: number, arm64: number, args: readonly Kind[]];

const at = flags("AT_", {
  SYMLINK_NOFOLLOW: AT.SYMLINK_NOFOLLOW,
  EMPTY_PATH: AT.EMPTY_PATH,
  RECURSIVE: AT.RECURSIVE,
});
const signal = value("SIG", SIG);
const request = value("", {
  ...named("TIOC", TIOC),
  ...named("SIOC", SIOC),
  ...named("DM_", DM),
  ...named("RND", RND),
  ...named("", GROW),
  ...named("PTP_", PTP),
});
// O_* bits that are no access mode, for calls that make descriptors of no file. Both architectures
// have them at the same place.
const fdFlags = flags("O_", { NONBLOCK: O.NONBLOCK, CLOEXEC: O.CLOEXEC });

export const SYSCALLS = {
  // descriptors
  read: [0, 63, [fd, bytes, int]],
  write: [1, 64, [fd, bytes, int]],
  pread64: [17, 67, [fd, bytes, int, int]],
  pwrite64: [18, 68, [fd, data, int, int]],
  preadv2: [327, 286, [fd, struct, int, int, int, flags("RWF_", RWF)]],
  close: [3, 57, [fd]],
  ioctl: [16, 29, [fd, request, struct]],
  fcntl: [72, 25, [fd, value("F_", F), int]],
  dup3: [292, 24, [fd, fd, fdFlags]],
  pipe2: [293, 59, [bytes, fdFlags]],
  eventfd2: [290, 19, [int, fdFlags]],
  close_range: [436, 436, [fd, fd, flags("CLOSE_RANGE_", CLOSE_RANGE)]],
  sendfile: [40, 71, [fd, fd, pointer, int]],
  memfd_create: [319, 279, [string, hex]],
  ftruncate: [77, 46, [fd, int]],

  // files
  openat: [257, 56, [fd, path, openFlags, octal]],
  openat2: [437, 437, [fd, path, struct, int]],
  mkdirat: [258, 34, [fd, path, octal]],
  mknodat: [259, 33, [fd, path, octal, hex]],
  symlinkat: [266, 36, [path, fd, path]],
  renameat2: [316, 276, [fd, path, fd, path, flags("RENAME_", RENAME)]],
  unlinkat: [263, 35, [fd, path, flags("AT_", { REMOVEDIR: AT.REMOVEDIR })]],
  fchownat: [260, 54, [fd, path, int, int, at]],
  fchmod: [91, 52, [fd, octal]],
  fsetxattr: [190, 7, [fd, string, bytes, int, int]],
  faccessat2: [439, 439, [fd, path, value("", ACCESS), flags("AT_", { EACCESS: AT.EACCESS })]],
  getdents64: [217, 61, [fd, bytes, int]],
  statfs: [137, 43, [path, bytes]],
  fstatfs: [138, 44, [fd, bytes]],
  statx: [332, 291, [fd, path, at, hex, bytes]],
  chdir: [80, 49, [path]],
  fchdir: [81, 50, [fd]],
  chroot: [161, 51, [path]],
  umask: [95, 166, [octal]],

  // mounts
  mount: [165, 40, [string, path, string, flags("MS_", MS), string]],
  umount2: [
    166,
    39,
    [path, flags("", { MNT_DETACH: MNT.DETACH, UMOUNT_NOFOLLOW: UMOUNT.NOFOLLOW })],
  ],
  pivot_root: [155, 41, [path, path]],
  open_tree: [
    428,
    428,
    [
      fd,
      path,
      flags("", {
        OPEN_TREE_CLONE: OPEN_TREE.CLONE,
        OPEN_TREE_CLOEXEC: OPEN_TREE.CLOEXEC,
        AT_RECURSIVE: AT.RECURSIVE,
        AT_EMPTY_PATH: AT.EMPTY_PATH,
      }),
    ],
  ],
  move_mount: [429, 429, [fd, path, fd, path, flags("MOVE_MOUNT_", MOVE_MOUNT)]],
  fsopen: [430, 430, [string, flags("FSOPEN_", { CLOEXEC: 1 })]],
  fsconfig: [431, 431, [fd, value("FSCONFIG_", FSCONFIG), string, string, int]],
  fsmount: [432, 432, [fd, flags("FSMOUNT_", { CLOEXEC: 1 }), flags("MOUNT_ATTR_", MOUNT_ATTR)]],
  fspick: [433, 433, [fd, path, flags("FSPICK_", FSPICK)]],
  mount_setattr: [442, 442, [fd, path, at, struct, int]],

  // processes
  clone3: [435, 435, [struct, int]],
  execve: [59, 221, [path, strings, environment]],
  exit_group: [231, 94, [int]],
  wait4: [61, 260, [int, bytes, flags("", { WNOHANG: W.NOHANG, __WALL: W.ALL }), pointer]],
  kill: [62, 129, [int, signal]],
  pidfd_send_signal: [424, 424, [fd, signal, pointer, int]],
  pidfd_open: [434, 434, [int, hex]],
  pidfd_getfd: [438, 438, [fd, fd, int]],
  getpid: [39, 172, []],
  setsid: [112, 157, []],
  setns: [308, 268, [fd, flags("CLONE_", CLONE)]],
  unshare: [272, 97, [flags("CLONE_", CLONE)]],
  prctl: [157, 167, [value("PR_", PR), int, int, int, int]],
  prlimit64: [302, 261, [int, value("RLIMIT_", RLIMIT), struct, pointer]],
  rt_sigaction: [13, 134, [signal, struct, pointer, int]],
  rt_sigprocmask: [14, 135, [value("SIG_", SIG_HOW), struct, pointer, int]],
  keyctl: [250, 219, [value("KEYCTL_", KEYCTL), string, hex]],
  sched_setattr: [314, 274, [int, struct, int]],
  sched_setaffinity: [203, 122, [int, int, bytes]],
  ioprio_set: [251, 30, [value("IOPRIO_WHO_", IOPRIO_WHO), int, hex]],
  set_mempolicy: [238, 237, [hex, bytes, int]],
  personality: [135, 92, [value("PER_", PER)]],

  // credentials
  setresuid: [117, 147, [int, int, int]],
  setresgid: [119, 149, [int, int, int]],
  setgroups: [116, 159, [int, bytes]],
  capset: [126, 91, [struct, struct]],
  seccomp: [
    317,
    277,
    [
      value("SECCOMP_SET_MODE_", SECCOMP_SET_MODE),
      flags("SECCOMP_FILTER_FLAG_", SECCOMP_FILTER_FLAG),
      struct,
    ],
  ],
  bpf: [321, 280, [value("BPF_", BPF_CMD), struct, int]],

  // the machine
  sethostname: [170, 161, [string, int]],
  setdomainname: [171, 162, [string, int]],
  reboot: [169, 142, [hex, hex, hex, pointer]],
  sync: [162, 81, []],
  swapon: [167, 224, [path, hex]],
  settimeofday: [164, 170, [bytes, pointer]],
  adjtimex: [159, 171, [bytes]],
  clock_gettime: [228, 113, [value("CLOCK_", CLOCK), bytes]],
  syslog: [103, 116, [int, bytes, int]],
  madvise: [28, 233, [pointer, int, int]],

  // waiting
  epoll_create1: [291, 20, [fdFlags]],
  epoll_ctl: [233, 21, [fd, value("EPOLL_CTL_", EPOLL_CTL), fd, struct]],
  epoll_pwait: [281, 22, [fd, bytes, int, int, pointer, int]],
  io_setup: [206, 0, [int, bytes]],
  io_submit: [209, 2, [hex, int, pointer]],
  io_getevents: [208, 4, [hex, int, int, bytes, pointer]],
  inotify_init1: [294, 26, [fdFlags]],
  inotify_add_watch: [254, 27, [fd, path, hex]],

  // sockets
  socket: [41, 198, [value("AF_", AF), flags("SOCK_", SOCK), int]],
  socketpair: [53, 199, [value("AF_", AF), flags("SOCK_", SOCK), int, bytes]],
  bind: [49, 200, [fd, bytes, int]],
  listen: [50, 201, [fd, int]],
  getpeername: [52, 205, [fd, bytes, bytes]],
  connect: [42, 203, [fd, bytes, int]],
  setsockopt: [54, 208, [fd, int, int, bytes, int]],
  sendmsg: [46, 211, [fd, struct, flags("MSG_", MSG)]],
  recvfrom: [45, 207, [fd, bytes, int, flags("MSG_", MSG), bytes, bytes]],
  shutdown: [48, 210, [fd, int]],
  accept4: [288, 242, [fd, pointer, pointer, flags("SOCK_", SOCK)]],
} as const satisfies Record<string, Row>;

function named(prefix: string, names: NameTable): NameTable {
  return Object.fromEntries(Object.entries(names).map(([name, word]) => [prefix + name, word]));
}

export type SyscallName = keyof typeof SYSCALLS;

/** The number of `name` on `arch`. */
export function syscallNumber(name: SyscallName, arch: Arch): number {
  return SYSCALLS[name][arch === "x86_64" ? 0 : 1];
}

/** How the arguments of `name` are written and shown. */
export function argumentKinds(name: SyscallName): readonly Kind[] {
  return SYSCALLS[name][2];
}
