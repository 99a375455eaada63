import { describe, expect, test } from "bun:test";
import type { Driver, GroupDriver } from "../../../src/storage/driver.ts";
import { DRIVERS } from "../../../src/storage/index.ts";
import { storageOptions } from "../../../src/storage/options.ts";
import { MOST_OPTIONS, MOST_STORAGES, planStorages } from "../../../src/storage/plan.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import { checkedTarget } from "../../../src/storage/target.ts";

const NOTHING = { driverOptions: [], source: "s", fstype: "tmpfs", options: [], shared: false };

function storage(name: string, asked: Partial<Storage> = {}): Storage {
  return { ...NOTHING, driver: "fake", mountPoint: `/run/kata-containers/${name}`, ...asked };
}

const WATCHED = "/run/kata-containers/shared/containers/watchable";

const fake: Driver = { name: "fake", plan: () => async () => {} };
const FAKES = new Map([["fake", fake]]);

describe("a request's storages", () => {
  test("are planned in their order, a group where its first one is", () => {
    const group: GroupDriver = {
      name: "group",
      takes: ({ options }) => options.includes("layer"),
      plan: (members) => ({
        target: members.map(({ mountPoint }) => mountPoint).join("+"),
        lasts: false,
        attach: async () => {},
      }),
    };
    const layer = { options: ["layer"], driver: "other" };
    const asked = [
      storage("a/"),
      storage("b", layer),
      storage("c", { shared: true }),
      storage("d", layer),
    ];
    const planned = planStorages(asked, FAKES, [group]);
    expect(planned.map(({ target, lasts }) => [target, lasts])).toEqual([
      ["/run/kata-containers/a", false],
      ["/run/kata-containers/b+/run/kata-containers/d", false],
      ["/run/kata-containers/c", true],
    ]);
  });

  test.each([
    [storage("a", { driver: "9p" }), "Failed to find the storage handler 9p"],
    [storage("a", { options: ["a\nb"] }), 'a: the option "a\\nb" has control characters'],
    [storage("a\0b"), 'a\\u0000b" has control characters'],
    [storage("a", { driver: "x".repeat(4096) }), "driver has 4096 characters"],
    [storage("a", { source: "x".repeat(4096) }), "source has 4096 characters"],
    [storage("a", { mountPoint: "/".repeat(4096) }), "is too long"],
  ])("are refused: %#", (asked, words) => {
    expect(() => planStorages([asked], FAKES, [])).toThrow(words);
  });

  test("are refused at once where there are a thousand", () => {
    const asked = Array.from({ length: 1000 }, (_, index) => storage(`s${index}`));
    expect(() => planStorages(asked, FAKES, [])).toThrow(`1000 of them, at most ${MOST_STORAGES}`);
    expect(planStorages(asked.slice(0, MOST_STORAGES), FAKES, [])).toHaveLength(MOST_STORAGES);
  });

  test("are refused at once where all their options are too many", () => {
    const options = Array<string>(MOST_OPTIONS / 8).fill("ro");
    const asked = Array.from({ length: 9 }, (_, index) => storage(`s${index}`, { options }));
    expect(() => planStorages(asked, FAKES, [])).toThrow(`more than ${MOST_OPTIONS} options`);
    expect(planStorages(asked.slice(0, 8), FAKES, [])).toHaveLength(8);
  });

  test.each([
    ["virtio-fs", { source: "" }, "need mount source"],
    ["virtio-fs", { source: "x".repeat(37) }, "is no virtio-fs tag"],
    ["ephemeral", { fstype: "" }, "need mount fstype"],
    ["ephemeral", { source: "a\nb" }, "has control characters"],
    ["bind", { source: "etc" }, 'source "etc" is not an absolute path'],
    ["bind", { source: "/run/../etc" }, "is not an absolute path"],
    ["watchable-bind", { mountPoint: `${WATCHED}/a`, source: "/a\0" }, "has control characters"],
    ["overlayfs", { options: ["x".repeat(4096)] }, "Mount option exceeds 4K size"],
    [
      "overlayfs",
      { driverOptions: ["io.katacontainers.volume.overlayfs.create_directory=/etc/x"] },
      'create_directory "/etc/x" is not below /run/kata-containers',
    ],
    [
      "overlayfs",
      {
        driverOptions: Array<string>(65).fill(
          "io.katacontainers.volume.overlayfs.create_directory=/run/kata-containers/x",
        ),
      },
      "a: 65 directories",
    ],
    ["image_guest_pull", { source: "docker.io/busybox" }, "there is no confidential data hub"],
  ])("are refused by the driver %s: %o", (driver, asked, words) => {
    const refused = storage("a", { driver, ...asked });
    expect(() => planStorages([refused], DRIVERS, [])).toThrow(words);
  });
});

test.each([
  ["/run/kata-containers/shared/containers/", "/run/kata-containers/shared/containers"],
  ["/run//kata-containers/./x", "/run/kata-containers/x"],
  ["/run/user/1000/run/kata-containers/shared", "/run/user/1000/run/kata-containers/shared"],
])("the mount point %s is %s", (path, target) => {
  expect(checkedTarget("it", path)).toBe(target);
});

test.each([
  "/run/kata-containers",
  "/run/kata-containersx/y",
  "/run/user/0/run/kata-containers/x",
  "/run/user/01/run/kata-containers/x",
  "/run/kata-containers/x/..",
  `/run/kata-containers/${"x/".repeat(2100)}`,
  `/run/kata-containers/${"x/".repeat(127)}`,
  "/",
  "",
])("the mount point %p is refused", (path) => {
  expect(() => checkedTarget("it", path)).toThrow("it ");
});

test("options are sorted into flags and data, and those for the agent and for the host are left out", () => {
  const { flags, text } = storageOptions([
    "ro",
    "size=1m",
    "io.katacontainers.fs-opt.overlay-rw",
    "X-kata.overlay-upper",
    "X-containerd.mkdir.path=/x",
    "x-systemd.automount",
    "_netdev",
    "nofail",
    "nosuid",
    "acl",
  ]);
  expect([flags, text]).toEqual([3, "size=1m,acl"]);
});
