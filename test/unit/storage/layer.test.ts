import { describe, expect, test } from "bun:test";
import { groupLayers, isLayer, layerOf, partitionNode } from "../../../src/storage/layer.ts";

const GROUP = "X-kata.multi-layer=true";

const storage = (fstype: string, ...options: string[]) => ({
  driver: "blk",
  source: "02/00",
  fstype,
  options: [GROUP, ...options],
  mountPoint: "/run/kata-containers/c1/rootfs",
});

const upper = storage("ext4", "X-kata.overlay-upper", "noatime");
const lower = (...options: string[]) => storage("erofs", "X-kata.overlay-lower", ...options);
const partition = (number: number) => [
  "X-kata.gpt-partitioned=true",
  `X-kata.partition-number=${number}`,
];

describe("a layer", () => {
  test("is told by its option or its driver", () => {
    expect(isLayer(lower())).toBe(true);
    expect(isLayer({ ...lower(), options: [], driver: "erofs.multi-layer" })).toBe(true);
    expect(isLayer({ ...lower(), options: ["ro"] })).toBe(false);
  });

  test("may ask for directories in the layer to write to, and in the first one below", () => {
    const paths = ["{{ mount 0 }}/upper:0755:0:0", "/a/./b", "{{ mount 1 }}/c"];
    const options = paths.map((path) => `X-kata.mkdir.path=${path}`);
    expect(layerOf(storage("ext4", ...options)).directories).toEqual([
      { layer: "upper", names: ["upper"] },
      { layer: "upper", names: ["a", "b"] },
      { layer: "first lower", names: ["c"] },
    ]);
  });

  test.each(["", "{{ mount 2 }}/a", "{{ mount 0 }}/../a", "/a/../../b"])(
    "asks for no directory elsewhere: %j",
    (path) => {
      const asking = () => layerOf(lower(`X-kata.mkdir.path=${path}`));
      expect(asking).toThrow("is no path in a layer");
    },
  );

  test("asks for no directory that is too deep", () => {
    const asking = () => layerOf(lower(`X-kata.mkdir.path=${"/a".repeat(129)}`));
    expect(asking).toThrow("is too long");
  });

  test.each([
    ["unsupported driver type", { ...lower(), driver: "nvdimm" }],
    ["it must be ext4", storage("xfs", "X-kata.overlay-upper")],
    ["is neither an upper nor a lower one", storage("xfs")],
    ["partition number", lower("X-kata.gpt-partitioned=true")],
    ["partition number", lower(...partition(0))],
    ["partition number", lower(...partition(256))],
    ["dm-verity needs a partition", lower("X-kata.dmverity-enabled=true")],
  ])("is refused: %s", (message, given) => {
    expect(() => layerOf(given)).toThrow(message);
  });
});

describe("a group of layers", () => {
  test("is seen where its upper layer says", () => {
    const other = { ...upper, mountPoint: "/elsewhere" };
    expect(groupLayers([lower(), other]).target).toBe("/elsewhere");
  });

  test("has its lower layers in the order given, or of their partitions", () => {
    const given = [partition(3), partition(1), partition(2)].map((each) => lower(...each));
    const numbers = groupLayers(given).lowers.map((each) => each.partition);
    expect(numbers).toEqual([1, 2, 3]);
    const [a, b] = [
      { ...lower(), source: "a" },
      { ...lower(), source: "b" },
    ];
    expect(groupLayers([b, a]).lowers.map((each) => each.storage.source)).toEqual(["b", "a"]);
  });

  test("has one upper layer at most, and something below it", () => {
    expect(() => groupLayers([upper, upper, lower()])).toThrow("2 upper layers");
    expect(() => groupLayers([upper])).toThrow("no lower layer");
  });

  test("has not too many directories to make in it", () => {
    const many = lower(...Array<string>(33).fill("X-kata.mkdir.path=/a"));
    expect(() => groupLayers([upper, many, many])).toThrow("66 directories in layers");
    expect(groupLayers([upper, many, lower()]).lowers).toHaveLength(2);
  });
});

test("a partition's node has a p where the disk's name ends in a digit", () => {
  expect(partitionNode("/dev/vda", 2)).toBe("/dev/vda2");
  expect(partitionNode("/dev/nvme0n1", 2)).toBe("/dev/nvme0n1p2");
});
