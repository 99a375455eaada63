// The system calls that a storage becomes, as text.
import { expect, test } from "bun:test";
import { type MountRequest, mountProgram } from "../../../src/storage/mount-program.ts";
import { listing } from "../../../src/tape/listing.ts";
import { Tape } from "../../../src/tape/tape.ts";

const TARGET = "/run/kata-containers/x";

function listingOf(request: Partial<MountRequest>): string[] {
  const tape = new Tape();
  const asked = { source: "kataShared", fstype: "virtiofs", target: TARGET, options: [] };
  mountProgram({ ...asked, ...request })(tape);
  return listing(tape)
    .split("\n")
    .map((line) => line.replace(/^\s*\d+\s+/, "").replace(/ +#.*/, ""));
}

test("a new file system is mounted where nobody sees it, and attached last", () => {
  expect(listingOf({ options: ["ro", "nosuid", "dax"] }).slice(-8)).toEqual([
    "close(r2)",
    `r4 = openat(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY|O_CLOEXEC, 0)`,
    "unshare(CLONE_NEWNS)",
    `mount(NULL, "/", NULL, MS_REC|MS_PRIVATE, NULL)`,
    `mount("kataShared", "/run", "virtiofs", MS_RDONLY|MS_NOSUID, "dax")`,
    `r5 = open_tree(AT_FDCWD, "/run", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC)`,
    "setns(r4, CLONE_NEWNS)",
    `move_mount(r5, "", r3, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)`,
  ]);
});

test("what is there already is cloned with its flags, and its propagation comes when it is attached", () => {
  const lines = listingOf({ fstype: "bind", source: "/a", options: ["rbind", "ro", "rslave"] });
  expect([...lines.slice(0, 2), ...lines.slice(-2)]).toEqual([
    `r0 = open_tree(AT_FDCWD, "/a", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE)`,
    `mount_setattr(r0, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY}, 32)`,
    `move_mount(r0, "", r4, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)`,
    `mount_setattr(r0, "", AT_EMPTY_PATH|AT_RECURSIVE, {propagation=MS_SLAVE}, 32)`,
  ]);
});

test("no link is followed on the way to the mount point", () => {
  const opened = listingOf({}).filter((line) => line.includes("openat2"));
  expect(opened.map((line) => /"([^"]*)".*RESOLVE_NO_SYMLINKS/.exec(line)?.[1])).toEqual([
    "run",
    "kata-containers",
    "x",
  ]);
});
