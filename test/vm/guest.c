/*
 * The first program of a guest under test. It loads the kernel's modules, puts a relay behind each
 * virtio-serial port, and becomes the agent, which then is process 1 of a system that nobody has
 * prepared: what was mounted here is gone by then. Where the disk has systemd, that is process 1.
 *
 * Port 1 has a shell, through which a test looks at the guest from outside of the agent. Each other
 * port is one connection to a vsock port of the guest, asked for as a host does it where vsock comes
 * over a unix socket: "CONNECT 1024\n", answered by "OK 1073741824\n", the port that it comes from.
 *
 * BARE=1 on the kernel's command line leaves the agent no /dev and no open descriptor.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

#define AGENT "/usr/bin/kata-agent"
#define SYSTEMD "/usr/lib/systemd/systemd"
#define BUSYBOX "/rootfs/bin/busybox"
#define DEVICES "/devices"
#define DISK "/disk"

/* The status of each command follows its output, after a byte that no command of a test prints. */
#define SHELL                                                                                      \
  "while IFS= read -r command; do eval \"$command\" </dev/null 2>&1; printf '\\036%d\\n' $?; done"

static void fail(const char *what) {
  fprintf(stderr, "guest: %s: %m\n", what);
  reboot(RB_POWER_OFF);
  _exit(1);
}

static int is_module(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

/* Their names begin with their place in the order. */
static void load_modules(void) {
  struct dirent **entries;
  int count = scandir("/modules", &entries, is_module, alphasort);
  if (count < 0 || chdir("/modules") < 0) fail("/modules");
  for (int i = 0; i < count; i++) {
    int fd = open(entries[i]->d_name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0) fail(entries[i]->d_name);
    close(fd);
  }
  if (chdir("/") < 0) fail("/");
}

/* A device is there a moment after its driver is, and can be opened a moment after its name is. */
static int open_device(const char *path) {
  int fd;
  while ((fd = open(path, O_RDWR | O_CLOEXEC)) < 0) {
    if (errno != ENOENT && errno != ENXIO) fail(path);
    usleep(1000);
  }
  return fd;
}

static int open_port(int number) {
  char path[64];
  snprintf(path, sizeof path, DEVICES "/vport0p%d", number);
  return open_device(path);
}

/* Seen from the disk, nothing of the initramfs is there any more. */
static void enter_disk(void) {
  if (chdir(DISK) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0) fail(DISK);
  if (chroot(".") < 0 || chdir("/") < 0) fail(DISK);
}

/* Until the host's end is there, a read gives nothing, as if it had gone. */
static void await_host(int port) {
  struct pollfd polled = {.fd = port, .events = POLLIN};
  while (poll(&polled, 1, -1) < 0 || (polled.revents & POLLHUP)) usleep(1000);
}

static void copy(int from, int to) {
  static char buffer[65536];
  ssize_t count;
  while ((count = read(from, buffer, sizeof buffer)) > 0) {
    for (ssize_t done = 0, now; done < count; done += now) {
      now = write(to, buffer + done, count - done);
      if (now < 0) return;
    }
  }
}

static unsigned requested_port(int port) {
  char line[32];
  size_t length = 0;
  unsigned number;
  do {
    if (length + 1 == sizeof line || read(port, line + length, 1) != 1) _exit(0);
  } while (line[length++] != '\n');
  line[length] = 0;
  if (sscanf(line, "CONNECT %u", &number) != 1) fail(line);
  return number;
}

/* The agent may not listen yet. */
static int connect_to(unsigned number) {
  struct sockaddr_vm address = {
      .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL, .svm_port = number};
  for (;;) {
    int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("vsock");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    if (errno != ECONNRESET && errno != ECONNREFUSED) fail("connect");
    close(fd);
    usleep(1000);
  }
}

static unsigned own_port(int connection) {
  struct sockaddr_vm address;
  socklen_t length = sizeof address;
  if (getsockname(connection, (struct sockaddr *)&address, &length) < 0) fail("getsockname");
  return address.svm_port;
}

/* One process each way: none ever waits for the other. */
static void relay(int port) {
  unsigned number = requested_port(port);
  int connection = connect_to(number);
  dprintf(port, "OK %u\n", own_port(connection));
  if (fork() == 0) {
    copy(port, connection);
    shutdown(connection, SHUT_WR);
  } else {
    copy(connection, port);
  }
  _exit(0);
}

static void shell(int port) {
  for (int fd = 0; fd < 3; fd++) dup2(port, fd);
  setenv("PATH", "/rootfs/bin", 1);
  execl(BUSYBOX, "sh", "-c", SHELL, NULL);
  fail(BUSYBOX);
}

/* What the agent finds where the kernel could not open a console and nobody has made /dev. */
static void take_away(void) {
  unlink("/dev/console");
  rmdir("/dev");
  for (int fd = 0; fd < 3; fd++) close(fd);
}

int main(int argc, char **argv) {
  (void)argc;
  int ports[PORTS + 1];
  int has_disk = access(DISK, F_OK) == 0;
  load_modules();
  if (mkdir(DEVICES, 0700) < 0 || mount("dev", DEVICES, "devtmpfs", 0, NULL) < 0) fail(DEVICES);
  for (int number = 1; number <= PORTS; number++) ports[number] = open_port(number);
  if (has_disk) {
    close(open_device(DEVICES "/vda"));
    if (mount(DEVICES "/vda", DISK, "ext4", MS_RDONLY, NULL) < 0) fail(DISK);
  }
  if (umount2(DEVICES, MNT_DETACH) < 0 || rmdir(DEVICES) < 0) fail(DEVICES);
  if (has_disk) enter_disk();
  for (int number = 1; number <= PORTS; number++) {
    int port = ports[number];
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
      await_host(port);
      if (number == 1) shell(port);
      relay(port);
    }
    close(port);
  }
  if (getenv("BARE")) take_away();
  argv[0] = access(SYSTEMD, X_OK) == 0 ? SYSTEMD : AGENT;
  execv(argv[0], argv);
  fail(argv[0]);
}
