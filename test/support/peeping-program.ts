// A program for a container that looks, as fast as it can, at every process that it can see: at what
// they execute, have open, and have in memory. Until execve a process of the container is still much of
// the agent, and whoever gets hold of it then gets hold of the guest.
import { installProgram } from "./syscall-probe.ts";

/**
 * What it says of a process whose program is none of the image's: `executes FILE`, `opens FD FILE`,
 * `writes` to the file that it executes, `sees the guest`, or `reads memory`. `meets` one that shows nothing, and makes
 * the file `/met` then.
 */
const SOURCE = `
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static char text[4096];
static const char *target(const char *path) {
  ssize_t length = readlink(path, text, sizeof text - 1);
  text[length < 0 ? 0 : length] = 0;
  return length < 0 ? NULL : text;
}
static int opens(const char *path, int flags) {
  int fd = open(path, flags);
  if (fd >= 0) close(fd);
  return fd >= 0;
}
int main(void) {
  char path[64];
  setvbuf(stdout, NULL, _IONBF, 0);
  puts("looking");
  while (access("/stop", F_OK) < 0) {
    DIR *all = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(all));) {
      int pid = atoi(entry->d_name);
      if (pid == 0 || pid == getpid()) continue;
      snprintf(path, sizeof path, "/proc/%d/exe", pid);
      const char *exe = target(path);
      if (exe == NULL) {
        if (access(path, F_OK) == 0) {
          puts("meets one");
          close(open("/met", O_WRONLY | O_CREAT, 0600));
        }
        continue;
      }
      if (strncmp(exe, "/bin/", 5) == 0) continue;
      printf("executes %s\\n", exe);
      if (opens(path, O_WRONLY)) puts("writes its program");
      for (int fd = 0; fd < 64; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
        if (target(path)) printf("opens %d %s\\n", fd, text);
      }
      snprintf(path, sizeof path, "/proc/%d/root/run/kata-containers", pid);
      if (access(path, F_OK) == 0) puts("sees the guest");
      snprintf(path, sizeof path, "/proc/%d/mem", pid);
      if (opens(path, O_RDWR)) puts("reads memory");
    }
    closedir(all);
  }
  return 0;
}
`;

/** Put it into a root file system as `/bin/peep`. It ends when there is a file `/stop`. */
export function installPeeping(rootfs: string): void {
  installProgram(rootfs, "peep", SOURCE);
}
