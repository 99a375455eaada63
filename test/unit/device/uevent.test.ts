import { describe, expect, test } from "bun:test";
import { parseUevent } from "../../../src/device/uevent.ts";
import { pick, randomText, seeded } from "../../support/random.ts";

const encode = (...words: readonly string[]) => new TextEncoder().encode(`${words.join("\0")}\0`);

const DISK = "/devices/pci0000:00/0000:00:02.0/0000:01:01.0/virtio2/block/vda";

describe("a message of the kernel", () => {
  test("tells of a disk", () => {
    const message = encode(
      `add@${DISK}`,
      "ACTION=add",
      `DEVPATH=${DISK}`,
      "SUBSYSTEM=block",
      "MAJOR=254",
      "MINOR=0",
      "DEVNAME=vda",
      "DEVTYPE=disk",
      "SEQNUM=1234",
    );
    expect(parseUevent(message)).toEqual({
      action: "add",
      devpath: DISK,
      subsystem: "block",
      devname: "vda",
      interfaceName: "",
    });
  });

  test("tells of an interface", () => {
    const path = "/devices/pci0000:00/0000:00:02.0/0000:01:02.0/virtio4/net/eth0";
    const message = encode(
      `add@${path}`,
      "ACTION=add",
      `DEVPATH=${path}`,
      "SUBSYSTEM=net",
      "INTERFACE=eth0",
      "IFINDEX=3",
    );
    expect(parseUevent(message)).toMatchObject({ subsystem: "net", interfaceName: "eth0" });
  });

  test("may have newlines in what it says, and equal signs", () => {
    const message = encode(
      "add@/devices/system/cpu/cpu1",
      "ACTION=add",
      "DEVPATH=/devices/system/cpu/cpu1",
      "SUBSYSTEM=cpu",
      "MODALIAS=cpu:type:x86,ven0000fam000Fmod006B:feature:,0000\n",
      "DEVNAME=a=b",
    );
    expect(parseUevent(message)).toMatchObject({ subsystem: "cpu", devname: "a=b" });
  });

  test("says last what counts", () => {
    const message = encode("add@/a", "ACTION=add", "DEVPATH=/a", "ACTION=remove", "DEVPATH=/b");
    expect(parseUevent(message)).toMatchObject({ action: "remove", devpath: "/b" });
  });

  test("is not made of its first word, which says the same", () => {
    expect(parseUevent(encode("ACTION=add", "DEVPATH=/a"))).toBeUndefined();
  });
});

describe("no message of the kernel", () => {
  test.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array()],
    ["what udev tells others", encode("libudev", "\xfe\xed", "ACTION=add")],
    ["one without an action", encode("add@/a", "DEVPATH=/a")],
    ["one without a path", encode("add@/a", "ACTION=add")],
    ["a path that is none", encode("add@a", "ACTION=add", "DEVPATH=a")],
    ["a path out of sysfs", encode("add@/", "ACTION=add", "DEVPATH=/../../etc")],
    ["a node out of /dev", encode("add@/a", "ACTION=add", "DEVPATH=/a", "DEVNAME=../etc/x")],
    ["no text", Uint8Array.of(0x61, 0, 0xff, 0xfe, 0)],
    ["a key of every object", encode("add@/a", "constructor=x", "__proto__=y", "toString=z")],
  ])("is %s", (_, message) => expect(parseUevent(message)).toBeUndefined());

  test("comes of random bytes: a path always begins at the root and does not climb", () => {
    const random = seeded(6);
    const keys = ["ACTION", "DEVPATH", "SUBSYSTEM", "DEVNAME", "INTERFACE", "", "SEQNUM"];
    let parsed = 0;
    for (let round = 0; round < 5000; round++) {
      const words = Array.from({ length: 6 }, () => {
        const value = pick(random, ["/", "/../", "add", randomText(random, 8)]);
        return pick(random, [`${pick(random, keys)}=${value}`, value]);
      });
      const message = encode(...words);
      if (random() < 0.1) message[Math.floor(random() * message.length)] = 0xff;
      const event = parseUevent(message);
      if (event === undefined) continue;
      parsed++;
      expect(event.devpath).toStartWith("/");
      expect(event.devpath.split("/")).not.toContain("..");
      expect(event.action).not.toBe("");
    }
    expect(parsed).toBeGreaterThan(50);
  });
});
