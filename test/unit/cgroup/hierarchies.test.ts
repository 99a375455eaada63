import { expect, test } from "bun:test";
import { hierarchiesOf, unifiedOf, viewOf } from "../../../src/cgroup/hierarchies.ts";
import { parseMountinfo } from "../../../src/linux/mountinfo.ts";

/** A guest that systemd started in hybrid mode. */
const SYSTEMD = `\
24 30 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
29 23 0:25 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755
30 29 0:26 / /sys/fs/cgroup/unified rw,nosuid,nodev,noexec shared:10 - cgroup2 cgroup2 rw
31 29 0:27 / /sys/fs/cgroup/systemd rw,nosuid,nodev,noexec shared:11 - cgroup cgroup rw,xattr,name=systemd
34 29 0:30 / /sys/fs/cgroup/net_cls,net_prio rw,nosuid shared:15 - cgroup cgroup rw,net_cls,net_prio
35 29 0:31 / /sys/fs/cgroup/memory rw,nosuid shared:16 - cgroup cgroup rw,memory
36 29 0:32 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:17 - cgroup cgroup rw,cpu,cpuacct
37 29 0:33 / /sys/fs/cgroup/blkio rw,nosuid shared:18 - cgroup cgroup rw,blkio
38 29 0:34 / /sys/fs/cgroup/freezer rw,nosuid shared:19 - cgroup cgroup rw,freezer
39 29 0:35 / /sys/fs/cgroup/misc rw,nosuid shared:20 - cgroup cgroup rw,misc
40 1 0:31 / /run/other/memory rw,nosuid shared:21 - cgroup cgroup rw,memory
41 29 0:31 /pod /sys/fs/cgroup/memory/pod rw,nosuid shared:21 - cgroup cgroup rw,memory
`;

/** An agent inside a container of its own. */
const PRIVATE = `\
40 39 0:31 /docker/abc /sys/fs/cgroup/memory ro,nosuid master:16 - cgroup cgroup rw,memory
`;

const hierarchies = hierarchiesOf(parseMountinfo(SYSTEMD));

test("the hierarchies are in the order in which they are entered, each once", () => {
  expect(hierarchies.map(({ mountPoint }) => mountPoint)).toEqual([
    "/sys/fs/cgroup/blkio",
    "/sys/fs/cgroup/memory",
    "/sys/fs/cgroup/cpu,cpuacct",
    "/sys/fs/cgroup/freezer",
    "/sys/fs/cgroup/net_cls,net_prio",
    "/sys/fs/cgroup/systemd",
  ]);
});

test("controllers that share a hierarchy are known with it", () => {
  expect(hierarchies.map(({ controllers }) => [...controllers])).toEqual([
    ["blkio"],
    ["memory"],
    ["cpuacct", "cpu"],
    ["freezer"],
    ["net_cls", "net_prio"],
    ["name=systemd"],
  ]);
});

test("a container sees its own directories under the names of the guest, with links to shared ones", () => {
  expect(viewOf(hierarchies, ["pod1", "c1"])).toEqual({
    version: 1,
    hierarchies: [
      { name: "blkio", links: [], directory: "/sys/fs/cgroup/blkio/pod1/c1" },
      { name: "memory", links: [], directory: "/sys/fs/cgroup/memory/pod1/c1" },
      {
        name: "cpu,cpuacct",
        links: ["cpuacct", "cpu"],
        directory: "/sys/fs/cgroup/cpu,cpuacct/pod1/c1",
      },
      { name: "freezer", links: [], directory: "/sys/fs/cgroup/freezer/pod1/c1" },
      {
        name: "net_cls,net_prio",
        links: ["net_cls", "net_prio"],
        directory: "/sys/fs/cgroup/net_cls,net_prio/pod1/c1",
      },
      { name: "systemd", links: [], directory: "/sys/fs/cgroup/systemd/pod1/c1" },
    ],
  });
});

test("an agent in a private cgroup takes what it sees as the root", () => {
  const [view] = [viewOf(hierarchiesOf(parseMountinfo(PRIVATE)), ["c1"])];
  expect(view).toEqual({
    version: 1,
    hierarchies: [{ name: "memory", links: [], directory: "/sys/fs/cgroup/memory/c1" }],
  });
});

test("a machine with cgroup v2 only has no hierarchy", () => {
  const text = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate,memory\n";
  expect(hierarchiesOf(parseMountinfo(text))).toEqual([]);
});

test("the unified hierarchy is one beside others, where there is one", () => {
  expect(unifiedOf(parseMountinfo(SYSTEMD))).toBe("/sys/fs/cgroup/unified");
  expect(unifiedOf(parseMountinfo(PRIVATE))).toBeUndefined();
  const alone = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
  expect(unifiedOf(parseMountinfo(alone))).toBeUndefined();
});
