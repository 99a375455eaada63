// Kernel constants, one table per group, headed by the file of include/uapi (or the man page) that
// defines them. Mount flags and open flags have files of their own.

/** linux/fcntl.h */
export const AT = {
  FDCWD: -100,
  SYMLINK_NOFOLLOW: 0x100,
  REMOVEDIR: 0x200,
  EACCESS: 0x200,
  EMPTY_PATH: 0x1000,
  STATX_DONT_SYNC: 0x4000,
  RECURSIVE: 0x8000,
} as const;

/** AT_FDCWD: a path is relative to the current working directory. */
export const AT_FDCWD = AT.FDCWD;

/** linux/stat.h */
export const S = {
  IFMT: 0o170000,
  IFIFO: 0o010000,
  IFCHR: 0o020000,
  IFDIR: 0o040000,
  IFBLK: 0o060000,
  IFREG: 0o100000,
  IFLNK: 0o120000,
} as const;

/** linux/fs.h */
export const RENAME = { EXCHANGE: 2 } as const;

/** access(2) modes */
export const ACCESS = { F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4 } as const;

/** linux/openat2.h */
export const RESOLVE = {
  NO_XDEV: 0x01,
  NO_MAGICLINKS: 0x02,
  NO_SYMLINKS: 0x04,
  BENEATH: 0x08,
  IN_ROOT: 0x10,
  CACHED: 0x20,
} as const;

/** linux/fs.h */
export const RWF = { NOWAIT: 0x8 } as const;

/** linux/magic.h */
export const MAGIC = {
  CGROUP2_SUPER: 0x63677270,
  PROC_SUPER: 0x9fa0,
  TMPFS: 0x01021994,
  RAMFS: 0x858458f6,
} as const;

/** linux/mount.h, umount2(2) */
export const MNT = { FORCE: 1, DETACH: 2, EXPIRE: 4 } as const;
export const UMOUNT = { NOFOLLOW: 8 } as const;

/** linux/mount.h */
export const OPEN_TREE = { CLONE: 1, CLOEXEC: 0o2000000 } as const;
export const MOVE_MOUNT = { F_EMPTY_PATH: 0x4, T_EMPTY_PATH: 0x40 } as const;

/** linux/sched.h */
export const CLONE = {
  NEWTIME: 0x80,
  PIDFD: 0x1000,
  PARENT: 0x8000,
  NEWNS: 0x20000,
  NEWCGROUP: 0x2000000,
  NEWUTS: 0x4000000,
  NEWIPC: 0x8000000,
  NEWUSER: 0x10000000,
  NEWPID: 0x20000000,
  NEWNET: 0x40000000,
  CLEAR_SIGHAND: 0x100000000,
  INTO_CGROUP: 0x200000000,
} as const;

/** linux/wait.h */
export const W = { NOHANG: 1, ALL: 0x40000000 } as const;

/** linux/close_range.h */
export const CLOSE_RANGE = { CLOEXEC: 4 } as const;

/** asm-generic/signal.h; the real-time signals 34 to 64 have no names of their own here. */
export const SIG = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
} as const;
export const SIG_DISPOSITION = { DFL: 0, IGN: 1 } as const;
export const SIG_HOW = { BLOCK: 0, UNBLOCK: 1, SETMASK: 2 } as const;

/** linux/prctl.h */
export const PR = {
  SET_PDEATHSIG: 1,
  SET_DUMPABLE: 4,
  SET_KEEPCAPS: 8,
  CAPBSET_READ: 23,
  CAPBSET_DROP: 24,
  SET_CHILD_SUBREAPER: 36,
  SET_NO_NEW_PRIVS: 38,
  CAP_AMBIENT: 47,
} as const;
export const PR_CAP_AMBIENT = { IS_SET: 1, RAISE: 2, LOWER: 3, CLEAR_ALL: 4 } as const;

/** linux/seccomp.h */
export const SECCOMP_SET_MODE = { STRICT: 0, FILTER: 1 } as const;
export const SECCOMP_FILTER_FLAG = {
  TSYNC: 1,
  LOG: 2,
  SPEC_ALLOW: 4,
  NEW_LISTENER: 8,
  WAIT_KILLABLE_RECV: 32,
} as const;

/** linux/resource.h: numbers, in order from 0 */
export const RLIMIT = {
  CPU: 0,
  FSIZE: 1,
  DATA: 2,
  STACK: 3,
  CORE: 4,
  RSS: 5,
  NPROC: 6,
  NOFILE: 7,
  MEMLOCK: 8,
  AS: 9,
  LOCKS: 10,
  SIGPENDING: 11,
  MSGQUEUE: 12,
  NICE: 13,
  RTPRIO: 14,
  RTTIME: 15,
} as const;

/** asm-generic/fcntl.h */
export const F = { GETFL: 3, SETFL: 4, SETPIPE_SZ: 1031, GETPIPE_SZ: 1032 } as const;

/** linux/socket.h, socket(2) */
export const AF = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16, VSOCK: 40 } as const;
export const SOCK = {
  STREAM: 1,
  RAW: 3,
  SEQPACKET: 5,
  NONBLOCK: 0o4000,
  CLOEXEC: 0o2000000,
} as const;

/** linux/socket.h, sendmsg(2), cmsg(3) */
export const MSG = { TRUNC: 0x20, NOSIGNAL: 0x4000 } as const;
export const SOL = { SOCKET: 1, NETLINK: 270 } as const;
export const SO = { RCVBUFFORCE: 33 } as const;
export const SCM = { RIGHTS: 1 } as const;

/** linux/netlink.h */
export const NETLINK = { ROUTE: 0, KOBJECT_UEVENT: 15 } as const;

/** linux/eventpoll.h */
export const EPOLL = {
  IN: 0x1,
  PRI: 0x2,
  OUT: 0x4,
  ERR: 0x8,
  HUP: 0x10,
  ONESHOT: 1 << 30,
} as const;
export const EPOLL_CTL = { ADD: 1, DEL: 2, MOD: 3 } as const;
export const EPOLL_CREATE = { CLOEXEC: 0o2000000 } as const;

/** linux/eventfd.h */
export const EFD = { NONBLOCK: 0o4000, CLOEXEC: 0o2000000 } as const;

/** linux/aio_abi.h */
export const IOCB = { CMD_POLL: 5, FLAG_RESFD: 1 } as const;

/** linux/memfd.h */
export const MFD = { CLOEXEC: 1 } as const;

/** asm-generic/mman-common.h */
export const MADV = { DONTNEED: 4, DONTFORK: 10 } as const;

/** asm-generic/ioctls.h */
export const TIOC = {
  SCTTY: 0x540e,
  SWINSZ: 0x5414,
  SPTLCK: 0x40045431,
  GPTPEER: 0x5441,
} as const;

/** linux/sockios.h: ioctls of network interfaces */
export const SIOC = { GIFFLAGS: 0x8913, SIFFLAGS: 0x8914 } as const;

/** linux/dm-ioctl.h: ioctls of the device mapper */
export const DM = {
  DEV_CREATE: 0xc138fd03,
  DEV_REMOVE: 0xc138fd04,
  DEV_SUSPEND: 0xc138fd06,
  TABLE_LOAD: 0xc138fd09,
} as const;

/** linux/dm-ioctl.h */
export const DM_FLAG = { READONLY_FLAG: 1, DEFERRED_REMOVE: 1 << 17 } as const;

/** linux/if.h: flags of network interfaces */
export const IFF = { UP: 0x1, LOOPBACK: 0x8, NOARP: 0x80 } as const;

/** linux/reboot.h */
export const LINUX_REBOOT = {
  MAGIC1: 0xfee1dead,
  MAGIC2: 0x28121969,
  CMD_POWER_OFF: 0x4321fedc,
} as const;

/** linux/keyctl.h */
export const KEYCTL = { JOIN_SESSION_KEYRING: 1, SETPERM: 5 } as const;
export const KEY_SPEC = { SESSION_KEYRING: -3 } as const;

/** linux/bpf.h */
export const BPF_CMD = { PROG_LOAD: 5, PROG_ATTACH: 8 } as const;

/** linux/bpf.h: how a program is attached */
export const BPF_F = { ALLOW_MULTI: 2, REPLACE: 4 } as const;

/** linux/timex.h: what adjtimex(2) changes, and what the kernel says of the clock */
export const ADJ = { FREQUENCY: 0x2, SETOFFSET: 0x100, NANO: 0x2000, TICK: 0x4000 } as const;
export const STA = { UNSYNC: 0x40 } as const;

/** linux/time.h: the clock that begins with the kernel and goes on while the guest is stopped */
export const CLOCK = { BOOTTIME: 7 } as const;
