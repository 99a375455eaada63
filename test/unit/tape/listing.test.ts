import { expect, test } from "bun:test";
import { AT_FDCWD } from "../../../src/linux/constants.ts";
import { chdir, openInRoot, openat } from "../../../src/linux/fs.ts";
import { close } from "../../../src/linux/io.ts";
import { attachMount, cloneMount } from "../../../src/linux/mount.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { TapeError } from "../../../src/tape/error.ts";
import { listing } from "../../../src/tape/listing.ts";
import { Mark, Tape, skip } from "../../../src/tape/tape.ts";

/** Every form that a tape has. */
function maskKcore(): Tape {
  const tape = new Tape();
  const absent = new Mark();
  const done = new Mark();
  const root = tape.fd("open the root", openat(AT_FDCWD, "/c1", O.PATH));
  const target = tape.fd("open /proc/kcore", openInRoot(root, "/proc/kcore", O.PATH), {
    ENOENT: absent,
  });
  tape.do("close it", close(target), { EBADF: skip, EIO: (inner) => inner.park("wait") }, done);
  tape.place(done);
  const tree = tape.fd("clone /dev/null", cloneMount(AT_FDCWD, "/dev/null", false));
  tape.do("cover /proc/kcore", attachMount(tree, target));
  tape.place(absent);
  tape.refill(tree, "open /", openat(AT_FDCWD, "/", O.RDONLY));
  return tape;
}

const OPEN_HOW = "{flags=O_CLOEXEC|O_PATH, mode=0, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}";

const LINES = [
  `0  r0 = openat(AT_FDCWD, "/c1", O_CLOEXEC|O_PATH, 0)  # open the root`,
  `1  r1 = openat2(r0, "/proc/kcore", ${OPEN_HOW}, 24) ? ENOENT→6  # open /proc/kcore`,
  `2  close(r1) →4 ? EBADF→4 EIO  # close it`,
  `3  park  # wait`,
  `4  r2 = open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC)  # clone /dev/null`,
  `5  move_mount(r2, "", r1, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # cover /proc/kcore`,
  `6  r2 = openat(AT_FDCWD, "/", O_RDONLY|O_CLOEXEC, 0)  # open /`,
];

test("a tape is listed with one op a line", () => {
  expect(listing(maskKcore()).split("\n")).toEqual(LINES);
});

test("an arrow marks one op", () => {
  const marked = LINES.map((line, index) => (index === 5 ? "→ " : "  ") + line);
  expect(listing(maskKcore(), 5).split("\n")).toEqual(marked);
});

test("op numbers are aligned", () => {
  const tape = new Tape();
  for (let i = 0; i < 11; i++) tape.do(`go ${i}`, chdir("/"));
  const lines = listing(tape).split("\n");
  expect([lines[0], lines[10]]).toEqual([` 0  chdir("/")  # go 0`, `10  chdir("/")  # go 10`]);
});

test("a tape of nothing is listed as nothing", () => {
  expect(listing(new Tape())).toBe("");
});

test("the error of a tape reads as the same failure in the agent would, and lists the tape", () => {
  const tape = maskKcore();
  const call = cloneMount(AT_FDCWD, "/dev/null", false);
  const error = new TapeError(tape, 4, call, 1);
  expect(error.message).toBe("clone /dev/null: EPERM: Operation not permitted");
  expect([error.name, error.label, error.errno, error.index]).toEqual([
    "TapeError",
    "clone /dev/null",
    1,
    4,
  ]);
  expect(error.is("EPERM")).toBe(true);
  expect(error.listing()).toBe(listing(tape, 4));
});
