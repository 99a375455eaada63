// Waiting for files of the kernel that tell of changes: cgroup.events of a v2 cgroup, as memory.events.
import { expect, test } from "bun:test";
import { peek } from "bun";
import { createV2 } from "../../src/cgroup/v2.ts";
import { Fd } from "../../src/kernel/fd.ts";
import { perform } from "../../src/kernel/perform.ts";
import { changed } from "../../src/kernel/poll.ts";
import { startReaper } from "../../src/kernel/reaper.ts";
import { AT_FDCWD } from "../../src/linux/constants.ts";
import { openat } from "../../src/linux/fs.ts";
import { pread } from "../../src/linux/io.ts";
import { O } from "../../src/linux/open-flags.ts";
import { cleanCgroups, enter, freshName, v2 } from "../support/cgroup.ts";

startReaper();
cleanCgroups();

const why = v2.skip ? " (skipped: needs root and cgroup v2)" : "";

test.skipIf(v2.skip)(`a file is waited for from one reading to its change${why}`, async () => {
  const name = freshName();
  const cgroup = createV2([name], v2.main);
  const path = `${v2.main}/${name}/cgroup.events`;
  using file = Fd.of(`open ${path}`, openat(AT_FDCWD, path, O.RDONLY));
  const populated = () => {
    const buffer = new Uint8Array(256);
    const length = perform("read", pread(file.number, buffer, 0));
    return new TextDecoder().decode(buffer.subarray(0, length)).includes("populated 1");
  };
  expect(populated()).toBe(false);
  const entered = changed(file.number);
  const child = await enter(cgroup);
  await entered;
  expect(populated()).toBe(true);
  const left = changed(file.number);
  expect(peek.status(left)).toBe("pending");
  child[Symbol.dispose]();
  await left;
  expect(populated()).toBe(false);
  const never = changed(file.number);
  file.close();
  await never;
  await child.exit;
  await cgroup.destroy();
});
