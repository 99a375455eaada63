// Devices that QEMU plugs into a guest, in containers: there before they are asked for, or after.
import { afterAll, describe, expect, test } from "bun:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { until } from "../../src/async/until.ts";
import { AgentService, type DeviceSchema } from "../../src/gen/agent_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { type Wanted, createContainer, linesOf, requestFor } from "../support/container.ts";
import { refusalOf } from "../support/refusal.ts";
import { type DiskFile, makeDisk } from "../support/vm-disk.ts";
import { BRIDGE, ROOT_PORTS } from "../support/vm-hotplug.ts";
import {
  isListening,
  plugPmem,
  plugScsiDisk,
  plugVirtioDisk,
  waiting,
} from "../support/vm-plug.ts";
import { leavesGuestUnchanged } from "../support/vm-unchanged.ts";
import { describeWithVm } from "../support/with-vm.ts";

type Device = Exclude<MessageInitShape<typeof DeviceSchema>, { $typeName: string }>;

const { method } = AgentService;

/** Some disk of the host's, which has nothing to do with the guest's numbers. */
const HOST = { Major: 8n, Minor: 16n } as const;

/** A container that has the devices of these paths. */
function withDisks(devices: readonly Device[], more: Wanted = {}): Wanted {
  const Devices = devices.map(({ containerPath = "" }, index) => ({
    Path: containerPath,
    Type: "b",
    Major: HOST.Major,
    Minor: HOST.Minor + BigInt(index),
    FileMode: 0o600,
  }));
  return { ...more, linux: { Devices }, request: { devices: [...devices] } };
}

const disk = (id: string, type = "blk", containerPath = "/dev/data"): Device => ({
  id,
  type,
  containerPath,
});

const LOOK = "head -c 5 /dev/data; echo; stat -c '%t:%T %a' /dev/data";

/** A second root complex, whose buses begin at 0x20. */
const EXPANDER = { bus: "rp-expander", path: "20/00/00" } as const;

const options = {
  hotplug: true,
  devices: [
    "-device",
    "pxb-pcie,id=expander,bus_nr=32,bus=pcie.0",
    "-device",
    `pcie-root-port,id=${EXPANDER.bus},bus=expander,chassis=32,slot=32,addr=0`,
  ],
  modules: ["virtio_blk", "virtio_scsi", "sd_mod", "nfit", "nd_pmem"],
  words: ["agent.hotplug_timeout=2"],
};

describeWithVm("A guest into which devices are plugged", options, (vm) => {
  leavesGuestUnchanged(vm);
  let pmem: DiskFile | undefined;
  afterAll(() => pmem?.[Symbol.dispose]());

  /** What `LOOK` shows of a disk with the marker: its node has the guest's number. */
  async function expectDisk(lines: Promise<string[]>, marker: string, name: string): Promise<void> {
    const found = await lines;
    const number = (await vm().sh(`cat /sys/class/block/${name}/dev`)).trim();
    const hex = number.split(":").map((each) => Number(each).toString(16));
    expect(found).toEqual([marker, `${hex.join(":")} 600`]);
  }

  describe("has a container with a disk", () => {
    test("that is there when it is asked for", async () => {
      await using _ = await plugVirtioDisk(vm(), "early", "01");
      const wanted = withDisks([disk(`${BRIDGE.path}/01`)]);
      await expectDisk(linesOf(vm(), LOOK, wanted), "early", "vda");
    });

    test("that comes when it has been asked for", async () => {
      const lines = linesOf(vm(), LOOK, withDisks([disk(`${BRIDGE.path}/02`)]));
      await waiting(vm());
      await using _ = await plugVirtioDisk(vm(), "later", "02");
      await expectDisk(lines, "later", "vda");
    });

    test.each([ROOT_PORTS[0], EXPANDER])("behind the root port %p", async ({ bus, path }) => {
      await using _ = await plugVirtioDisk(vm(), "ports", { bus });
      await expectDisk(linesOf(vm(), LOOK, withDisks([disk(path)])), "ports", "vda");
    });

    test("on the SCSI bus, there or just come", async () => {
      const wanted = withDisks([disk("0:3", "scsi")]);
      {
        await using _ = await plugScsiDisk(vm(), makeDisk("scsi1"), 3);
        await expectDisk(linesOf(vm(), LOOK, wanted), "scsi1", "sda");
      }
      const lines = linesOf(vm(), LOOK, wanted);
      await waiting(vm());
      await using _ = await plugScsiDisk(vm(), makeDisk("scsi2"), 3);
      await expectDisk(lines, "scsi2", "sda");
    });

    test("that is another one than was there before", async () => {
      for (const text of ["first", "other"]) {
        await using _ = await plugVirtioDisk(vm(), text, "03");
        const wanted = withDisks([disk(`${BRIDGE.path}/03`)]);
        await expectDisk(linesOf(vm(), LOOK, wanted), text, "vda");
      }
    });

    test("among several, each under its own path", async () => {
      await using _a = await plugVirtioDisk(vm(), "slot4", "04");
      await using _b = await plugVirtioDisk(vm(), "slot5", "05");
      await using _c = await plugScsiDisk(vm(), makeDisk("lun-7"), 7);
      const wanted = withDisks([
        disk(`${BRIDGE.path}/05`, "blk", "/dev/b"),
        disk("0:7", "scsi", "/dev/c"),
        disk(`${BRIDGE.path}/04`, "blk", "/dev/a"),
      ]);
      const script = "for name in a b c; do head -c 5 /dev/$name; echo; done";
      expect(await linesOf(vm(), script, wanted)).toEqual(["slot4", "slot5", "lun-7"]);
    });

    test("that no other container can use", async () => {
      await using _ = await plugVirtioDisk(vm(), "mine!", "06");
      const tmp = { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["dev"] };
      const mine = withDisks([disk(`${BRIDGE.path}/06`)], { mounts: [tmp] });
      const copy = "mknod /tmp/x b $((0x$(stat -c %t /dev/data))) $((0x$(stat -c %T /dev/data)))";
      expect(await linesOf(vm(), `${copy}; head -c 5 /tmp/x`, mine)).toEqual(["mine!"]);
      const number = (await vm().sh("cat /sys/class/block/vda/dev")).trim().replace(":", " ");
      const steal = `mknod /tmp/x b ${number}; head -c 5 /tmp/x 2>&1 || true`;
      expect(await linesOf(vm(), steal, { mounts: [tmp] })).toEqual([
        expect.stringContaining("Operation not permitted"),
      ]);
    });
  });

  describe("keeps what cannot be pulled out of it again:", () => {
    test("memory that is a disk", async () => {
      const size = 128 << 20;
      pmem = makeDisk("pmem!", size);
      const device = { vmPath: "/dev/pmem0", type: "nvdimm", containerPath: "/dev/data" };
      const lines = linesOf(vm(), LOOK, withDisks([device]));
      await waiting(vm());
      await plugPmem(vm(), pmem, size);
      await expectDisk(lines, "pmem!", "pmem0");
      await expectDisk(linesOf(vm(), LOOK, withDisks([device])), "pmem!", "pmem0");
    });
  });

  describe("refuses a container", () => {
    test("whose disk does not come, and answers others meanwhile", async () => {
      const absent = createContainer(vm(), ["true"], withDisks([disk(`${BRIDGE.path}/1f`)]));
      const refused = refusalOf(absent);
      await waiting(vm());
      expect(await linesOf(vm(), "echo meanwhile")).toEqual(["meanwhile"]);
      expect(await refused).toEqual({
        code: Code.INTERNAL,
        message: expect.stringMatching(
          /^Timeout after 2s waiting for uevent of the disk at .*:1f\.0$/,
        ),
      });
    });

    test("whose caller waits no longer", async () => {
      const request = requestFor(vm(), ["true"], withDisks([disk(`${BRIDGE.path}/1e`)]));
      const timeoutNano = 500_000_000n;
      const refused = refusalOf(vm().client.call(method.createContainer, request, { timeoutNano }));
      await waiting(vm());
      expect((await refused).code).toBe(Code.DEADLINE_EXCEEDED);
      expect(await until(async () => !(await isListening(vm())), 1000)).toBe(true);
    });

    test("whose spec does not have the disk", async () => {
      await using _ = await plugVirtioDisk(vm(), "nowhere", "07");
      const wanted = withDisks([disk(`${BRIDGE.path}/07`)]);
      const moved = { ...wanted, linux: { Devices: [] } };
      expect((await refusalOf(createContainer(vm(), ["true"], moved))).message).toBe(
        'Missing devices in OCI spec: "/dev/data"',
      );
    });
  });
});
