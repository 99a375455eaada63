// A program that answers for system calls of containers: each gets EXDEV. It prints a line for each
// state that it is told with a descriptor.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Transcript } from "./transcript.ts";

const SOURCE = `
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
static void serve(int line) {
  char text[65536], control[64] __attribute__((aligned(8)));
  struct iovec part = {text, sizeof text - 1};
  struct msghdr message = {0, 0, &part, 1, control, sizeof control, 0};
  ssize_t length = recvmsg(line, &message, 0), more;
  struct cmsghdr *first = CMSG_FIRSTHDR(&message);
  int listener;
  if (length <= 0 || !first) return;
  memcpy(&listener, CMSG_DATA(first), sizeof listener);
  while ((more = read(line, text + length, sizeof text - 1 - length)) > 0) length += more;
  printf("%.*s\\n", (int)length, text);
  fflush(stdout);
  for (;;) {
    struct seccomp_notif asked;
    struct seccomp_notif_resp answer;
    memset(&asked, 0, sizeof asked);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked)) return;
    memset(&answer, 0, sizeof answer);
    answer.id = asked.id;
    answer.error = -EXDEV;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}
int main(int count, char **words) {
  struct sockaddr_un name = {AF_UNIX};
  int door = socket(AF_UNIX, SOCK_STREAM, 0);
  strncpy(name.sun_path, words[1], sizeof name.sun_path - 1);
  if (bind(door, (struct sockaddr *)&name, sizeof name) || listen(door, 8)) return 1;
  printf("ready\\n");
  fflush(stdout);
  for (;;) {
    int line = accept(door, 0, 0);
    if (line >= 0 && fork() == 0) {
      serve(line);
      return 0;
    }
    close(line);
  }
}
`;

/** What it lacks here; undefined if nothing. */
export const missing =
  Bun.which("cc") === null || !existsSync("/usr/include/linux/seccomp.h")
    ? "cc and the kernel's headers: Debian packages gcc, libc6-dev and linux-libc-dev"
    : undefined;

export class Notifier implements AsyncDisposable {
  /** Where it listens. */
  readonly path: string;
  readonly said: Transcript;
  readonly #process: Bun.Subprocess<"ignore", "pipe", "inherit">;

  /** In a directory that is there. */
  constructor(directory: string) {
    const program = join(directory, "notifier");
    const command = ["cc", "-O1", "-x", "c", "-o", program, "-"];
    const { exitCode, stderr } = Bun.spawnSync(command, { stdin: Buffer.from(SOURCE) });
    if (exitCode !== 0) throw new Error(stderr.toString());
    this.path = join(directory, "listener.sock");
    const words = ["setpriv", "--pdeathsig", "KILL", program, this.path];
    this.#process = Bun.spawn(words, { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
    this.said = Transcript.of("the notifier", this.#process.stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}
