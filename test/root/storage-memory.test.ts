// Storages in the guest's memory: ephemeral, shared memory, huge pages, and local directories.
import { describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { HugePages } from "../../src/storage/huge-pages.ts";
import {
  CALLER,
  STATE,
  describeWithStorages,
  holdsForDriver,
  mountedAt,
  storage,
} from "../support/storages.ts";

let serial = 0;
const place = (kind: string): string => `${STATE}/sandbox/${kind}/${++serial}`;

const ephemeral = (...options: string[]) =>
  storage({
    driver: "ephemeral",
    source: "tmpfs",
    fstype: "tmpfs",
    mountPoint: place("ephemeral"),
    options,
  });

function optionsAt(path: string): string {
  const lines = readFileSync("/proc/self/mounts", "utf8").split("\n");
  return lines.map((line) => line.split(" ")).findLast(([, at]) => at === path)?.[3] ?? "";
}

describeWithStorages("an ephemeral storage", (made) => {
  holdsForDriver(made, {
    good: () => ephemeral("size=1048576", "noexec"),
    look: ({ mountPoint }) => expect(mountedAt(mountPoint)).toBe(1),
    ends: false,
    fails: () => [ephemeral("size=huge"), /mount tmpfs tmpfs on .*: EINVAL/],
  });

  test("is mounted with all its options, as /dev/shm needs them", async () => {
    const options = ["noexec", "nosuid", "nodev", "mode=1777", "size=1048576"];
    const asked = ephemeral(...options);
    await made().add([asked]);
    const { bsize, blocks } = statfsSync(asked.mountPoint);
    expect(bsize * blocks).toBe(1_048_576);
    expect(statSync(asked.mountPoint).mode & 0o7777).toBe(0o1777);
    expect(optionsAt(asked.mountPoint)).toStartWith("rw,nosuid,nodev,noexec,");
  });

  test("with fsgid belongs to the group, as do new files in it", async () => {
    const [one, two] = [ephemeral("fsgid=1234"), ephemeral("fsgid=1234", "mode=0750")];
    await made().add([one, two]);
    const seen = [one, two].map(({ mountPoint }) => statSync(mountPoint));
    expect(seen.map(({ gid }) => gid)).toEqual([1234, 1234]);
    expect(seen.map(({ mode }) => mode & 0o7777)).toEqual([0o3777, 0o2750]);
  });

  test.each(["fsgid=-1", "fsgid=4294967295", "mode=9", "loop", "remount"])(
    "refuses %p",
    async (option) => {
      await expect(made().add([ephemeral("fsgid=1", option)])).rejects.toThrow(option);
    },
  );
});

describeWithStorages("huge pages", (made) => {
  const SIZE = 2 << 20;
  const FILE = `/sys/kernel/mm/hugepages/hugepages-${SIZE / 1024}kB/nr_hugepages`;
  const count = () => Number(readFileSync(FILE, "utf8"));
  const hugePages = (...options: string[]) =>
    storage({
      driver: "ephemeral",
      source: "nodev",
      fstype: "hugetlbfs",
      mountPoint: place("ephemeral"),
      options,
    });

  describe.skipIf(!existsSync(FILE))("of 2 MiB", () => {
    test("are added up over volumes, and given back", async () => {
      const before = count();
      await made().add([
        hugePages(`pagesize=${SIZE},size=${2 * SIZE}`),
        hugePages(`pagesize=${SIZE}`, `size=${3 * SIZE}`),
      ]);
      expect(count()).toBe(before + 5);
      await made().storages.end();
      expect(count()).toBe(before);
    });
  });

  test("are as many as before where there are not enough", async () => {
    // The kernel would try, and take what others on this machine need.
    const directory = mkdtempSync(join(tmpdir(), "kata-pages-"));
    mkdirSync(join(directory, "hugepages-2048kB"));
    symlinkSync("/dev/null", join(directory, "hugepages-2048kB/nr_hugepages"));
    await expect(new HugePages(directory).add(SIZE, 7, CALLER)).rejects.toThrow(
      "Only allocated 0 of 7 hugepages of size 2097152",
    );
    rmSync(directory, { recursive: true });
  });

  test("are as many as before when whoever asked goes, even if the kernel has made them", async () => {
    const directory = mkdtempSync(join(tmpdir(), "kata-pages-"));
    const file = join(directory, "hugepages-2048kB/nr_hugepages");
    mkdirSync(dirname(file));
    writeFileSync(file, "1");
    const caller = new AbortController();
    const adding = new HugePages(directory).add(SIZE, 7, caller.signal);
    // No turn of the event loop: the child has written, and nobody has noticed.
    for (let look = 0; look < 1_000_000 && readFileSync(file, "utf8") !== "8"; look++)
      await Promise.resolve();
    caller.abort(new Error("the caller has gone"));
    await expect(adding).rejects.toThrow("the caller has gone");
    expect(readFileSync(file, "utf8")).toBe("1");
    rmSync(directory, { recursive: true });
  });

  test.each([
    [["size=2097152"], "no pagesize/size options found"],
    [["pagesize=2M", "size=4M"], "is no number of bytes"],
    [["pagesize=0", "size=1"], "in pages of 0"],
    [["pagesize=3072,size=3072"], "the guest has no huge pages of 3072 bytes"],
    [["pagesize=2097152,size=1"], "in pages of 2097152"],
  ])("refuses %p", async (options, words) => {
    await expect(made().add([hugePages(...options)])).rejects.toThrow(words);
  });
});

describeWithStorages("a local storage", (made) => {
  const local = (...options: string[]) =>
    storage({ driver: "local", source: "local", mountPoint: place("local"), options });

  holdsForDriver(made, {
    good: () => local("mode=0777"),
    look: ({ mountPoint }) => expect(statSync(mountPoint).isDirectory()).toBe(true),
    ends: false,
  });

  test("has its mode whatever the umask, and its group", async () => {
    const before = process.umask(0o077);
    const [one, two] = [local("mode=0777"), local("mode=0770", "fsgid=99")];
    await made().add([one, two]);
    process.umask(before);
    const seen = [one, two].map(({ mountPoint }) => statSync(mountPoint));
    expect(seen.map(({ mode }) => mode & 0o7777)).toEqual([0o777, 0o2770]);
    expect(seen.map(({ gid }) => gid)).toEqual([0, 99]);
  });
});
