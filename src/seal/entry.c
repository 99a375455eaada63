/* What a sealed executable does before its loader runs: the first code of the process, as PID 1 the
   first of the guest. It stands in the appended segment, next to what it unpacks, and may need nothing:
   no libc, no relocation, no writable variable. README.md of this folder says how it comes there. */
#include <asm/unistd.h>
#include <linux/auxvec.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/stat.h>

typedef unsigned long word;

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8
#endif

/* The same on both architectures (linux/kdev_t.h): major 1, minor 3. */
#define DEV_NULL 0x103

/* As many as a descriptor has at most; segment.ts leaves room for them. */
#define DIGITS 10

/* plan.ts writes these. An offset counts from the start of the segment. */
struct range {
  word offset, size, protection;
};
struct library {
  /* The last two are in memory that can be written: the end of the path that the loader opens, and
     what is to be closed when it has. */
  word offset, size, label, number, descriptor;
};
/* Both are reached from the code itself, and not by a table of addresses. */
#pragma GCC visibility push(hidden)
extern const struct {
  word entry, loader, loader_entry, headers, header_count, scrubbed;
  word unpacked, unpacked_size;
  word range_count, library_count;
  struct range ranges[6];
  struct library libraries[4];
} plan;

/* entry-x86_64.S and entry-arm64.S: where the loader goes when it is done. */
extern const char loaded[];
#pragma GCC visibility pop

#if defined __x86_64__
static long call(word number, word a, word b, word c, word d, word e) {
  long result;
  register word r10 __asm__("r10") = d;
  register word r8 __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined __aarch64__
static long call(word number, word a, word b, word c, word d, word e) {
  register word x8 __asm__("x8") = number;
  register word x0 __asm__("x0") = a;
  register word x1 __asm__("x1") = b;
  register word x2 __asm__("x2") = c;
  register word x3 __asm__("x3") = d;
  register word x4 __asm__("x4") = e;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
                   : "memory");
  return (long)x0;
}
#endif

static int is_init(void) { return call(__NR_getpid, 0, 0, 0, 0, 0) == 1; }

/* The kernel panics where PID 1 ends, and so the guest ends before. */
static void die(const char *reason, word length) {
  call(__NR_write, 2, (word)reason, length, 0, 0);
  if (is_init())
    call(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0, 0);
  for (;;) call(__NR_exit_group, 127, 0, 0, 0, 0);
}
/* What the process says when it cannot go on. */
#define DIE(reason) die("kata-agent: " reason "\n", sizeof "kata-agent: " reason)

static long open(long directory, const char *path, word flags) {
  return call(__NR_openat, directory, (word)path, flags | O_CLOEXEC, 0, 0);
}

static void close(long descriptor) { call(__NR_close, descriptor, 0, 0, 0, 0); }

static int has_proc(void) {
  return call(__NR_faccessat, AT_FDCWD, (word) "/proc/self/fd", 0, 0, 0) == 0;
}

/* Mounts made from now on are seen by this process alone, and go with it. That takes a walk: mounts
   propagate by the root of the mount that we are on, and in a chroot no path leads to it. Joining our
   own mount namespace does. Where a step is refused, mounting is refused too. */
static void leave_mount_namespace(void) {
  long self, root, current;
  if (call(__NR_unshare, CLONE_NEWNS, 0, 0, 0, 0) < 0) return;
  self = call(__NR_pidfd_open, call(__NR_getpid, 0, 0, 0, 0, 0), 0, 0, 0, 0);
  root = open(AT_FDCWD, "/", O_PATH);
  current = open(AT_FDCWD, ".", O_PATH);
  if (call(__NR_setns, self, CLONE_NEWNS, 0, 0, 0) < 0 ||
      call(__NR_mount, 0, (word) "/", 0, MS_REC | MS_SLAVE, 0) < 0 ||
      call(__NR_fchdir, root, 0, 0, 0, 0) < 0 || call(__NR_chroot, (word) ".", 0, 0, 0, 0) < 0 ||
      call(__NR_fchdir, current, 0, 0, 0, 0) < 0)
    DIE("mount /proc: the mount namespace cannot be left");
  close(self);
  close(root);
  close(current);
}

/* The loader finds the libraries by /proc, and Bun aborts where /proc/self/maps is absent. PID 1 has
   it from nobody else; whoever runs the file in an empty chroot has it for as long as the file runs. */
static void mount_proc(int init) {
  if (has_proc()) return;
  if (!init) leave_mount_namespace();
  call(__NR_mkdirat, AT_FDCWD, (word) "/proc", 0555, 0, 0);
  call(__NR_mount, (word) "proc", (word) "/proc", (word) "proc",
       MS_NOSUID | MS_NODEV | MS_NOEXEC, 0);
}

/* A file system that is in no directory, for where /dev is absent and cannot be made. */
static long mount_unseen(const char *type) {
  long filesystem, mount;
  filesystem = call(__NR_fsopen, (word)type, FSOPEN_CLOEXEC, 0, 0, 0);
  call(__NR_fsconfig, filesystem, FSCONFIG_CMD_CREATE, 0, 0, 0);
  mount = call(__NR_fsmount, filesystem, FSMOUNT_CLOEXEC, 0, 0, 0);
  close(filesystem);
  return mount;
}

static long open_unseen(const char *type, const char *name, word flags) {
  long mount, device;
  mount = mount_unseen(type);
  /* A new tmpfs has nothing in it; devtmpfs has this device already. */
  call(__NR_mknodat, mount, (word) "null", S_IFCHR | 0666, DEV_NULL, 0);
  device = open(mount, name, flags);
  close(mount);
  return device;
}

static long open_console(void) { return open(AT_FDCWD, "/dev/console", O_RDWR | O_NOCTTY); }

static long open_device(int init) {
  long device = -1;
  if (init) {
    device = open_console();
    if (device < 0) {
      call(__NR_mkdirat, AT_FDCWD, (word) "/dev", 0755, 0, 0);
      call(__NR_mount, (word) "devtmpfs", (word) "/dev", (word) "devtmpfs", MS_NOSUID, 0);
      device = open_console();
    }
    if (device < 0) device = open_unseen("devtmpfs", "console", O_RDWR | O_NOCTTY);
  }
  if (device < 0) device = open(AT_FDCWD, "/dev/null", O_RDWR);
  return device < 0 ? open_unseen("tmpfs", "null", O_RDWR) : device;
}

/* Bun aborts where one of the first three descriptors is closed and there is no /dev/null. */
static void open_standard_descriptors(int init) {
  long standard, device;
  for (standard = 0; standard < 3; standard++) {
    if (call(__NR_fcntl, standard, F_GETFD, 0, 0, 0) >= 0) continue;
    device = open_device(init);
    if (device < 0) continue;
    /* Also where they are the same descriptor: what is left must stay open in a child. */
    if (device == standard) {
      call(__NR_fcntl, standard, F_SETFD, 0, 0, 0);
    } else {
      call(__NR_dup3, device, standard, 0, 0, 0);
      close(device);
    }
  }
}

/* Whether `entry` begins with one of `prefixes`, each ended by a NUL and all of them by an empty one. */
static int is_scrubbed(const char *entry, const char *prefixes) {
  const char *rest;
  while (*prefixes) {
    for (rest = entry; *prefixes && *rest == *prefixes; rest++) prefixes++;
    if (!*prefixes) return 1;
    while (*prefixes) prefixes++;
    prefixes++;
  }
  return 0;
}

/* Take out the variables that would turn the runtime into something else. The auxiliary vector, which
   is found by the end of the environment, moves up to it. */
static word *scrub(word *environment, const char *prefixes) {
  word *from = environment, *to = environment, *auxiliary;
  for (; *from; from++) {
    if (!is_scrubbed((const char *)*from, prefixes)) *to++ = *from;
  }
  *to++ = *from++;
  auxiliary = to;
  do {
    *to++ = *from++;
    *to++ = *from++;
  } while (to[-2] != AT_NULL);
  return auxiliary;
}

static void write_number(char *text, word number) {
  char digits[DIGITS];
  int count = 0;
  do digits[count++] = '0' + number % 10;
  while (number /= 10);
  while (count) *text++ = digits[--count];
  *text = 0;
}

static long memory_file(const char *label) {
  /* Kernels before 6.3 do not know the flag; later ones say in their log that it was not given. */
  long file = call(__NR_memfd_create, (word)label, MFD_CLOEXEC | MFD_NOEXEC_SEAL, 0, 0, 0);
  return file == -EINVAL ? call(__NR_memfd_create, (word)label, MFD_CLOEXEC, 0, 0, 0) : file;
}

/* Whatever descriptor is free will do: a fixed one may be taken, or beyond the limit. */
static void open_library(char *base, const struct library *library) {
  const char *from = base + library->offset, *end = from + library->size;
  long file = memory_file(base + library->label), written;
  if (file < 0) DIE("memfd_create for a library");
  while (from < end) {
    written = call(__NR_write, file, (word)from, end - from, 0, 0);
    if (written <= 0) DIE("write of a library to memory");
    from += written;
  }
  *(word *)(base + library->descriptor) = file;
  write_number(base + library->number, file);
}

/* The kernel has mapped the whole segment as code. What of it is the loader gets what it wants. */
static void protect(char *base) {
  const struct range *range = plan.ranges, *end = range + plan.range_count;
  for (; range < end; range++) {
    if (call(__NR_mprotect, (word)base + range->offset, range->size, range->protection, 0, 0) < 0)
      DIE("mprotect of the loader");
  }
}

/* From where the kernel starts the process to where the loader starts. */
word prepare(word *stack, char *base) {
  int init = is_init();
  word *entry = stack + 1 + stack[0] + 1;
  word i;
  mount_proc(init);
  open_standard_descriptors(init);
  if (!has_proc()) DIE("/proc is not mounted");
  entry = scrub(entry, base + plan.scrubbed);
  protect(base);
  for (i = 0; i < plan.library_count; i++) open_library(base, &plan.libraries[i]);
  call(__NR_munmap, (word)base + plan.unpacked, plan.unpacked_size, 0, 0, 0);
  /* As if the kernel had found the loader by PT_INTERP. */
  for (; entry[0] != AT_NULL; entry += 2) {
    if (entry[0] == AT_ENTRY) entry[1] = (word)loaded;
    if (entry[0] == AT_BASE) entry[1] = (word)base + plan.loader;
    if (entry[0] == AT_PHDR) entry[1] = (word)base + plan.headers;
    if (entry[0] == AT_PHNUM) entry[1] = plan.header_count;
  }
  return (word)base + plan.loader_entry;
}

/* The libraries are mapped, and nobody opens them again: a later dlopen finds them by soname. */
word finish(char *base) {
  word i;
  for (i = 0; i < plan.library_count; i++) {
    close(*(word *)(base + plan.libraries[i].descriptor));
  }
  return plan.entry;
}
