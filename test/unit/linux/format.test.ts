// How a call is printed: the goldens of programs, `explain`, and errors read like this.
import { expect, test } from "bun:test";
import { type Call, Reg, call } from "../../../src/linux/call.ts";
import {
  AT_FDCWD,
  CLONE,
  PR,
  RENAME,
  RESOLVE,
  S,
  SIG,
  UMOUNT,
  W,
} from "../../../src/linux/constants.ts";
import { setgroups } from "../../../src/linux/credentials.ts";
import { formatCall, formatFlags } from "../../../src/linux/format.ts";
import * as fs from "../../../src/linux/fs.ts";
import {
  close_range,
  closeOnExecFrom,
  dup3,
  eventfd,
  pread,
  pwrite,
  read,
  writeText,
} from "../../../src/linux/io.ts";
import { getInterfaceFlags, interfaceRequest } from "../../../src/linux/interface.ts";
import { powerOff, readKernelLog, sync } from "../../../src/linux/machine.ts";
import * as mount from "../../../src/linux/mount.ts";
import { MOUNT_ATTR, MS } from "../../../src/linux/mount-flags.ts";
import { O } from "../../../src/linux/open-flags.ts";
import {
  allowInSessionKeyring,
  ambientCapability,
  clone3,
  execve,
  joinSessionKeyring,
  kill,
  prctl,
  setrlimit,
  unshare,
  wait4,
} from "../../../src/linux/process.ts";
import { attachDeviceProgram, loadDeviceProgram } from "../../../src/linux/bpf.ts";
import {
  ioprio_set,
  personality,
  sched_setaffinity,
  sched_setattr,
  set_mempolicy,
} from "../../../src/linux/scheduling.ts";
import { loadFilter } from "../../../src/linux/seccomp.ts";
import { resetSignal, unblockAllSignals } from "../../../src/linux/signal.ts";
import { accept4, socket } from "../../../src/linux/socket.ts";
import { structOf } from "../../../src/linux/struct.ts";
import { openPtyPeer, setControllingTerminal, setWindowSize } from "../../../src/linux/tty.ts";

const r0 = new Reg(0);
const r12 = new Reg(12);

const CALLS: readonly (readonly [string, Call])[] = [
  // descriptors and registers
  [`close(3)`, call("close", 3)],
  [`close(r12)`, call("close", r12)],
  [`close(-1)`, call("close", -1)],
  [`close_range(3, ~0U, 0)`, close_range(3)],
  [`close_range(3, 9, 0)`, close_range(3, 9)],
  [`close_range(5, ~0U, CLOSE_RANGE_CLOEXEC)`, closeOnExecFrom(5)],
  [`dup3(r0, 1, 0)`, dup3(r0, 1)],
  [`dup3(r0, 1, O_CLOEXEC)`, dup3(r0, 1, O.CLOEXEC)],
  [`eventfd2(0, O_NONBLOCK|O_CLOEXEC)`, eventfd()],
  [`unlinkat(AT_FDCWD, "/x", AT_REMOVEDIR)`, fs.rmdir("/x")],

  [
    `seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, {len=2, filter=<16 bytes>})`,
    loadFilter({ program: new Uint8Array(16), flags: 2 }),
  ],

  [
    `sched_setattr(0, {size=56, sched_policy=SCHED_BATCH, sched_flags=SCHED_FLAG_RESET_ON_FORK, sched_nice=-5, sched_priority=0, sched_runtime=0, sched_deadline=0, sched_period=0}, 0)`,
    sched_setattr({
      policy: 3,
      flags: 1,
      nice: -5,
      priority: 0,
      runtime: 0,
      deadline: 0,
      period: 0,
    }),
  ],
  [`sched_setaffinity(0, 8, <8 bytes>)`, sched_setaffinity(new Uint8Array(8))],
  [`ioprio_set(IOPRIO_WHO_PROCESS, 0, 0x6007)`, ioprio_set(3, 7)],
  [`set_mempolicy(0x2003, <8 bytes>, 65)`, set_mempolicy(0x2003, new Uint8Array(8))],
  [`set_mempolicy(0x4, NULL, 0)`, set_mempolicy(4, new Uint8Array(0))],
  [`personality(PER_LINUX32)`, personality(8)],
  [`keyctl(KEYCTL_JOIN_SESSION_KEYRING, "_ses.c1")`, joinSessionKeyring("_ses.c1")],
  [`keyctl(KEYCTL_SETPERM, -3, 0x3f1b0000)`, allowInSessionKeyring(0x3f1b0000)],

  // strings, vectors, NULL
  [`mount("/a", "/b", NULL, MS_BIND|MS_REC, NULL)`, mount.mountBind("/a", "/b", MS.REC)],
  [
    `mount("tmpfs", "/run", "tmpfs", MS_NOSUID, "mode=755")`,
    mount.mountNew("tmpfs", "tmpfs", "/run", MS.NOSUID, "mode=755"),
  ],
  [`execve("/bin/a", ["a", "b \\"c\\""], [])`, execve("/bin/a", ["a", 'b "c"'], [])],
  [
    `execve("/bin/a", ["a=b"], ["PATH=…", "EMPTY=…", "LINES=…"])`,
    execve("/bin/a", ["a=b"], ["PATH=/bin", "EMPTY=", "LINES=a\nb=c\nd"]),
  ],
  [`symlinkat("a\\nb", r0, "ä")`, fs.symlinkat("a\nb", r0, "ä")],
  [`setgroups(0, NULL)`, setgroups([])],

  // bytes
  [`write(r0, "max\\n", 4)`, writeText(r0, "max\n")],
  [`pread64(4, <2 bytes>, 2, 0)`, pread(4, new Uint8Array(2), 0)],
  [`pwrite64(4, <6 bytes>, 6, 4096)`, pwrite(4, new TextEncoder().encode("secret"), 4096)],
  [`write(4, "", 0)`, writeText(4, "")],
  [`write(4, <65 bytes>, 65)`, writeText(4, "x".repeat(65))],
  [`write(4, <2 bytes>, 2)`, writeText(4, "ä")],
  [`read(4, <16 bytes>, 16)`, read(4, new Uint8Array(16))],
  [`setgroups(2, <8 bytes>)`, setgroups([0, 100])],

  // numbers
  [`mkdirat(r0, "tmp", 01777)`, fs.mkdirat(r0, "tmp", 0o1777)],
  [`umask(0)`, fs.umask(0)],
  [`mknodat(r0, "null", 020666, 0x103)`, fs.mknodat(r0, "null", S.IFCHR | 0o666, fs.makedev(1, 3))],
  [`reboot(0xfee1dead, 0x28121969, 0x4321fedc, NULL)`, powerOff()],
  [`sync()`, sync()],
  [`syslog(3, <16 bytes>, 16)`, readKernelLog(new Uint8Array(16))],
  [`madvise(0x7f0000000000, 4096, 10)`, call("madvise", 0x7f0000000000, 4096, 10)],
  [`io_submit(0xffffffffffffffff, 1, NULL)`, call("io_submit", 0xffff_ffff_ffff_ffffn, 1, null)],
  [`exit_group(7)`, call("exit_group", 7)],
  [`getpid()`, call("getpid")],

  // open flags
  [`openat(AT_FDCWD, "/", O_RDONLY|O_CLOEXEC, 0)`, fs.openat(AT_FDCWD, "/", O.RDONLY)],
  [`openat(AT_FDCWD, "/", O_RDONLY, 0)`, call("openat", AT_FDCWD, "/", 0, 0)],
  [
    `openat(r0, "x", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0644)`,
    fs.openat(r0, "x", O.WRONLY | O.CREAT | O.EXCL, 0o644),
  ],
  [`openat(r0, "x", O_RDWR|O_NOCTTY|O_CLOEXEC, 0)`, fs.openat(r0, "x", O.RDWR | O.NOCTTY)],
  [`openat(r0, ".", O_DIRECTORY|O_CLOEXEC|O_PATH, 0)`, fs.openat(r0, ".", O.PATH | O.DIRECTORY)],
  [`openat(3, "x", O_RDONLY|0x20000000, 0)`, call("openat", 3, "x", 0x20000000, 0)],

  // flags and values by name
  [`umount2("/m", MNT_DETACH)`, mount.detach("/m")],
  [`umount2("/m", UMOUNT_NOFOLLOW|0x80)`, mount.umount2("/m", UMOUNT.NOFOLLOW | 0x80)],
  [
    `unshare(CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWPID)`,
    unshare(CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWPID),
  ],
  [
    `open_tree(AT_FDCWD, "/a", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE)`,
    mount.cloneMount(AT_FDCWD, "/a", true),
  ],
  [
    `open_tree(r0, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH)`,
    mount.cloneMount(r0, "", false),
  ],
  [
    `move_mount(r0, "", r12, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)`,
    mount.attachMount(r0, r12),
  ],
  [
    `move_mount(r0, "", AT_FDCWD, "/mnt", MOVE_MOUNT_F_EMPTY_PATH)`,
    mount.attachMountAt(r0, "/mnt"),
  ],
  [`fsopen("tmpfs", FSOPEN_CLOEXEC)`, mount.fsopen("tmpfs")],
  [`fsconfig(r0, FSCONFIG_SET_STRING, "size", "64k", 0)`, mount.fsconfigString(r0, "size", "64k")],
  [`fspick(r0, "", FSPICK_CLOEXEC|FSPICK_EMPTY_PATH)`, mount.fspick(r0)],
  [`fsconfig(r0, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0)`, mount.fsconfigReconfigure(r0)],
  [`fsconfig(r0, FSCONFIG_CMD_CREATE, NULL, NULL, 0)`, mount.fsconfigCreate(r0)],
  [
    `fsmount(r0, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV)`,
    mount.fsmount(r0, MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV),
  ],
  [`fchownat(r0, "", 1, 2, AT_EMPTY_PATH)`, fs.fchown(r0, 1, 2)],
  [`fchownat(r0, "a", 4294967295, 2, AT_SYMLINK_NOFOLLOW)`, fs.lchownat(r0, "a", 0xffff_ffff, 2)],
  [`renameat2(r0, "a", r0, "b", RENAME_EXCHANGE)`, fs.renameIn(r0, "a", "b", RENAME.EXCHANGE)],
  [`faccessat2(AT_FDCWD, "/bin/a", X_OK, AT_EACCESS)`, fs.mayExecute("/bin/a")],
  [`prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)`, prctl(PR.SET_NO_NEW_PRIVS, 1)],
  [`prctl(99, 0, 0, 0, 0)`, prctl(99)],
  [`prctl(PR_CAP_AMBIENT, 2, 5, 0, 0)`, ambientCapability("RAISE", 5)],
  [`kill(1, SIGTERM)`, kill(1, SIG.TERM)],
  [`kill(1, 34)`, kill(1, 34)],
  [`wait4(-1, <4 bytes>, WNOHANG|__WALL, NULL)`, wait4(-1, new Uint8Array(4), W.NOHANG | W.ALL)],
  [`socket(AF_VSOCK, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0)`, socket("VSOCK")],
  [`accept4(3, NULL, NULL, SOCK_NONBLOCK|SOCK_CLOEXEC)`, accept4(3)],
  [`ioctl(0, TIOCSCTTY, 0)`, setControllingTerminal(0)],
  [`ioctl(0, TIOCSCTTY, 1)`, setControllingTerminal(0, true)],
  [`ioctl(4, SIOCGIFFLAGS, <40 bytes>)`, getInterfaceFlags(4, interfaceRequest("lo"))],
  [`ioctl(r0, TIOCGPTPEER, 524546)`, openPtyPeer(r0)],

  // structures: the fields given, by name
  [
    `openat2(r0, "/proc", {flags=O_CLOEXEC|O_PATH, mode=0, ` +
      `resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_IN_ROOT}, 24)`,
    fs.openInRoot(r0, "/proc", O.PATH, 0, RESOLVE.NO_SYMLINKS),
  ],
  [
    `openat2(r0, "f", {flags=O_WRONLY|O_CREAT|O_CLOEXEC, mode=0644, ` +
      `resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24)`,
    fs.openInRoot(r0, "f", O.WRONLY | O.CREAT, 0o644),
  ],
  [
    `mount_setattr(r0, "", AT_EMPTY_PATH|AT_RECURSIVE, ` +
      `{attr_set=MOUNT_ATTR_RDONLY, attr_clr=MOUNT_ATTR__ATIME, propagation=MS_PRIVATE}, 32)`,
    mount.mount_setattr(
      r0,
      { set: MOUNT_ATTR.RDONLY, clear: MOUNT_ATTR._ATIME, propagation: MS.PRIVATE },
      true,
    ),
  ],
  [
    `clone3({flags=CLONE_PIDFD|CLONE_NEWPID|CLONE_INTO_CGROUP, pidfd=0x1000, ` +
      `exit_signal=SIGCHLD, cgroup=5}, 88)`,
    clone3(
      structOf("clone_args", {
        flags: CLONE.PIDFD + CLONE.NEWPID + CLONE.INTO_CGROUP,
        pidfd: 0x1000,
        exit_signal: SIG.CHLD,
        cgroup: 5,
      }),
    ),
  ],
  [
    `prlimit64(0, RLIMIT_NOFILE, {rlim_cur=1024, rlim_max=18446744073709551615}, NULL)`,
    setrlimit(7, 1024n, 0xffff_ffff_ffff_ffffn),
  ],
  [
    `bpf(BPF_PROG_LOAD, {prog_type=15, insn_cnt=2, insns=<16 bytes>, license=<11 bytes>}, 40)`,
    loadDeviceProgram(new Uint8Array(16)),
  ],
  [
    `bpf(BPF_PROG_ATTACH, {target_fd=5, attach_bpf_fd=6, attach_type=6, ` +
      `attach_flags=BPF_F_ALLOW_MULTI|BPF_F_REPLACE, replace_bpf_fd=7}, 20)`,
    attachDeviceProgram(5, 6, 7),
  ],
  [`ioctl(r0, TIOCSWINSZ, {ws_row=24, ws_col=80})`, setWindowSize(r0, 24, 80)],
  [`rt_sigaction(SIGPIPE, {sa_handler=SIG_DFL}, NULL, 8)`, resetSignal(SIG.PIPE)],
  [`rt_sigprocmask(SIG_SETMASK, {bits=0x0}, NULL, 8)`, unblockAllSignals()],
];

test.each(CALLS)("a call is printed as %s", (text, made) => {
  expect(formatCall(made)).toBe(text);
});

test.each([
  [0n, "0"],
  [2n, "N_TWO"],
  [3n, "N_BOTH"],
  [7n, "N_BOTH|0x4"],
  [8n, "0x8"],
  [1n << 40n, "0x10000000000"],
])("of a set of flags %d, what has a name is named: %s", (set, text) => {
  expect(formatFlags(set, "N_", { NONE: 0, BOTH: 3, TWO: 2 })).toBe(text);
});

test.each([
  [1, 3, 0x103],
  [0, 0, 0],
  [254, 255, 0xfeff],
  [8, 256, 0x100800],
  [4095, 1_048_575, 0xffffffff],
])("device %d:%d is the number %d", (major, minor, device) => {
  expect(fs.makedev(major, minor)).toBe(device);
});
