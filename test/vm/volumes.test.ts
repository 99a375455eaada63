// Disks that QEMU plugs into a guest, as volumes of containers.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { FSGroupSchema, type StorageSchema } from "../../src/gen/agent_pb.ts";
import { type Wanted, createContainer, linesOf, startContainer } from "../support/container.ts";
import { refusalOf } from "../support/refusal.ts";
import { makeDirectDisk } from "../support/vm-direct-disk.ts";
import { type DiskFile, makeExt4Disk } from "../support/vm-disk.ts";
import { BRIDGE } from "../support/vm-hotplug.ts";
import { plugDisk, plugPmem, plugScsiDisk, plugVirtioDisk, waiting } from "../support/vm-plug.ts";
import { mountsOf } from "../support/vm-state.ts";
import { leavesGuestUnchanged } from "../support/vm-unchanged.ts";
import { describeWithVm } from "../support/with-vm.ts";

type Storage = Exclude<MessageInitShape<typeof StorageSchema>, { $typeName: string }>;

const PLACE = "/run/kata-containers/sandbox/storage";

const options = {
  hotplug: true,
  modules: ["virtio_blk", "virtio_scsi", "sd_mod", "nfit", "nd_pmem", "ext4"],
  words: ["agent.hotplug_timeout=3"],
};

/** A container in which each volume is at /volumes/<its name>. */
function withVolumes(volumes: Readonly<Record<string, Storage>>): Wanted {
  const list = Object.entries(volumes).map(([name, asked]) => {
    const mountPoint = `${PLACE}/${name}`;
    return { storage: { fstype: "ext4", mountPoint, ...asked }, name, mountPoint };
  });
  return {
    request: { storages: list.map(({ storage }) => storage) },
    mounts: list.map(({ name, mountPoint }) => ({
      destination: `/volumes/${name}`,
      type: "bind",
      source: mountPoint,
      options: ["rbind", "rw"],
    })),
  };
}

const onBridge = (slot: string): Storage => ({ driver: "blk", source: `${BRIDGE.path}/${slot}` });

describeWithVm("A guest whose containers have volumes", options, (vm) => {
  const accept = leavesGuestUnchanged(vm);
  let pmem: DiskFile | undefined;
  let direct: DiskFile | undefined;
  afterAll(() => [pmem, direct].forEach((file) => file?.[Symbol.dispose]()));
  beforeAll(() => vm().sh(`mkdir -p ${PLACE}`));

  const plugBlk = (slot: string, text: string) =>
    plugDisk(vm(), makeExt4Disk({ name: text }), "virtio-blk-pci", { bus: BRIDGE.bus, addr: slot });
  const plugScsi = (lun: number, text: string) =>
    plugScsiDisk(vm(), makeExt4Disk({ name: text }), lun);

  /** Where something of type ext4 is mounted. */
  const mounted = async () =>
    (await mountsOf(vm()))
      .filter((line) => line.startsWith("ext4 "))
      .map((line) => line.split(" "));

  describe("has a disk", () => {
    test("that two containers share, and that is unmounted after the second", async () => {
      await using _ = await plugBlk("01", "shared");
      const wanted = withVolumes({ data: onBridge("01") });
      {
        const write = "cat /volumes/data/name; echo more >/volumes/data/more; read line";
        await using one = await startContainer(vm(), ["sh", "-c", write], wanted);
        await one.readUntil("shared\n");
        expect(await mounted()).toHaveLength(1);
        expect(await linesOf(vm(), "cat /volumes/data/more", wanted)).toEqual(["more"]);
        expect(await mounted()).toHaveLength(1);
      }
      expect(await mounted()).toEqual([]);
    });

    test("that comes when it has been asked for, for the first of two containers", async () => {
      const wanted = withVolumes({ data: onBridge("02") });
      const both = ["a", "b"].map((name) =>
        linesOf(vm(), `echo ${name}; ls /volumes/data`, wanted),
      );
      await waiting(vm());
      await using _ = await plugBlk("02", "later");
      expect(await Promise.all(both)).toEqual([
        ["a", "lost+found", "name"],
        ["b", "lost+found", "name"],
      ]);
    });

    test("that comes when it has been asked for by its name, as runtime-rs asks for one of vhost-user", async () => {
      const wanted = withVolumes({ data: { driver: "blk", source: "/dev/vda" } });
      const lines = linesOf(vm(), "cat /volumes/data/name", wanted);
      await waiting(vm());
      await using _ = await plugBlk("02", "named");
      expect(await lines).toEqual(["named"]);
    });

    test("on the SCSI bus, that it can only read, and its group too", async () => {
      await using _ = await plugScsi(5, "scsi");
      const fsGroup = create(FSGroupSchema, { groupId: 1234 });
      const wanted = withVolumes({
        ro: { driver: "scsi", source: "0:5", options: ["ro"] },
      });
      const script = "cat /volumes/ro/name; { echo x >/volumes/ro/x; } 2>&1 | sed 's/.*: //'";
      expect(await linesOf(vm(), script, wanted)).toEqual(["scsi", "Read-only file system"]);
      const owned = withVolumes({ rw: { driver: "scsi", source: "0:5", fsGroup } });
      expect(await linesOf(vm(), "stat -c '%g %a' /volumes/rw /volumes/rw/name", owned)).toEqual([
        "1234 2775",
        "1234 664",
      ]);
    });

    test("among volumes and devices of other kinds, all of which go", async () => {
      await using _a = await plugBlk("03", "one");
      await using _b = await plugScsi(6, "two");
      await using _c = await plugVirtioDisk(vm(), "raw", "06");
      const wanted = withVolumes({
        one: onBridge("03"),
        two: { driver: "scsi", source: "0:6" },
        three: { driver: "ephemeral", source: "tmpfs", fstype: "tmpfs", options: ["size=1048576"] },
        four: { driver: "bind", source: "/rootfs/etc", fstype: "bind", options: ["ro"] },
        // The node of a disk, which is no file system.
        five: { ...onBridge("06"), fstype: "bind", options: ["bind"] },
      });
      const device = { id: `${BRIDGE.path}/06`, type: "blk", containerPath: "/dev/raw" };
      const both: Wanted = {
        ...wanted,
        request: { ...wanted.request, devices: [device] },
        linux: { Devices: [{ Path: "/dev/raw", Type: "b", Major: 8n, Minor: 0n }] },
      };
      const script = `cat /volumes/one/name /volumes/two/name; ls /volumes/four | grep passwd
        for node in /dev/raw /volumes/five; do head -c 3 $node; echo; done
        echo x >/volumes/three/x && cat /volumes/three/x`;
      expect(await linesOf(vm(), script, both)).toEqual([
        "one",
        "two",
        "passwd",
        "raw",
        "raw",
        "x",
      ]);
      // What has the pod's memory stays until the pod ends.
      await accept((before, { mounts }) => {
        expect(mounts.filter((line) => !before.mounts.includes(line))).toEqual([
          expect.stringContaining(`tmpfs ${PLACE}/three `),
        ]);
        return { ...before, mounts };
      });
    });
  });

  describe("leaves nothing", () => {
    test("of a disk that does not come", async () => {
      const wanted = withVolumes({ data: onBridge("1f") });
      expect((await refusalOf(createContainer(vm(), ["true"], wanted))).message).toMatch(
        /^Timeout after 3s waiting for uevent of the disk at .*:1f\.0$/,
      );
    });

    test("of the first, where the second has no file system that the guest knows", async () => {
      await using _a = await plugBlk("04", "good");
      await using _b = await plugScsi(7, "bad");
      const wanted = withVolumes({
        good: onBridge("04"),
        bad: { driver: "scsi", source: "0:7", fstype: "xfs" },
      });
      const refused = await refusalOf(createContainer(vm(), ["true"], wanted));
      expect(refused.message).toMatch(/^mount xfs \/dev\/sda on .*\/bad: ENODEV/);
    });

    test("of a disk that is there where the container cannot be made", async () => {
      await using _ = await plugBlk("05", "unused");
      const wanted = withVolumes({ data: onBridge("05") });
      const bad = { ...wanted, process: { Cwd: "/etc/passwd" } };
      const refused = await refusalOf(createContainer(vm(), ["true"], bad));
      expect(refused.message).toBe("open /etc/passwd: ENOTDIR: Not a directory");
    });
  });

  describe("keeps what cannot be pulled out of it again:", () => {
    test("memory that is a disk", async () => {
      const size = 128 << 20;
      pmem = makeExt4Disk({ name: "pmem" }, size);
      const asked = { driver: "nvdimm", source: "/dev/pmem0" };
      const wanted = withVolumes({ data: asked });
      const lines = linesOf(
        vm(),
        "cat /volumes/data/name; grep /volumes/data /proc/mounts",
        wanted,
      );
      await waiting(vm());
      await plugPmem(vm(), pmem, size);
      const [name, mount] = await lines;
      expect(name).toBe("pmem");
      expect(mount).toStartWith("/dev/pmem0 /volumes/data ext4 rw,");
      // It has not the table of pages that direct access takes.
      const asDirect = withVolumes({ data: { ...asked, options: ["dax"] } });
      const refused = await refusalOf(createContainer(vm(), ["true"], asDirect));
      expect(refused.message).toMatch(/^mount ext4 \/dev\/pmem0 on .*: EINVAL/);
    });

    test("memory that is read where it is, as Kata's runtime in Go asks for it", async () => {
      const size = 128 << 20;
      direct = makeDirectDisk({ name: "direct" }, size);
      await plugPmem(vm(), direct, size, "/dev/pmem1");
      const asked = { driver: "nvdimm", source: "/dev/pmem1", options: ["dax"] };
      const [name, mount] = await linesOf(
        vm(),
        "cat /volumes/data/name; grep /volumes/data /proc/mounts",
        withVolumes({ data: asked }),
      );
      expect(name).toBe("direct");
      expect(mount).toMatch(/^\/dev\/pmem1 \/volumes\/data ext4 .*\bdax=always\b/);
    });
  });
});
