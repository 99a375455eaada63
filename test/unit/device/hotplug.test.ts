// Whoever waits for a device, on a machine whose devices are files.
import { expect, test } from "bun:test";
import { peek } from "bun";
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { blockAt } from "../../../src/device/block.ts";
import { Hotplug } from "../../../src/device/hotplug.ts";
import { OVERRUN } from "../../../src/kernel/uevent-socket.ts";
import { FakeDevices } from "../../support/fake-sysfs.ts";
import { seeded } from "../../support/random.ts";

const DISK = "/devices/pci0000:00/0000:00:02.0/virtio2/block/vda";
const NEVER = new AbortController().signal;

type Finding = { readonly path: Promise<string> };

/** A wait for the disk that has begun to listen. */
async function find({ hotplug }: FakeDevices, signal = NEVER): Promise<Finding> {
  const before = hotplug.waiters;
  const path = blockAt("blk", "02")(hotplug, signal);
  while (hotplug.waiters === before && peek.status(path) === "pending") await Bun.sleep(0);
  return { path };
}

test("a device that is there is found without a word from the kernel", async () => {
  using devices = new FakeDevices();
  devices.disk(DISK);
  expect(await (await find(devices)).path).toBe(join(devices.dev, "vda"));
});

test("a device that comes is found when the kernel tells of it", async () => {
  using devices = new FakeDevices();
  const { path } = await find(devices);
  devices.tellOfDisk(`${DISK}/vda1`);
  devices.tellOfDisk(DISK.replace("02.0", "03.0"));
  devices.tellOfDisk(DISK, "remove");
  devices.tellOfDisk(DISK, "change");
  devices.uevents.send(new TextEncoder().encode("nonsense"));
  await Bun.sleep(0);
  expect(peek.status(path)).toBe("pending");
  devices.tellOfDisk(DISK);
  expect(await path).toBe(join(devices.dev, "vda"));
});

test("a device whose node is not there yet is waited for until the kernel tells of it", async () => {
  using devices = new FakeDevices();
  devices.disk(DISK);
  unlinkSync(join(devices.dev, "vda"));
  const { path } = await find(devices);
  await Bun.sleep(5);
  expect(peek.status(path)).toBe("pending");
  devices.tellOfDisk(DISK);
  expect(await path).toBe(join(devices.dev, "vda"));
});

test("a device whose event was lost is found when the kernel tells of a loss", async () => {
  using devices = new FakeDevices();
  const { path } = await find(devices);
  await Bun.sleep(5);
  devices.disk(DISK);
  devices.uevents.send(OVERRUN);
  expect(await path).toBe(join(devices.dev, "vda"));
});

test("one message is for everybody who waits for the device", async () => {
  using devices = new FakeDevices();
  const findings = [await find(devices), await find(devices), await find(devices)];
  expect(devices.uevents.opened).toBe(1);
  devices.tellOfDisk(DISK);
  const paths = await Promise.all(findings.map(({ path }) => path));
  expect(new Set(paths).size).toBe(1);
});

test("a device that does not come in time is an error that says which", async () => {
  using devices = new FakeDevices(20);
  const { path } = await find(devices);
  await expect(path).rejects.toThrow(
    "Timeout after 0.02s waiting for uevent of the disk at /devices/pci0000:00/0000:00:02.0",
  );
  expect([devices.hotplug.waiters, devices.uevents.listeners]).toEqual([0, 0]);
});

test("what came instead is named in the error, some of it", async () => {
  using devices = new FakeDevices(20);
  const { path } = await find(devices);
  const others = [3, 4, 5, 6, 7, 8, 9].map((slot) => DISK.replace("02.0", `0${slot}.0`));
  for (const other of others) devices.tellOfDisk(other);
  await expect(path).rejects.toThrow(
    new RegExp(`^Timeout after .*02\\.0; meanwhile came ${others.slice(0, 5).join(", ")}$`),
  );
});

test("a wait ends with its call, and nobody listens any more", async () => {
  using devices = new FakeDevices();
  const call = new AbortController();
  const { path } = await find(devices, call.signal);
  expect([devices.hotplug.waiters, devices.uevents.listeners]).toEqual([1, 1]);
  call.abort(new Error("the caller went away"));
  await expect(path).rejects.toThrow("the caller went away");
  expect([devices.hotplug.waiters, devices.uevents.listeners]).toEqual([0, 0]);
  const again = blockAt("blk", "02")(devices.hotplug, call.signal);
  await expect(again).rejects.toThrow("the caller went away");
});

test("nobody listens once all is found, and again when somebody waits", async () => {
  using devices = new FakeDevices();
  for (let round = 1; round <= 3; round++) {
    const { path } = await find(devices);
    devices.tellOfDisk(DISK);
    await path;
    expect(devices.uevents).toMatchObject({ opened: round, listeners: 0 });
  }
});

test("a device is found whenever it comes: before, while and after it is looked for", async () => {
  const random = seeded(28);
  for (let round = 0; round < 100; round++) {
    using devices = new FakeDevices();
    const turns = Math.floor(random() * 6);
    const plug = async () => {
      for (let turn = 0; turn < turns; turn++) await Bun.sleep(0);
      devices.disk(DISK);
      devices.tellOfDisk(DISK);
    };
    const plugged = plug();
    expect(await blockAt("blk", "02")(devices.hotplug, NEVER)).toEndWith("/vda");
    await plugged;
  }
});

test("what cannot be listened to is an error of the wait", async () => {
  using devices = new FakeDevices();
  const open = () => ({
    async *messages(): AsyncGenerator<Uint8Array> {
      yield* [];
      throw new Error("read uevents: EBADF");
    },
    [Symbol.dispose]: () => {},
  });
  const { sys, dev } = devices;
  const hotplug = new Hotplug({ timeoutMs: 60_000, sys, dev, open });
  await expect(blockAt("blk", "02")(hotplug, NEVER)).rejects.toThrow("read uevents: EBADF");
});

test("what cannot be opened is an error of the wait, and nobody waits after it", async () => {
  using devices = new FakeDevices();
  const { sys, dev } = devices;
  const open = () => {
    throw new Error("open the uevent socket: EMFILE");
  };
  const hotplug = new Hotplug({ timeoutMs: 60_000, sys, dev, open });
  await expect(blockAt("blk", "02")(hotplug, NEVER)).rejects.toThrow("EMFILE");
  expect(hotplug.waiters).toBe(0);
});
