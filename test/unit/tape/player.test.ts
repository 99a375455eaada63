import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { until } from "../../../src/async/until.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { perform } from "../../../src/kernel/perform.ts";
import { call } from "../../../src/linux/call.ts";
import { AT_FDCWD, SIG } from "../../../src/linux/constants.ts";
import { chdir, openat } from "../../../src/linux/fs.ts";
import { close, dup3, read, writeText } from "../../../src/linux/io.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { execve, pidfd_send_signal } from "../../../src/linux/process.ts";
import { TapeError } from "../../../src/tape/error.ts";
import type { Child } from "../../../src/tape/player.ts";
import { skip } from "../../../src/tape/tape.ts";
import {
  openPipe,
  play,
  readAll,
  readNow,
  reapInThisFile,
  run,
  shell,
} from "../../support/child.ts";
import { seeded } from "../../support/random.ts";

reapInThisFile();

const LONGEST_WAIT_MS = 5000;

/** What a promise is rejected with. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("nothing failed");
}

function textNow(from: Fd): string {
  return new TextDecoder().decode(readNow(from));
}

test("a tape that ends is a child that exits with 0", async () => {
  using child = play((tape) => tape.do("go", chdir("/")));
  await child.played();
  expect(await child.exit).toBe(0);
});

test("a tape of nothing ends", async () => {
  using child = play(() => {});
  await child.played();
  expect(await child.exit).toBe(0);
});

test("a program gets the arguments and the environment of the tape, and nothing else", async () => {
  const [from, to] = openPipe();
  using _ = from;
  const script = 'printf "<%s>" "$0" "$@"; tr "\\0" "|" < /proc/$$/environ';
  const argv = ["sh", "-c", script, "name", "", "a b", "ü"];
  using child = play((tape) => {
    tape.do("place stdout", dup3(to.number, 1));
    tape.do("execute", execve("/bin/sh", argv, ["PATH=/usr/bin:/bin", "X=ä"]));
  });
  to.close();
  expect(await readAll(from)).toBe("<name><><a b><ü>PATH=/usr/bin:/bin|X=ä|");
  expect(await child.exit).toBe(0);
});

test("a parked tape waits, goes on when it is resumed, and parks again", async () => {
  const [from, to] = openPipe();
  using _ = from;
  using child = play((tape) => {
    for (const word of ["one", "two"]) {
      tape.do(`say ${word}`, writeText(to.number, word));
      tape.park(`after ${word}`);
    }
    tape.do("say three", writeText(to.number, "three"));
  });
  to.close();
  await child.parked();
  expect(textNow(from)).toBe("one");
  child.resume();
  await child.parked();
  expect(textNow(from)).toBe("two");
  child.resume();
  await child.played();
  expect(await readAll(from)).toBe("three");
  expect(await child.exit).toBe(0);
});

test("fifty parked children go on when each is resumed, in whatever order", async () => {
  const random = seeded(1);
  const children = Array.from({ length: 50 }, (_, code) =>
    play((tape) => {
      tape.park("wait");
      tape.do("end", call("exit_group", code));
    }),
  );
  await Promise.all(children.map((child) => child.parked()));
  Bun.gc(true);
  const left = [...children];
  while (left.length > 0) left.splice(Math.floor(random() * left.length), 1)[0]?.resume();
  const exits = await Promise.all(children.map(({ exit }) => exit));
  expect(exits).toEqual(children.map((_, code) => code));
  for (const child of children) child[Symbol.dispose]();
});

test("a failed call names its label, its errno and its op", async () => {
  using child = play((tape) => {
    tape.do("go to /", chdir("/"));
    tape.do("go nowhere", chdir("/dev/null"));
  });
  const error = await failureOf(child.played());
  if (!(error instanceof TapeError)) throw error;
  expect(error.message).toBe("go nowhere: ENOTDIR: Not a directory");
  const { label, index, errno } = error;
  expect([label, index, errno]).toEqual(["go nowhere", 1, 20]);
  expect(error.call).toEqual(chdir("/dev/null"));
  expect(error.listing()).toContain(`→ 1  chdir("/dev/null")  # go nowhere`);
  expect(await child.exit).toBe(126);
});

test("a call that fails before the park is what parked throws", async () => {
  using child = play((tape) => {
    tape.do("execute it", execve("/no/such/program", [], []));
    tape.park("wait");
  });
  await expect(child.parked()).rejects.toThrow("execute it: ENOENT: No such file or directory");
  expect(await child.exit).toBe(127);
});

test("an errno that is named is no failure", async () => {
  using child = play((tape) => {
    tape.do("go nowhere", chdir("/no/such/directory"), { EPERM: skip, ENOENT: skip });
    tape.do("end", call("exit_group", 4));
  });
  await child.played();
  expect(await child.exit).toBe(4);
});

test("later calls use the descriptors that earlier calls made", async () => {
  const { output, status } = await run("cat <&7", (tape) => {
    const created = tape.fd("open it", openat(AT_FDCWD, "/no/such/file", O.RDONLY), {
      ENOENT: (inner, result) =>
        inner.refill(result, "open another", openat(AT_FDCWD, "/proc/self/comm", O.RDONLY)),
    });
    tape.do("place it", dup3(created, 7));
    tape.do("close it", close(created));
  });
  expect({ output, status }).toEqual({ output: "sh\n", status: 0 });
});

test("a register that no call has filled is no descriptor", async () => {
  using child = play((tape) => {
    const missing = tape.fd("open it", openat(AT_FDCWD, "/no/such/file", O.RDONLY), {
      ENOENT: skip,
    });
    tape.do("read it", read(missing, new Uint8Array(1)));
  });
  await expect(child.played()).rejects.toThrow("read it: EBADF: Bad file descriptor");
});

test("a tape that ends where it should park is an error", async () => {
  using child = play((tape) => tape.do("end", call("exit_group", 4)));
  await expect(child.parked()).rejects.toThrow("process ended with status 4 before it was ready");
});

test("a tape that parks where it should end is an error", async () => {
  using child = play((tape) => tape.park("wait"));
  await expect(child.played()).rejects.toThrow("the tape parks where it should end");
});

test("a child killed while it is parked is not parked any more", async () => {
  using child = play((tape) => {
    tape.park("wait");
    tape.park("wait again");
  });
  await child.parked();
  const again = failureOf(child.parked());
  child.signal(SIG.KILL);
  expect(String(await again)).toBe("Error: process ended with status 137 before it was ready");
  expect(await child.exit).toBe(137);
  expect(() => child.resume()).toThrow("resume the tape: EPIPE: Broken pipe");
});

test("a child killed between resume and its next step is reported as killed", async () => {
  using child = play((tape) => {
    tape.park("wait");
    tape.park("wait again");
  });
  await child.parked();
  await stop(child);
  child.resume();
  child.signal(SIG.KILL);
  await child.exit;
  await expect(child.parked()).rejects.toThrow("process ended with status 137");
});

async function stop(child: Child): Promise<void> {
  child.signal(SIG.STOP);
  const stat = () => readFileSync(`/proc/${child.pid}/stat`, "utf8");
  expect(await until(() => / T /.test(stat()), LONGEST_WAIT_MS)).toBe(true);
}

test("a parked tape ends when the agent lets go of it", async () => {
  const child = play((tape) => tape.park("wait"));
  await child.parked();
  child[Symbol.dispose]();
  expect(await child.exit).toBe(1);
  expect(existsSync(`/proc/${child.pid}`)).toBe(false);
});

test("a program that was executed goes on when the agent lets go of it", async () => {
  const [from, to] = Fd.pipe("open a pipe");
  const child = play((tape) => {
    tape.do("place stdin", dup3(from.number, 0));
    shell(tape, "read line; exit 6");
  });
  await child.played();
  child[Symbol.dispose]();
  perform("write", writeText(to.number, "go\n"));
  expect(await child.exit).toBe(6);
  for (const end of [from, to]) end.close();
});

test("a signal to a process that is gone counts as sent, another failure does not", async () => {
  using child = play((tape) => tape.park("wait"));
  await child.parked();
  expect(() => child.signal(65)).toThrow("signal 65: EINVAL: Invalid argument");
  child.signal(SIG.TERM);
  expect(await child.exit).toBe(128 + SIG.TERM);
  child.signal(SIG.TERM);
});

test("the pidfd is that of the child", async () => {
  using child = play((tape) => tape.park("wait"));
  await child.parked();
  const info = readFileSync(`/proc/self/fdinfo/${child.pidfd.number}`, "utf8");
  expect(info).toContain(`\nPid:\t${child.pid}\n`);
  perform("kill it", pidfd_send_signal(child.pidfd.number, SIG.KILL));
  expect(await child.exit).toBe(137);
});

test("what one call reads into a buffer another can write", async () => {
  const [from, to] = openPipe();
  const [source, sink] = openPipe();
  using _ = from;
  perform("write into the first pipe", writeText(sink.number, "carried over"));
  using child = play((tape) => {
    const buffer = new Uint8Array(64);
    const count = tape.fd("read", read(source.number, buffer));
    tape.do("write", call("write", to.number, buffer, count));
  });
  for (const fd of [to, source, sink]) fd.close();
  await child.played();
  expect(await readAll(from)).toBe("carried over");
});
