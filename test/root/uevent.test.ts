// What the kernel tells of devices, heard by the agent's own socket: real messages, lost ones, forged ones.
import { expect, test } from "bun:test";
import { Hotplug, type Wanted } from "../../src/device/hotplug.ts";
import { parseUevent } from "../../src/device/uevent.ts";
import { Fd } from "../../src/kernel/fd.ts";
import { writeText } from "../../src/kernel/file.ts";
import { perform } from "../../src/kernel/perform.ts";
import { OVERRUN, UeventSocket } from "../../src/kernel/uevent-socket.ts";
import { call } from "../../src/linux/call.ts";
import { NETLINK } from "../../src/linux/constants.ts";
import { netlinkAddress, netlinkSocket } from "../../src/linux/socket.ts";
import { seeded } from "../support/random.ts";

/** Every kernel has it, and is asked here to tell of it as if it had just come. */
const DEVPATH = "/devices/virtual/mem/null";
const NULL = {
  action: "add",
  devpath: DEVPATH,
  subsystem: "mem",
  devname: "null",
  interfaceName: "",
};

const tellOfNull = () => writeText(`/sys${DEVPATH}/uevent`, "add");

/** Such a device as only the kernel's word can tell of. */
const UNSEEN: Wanted = {
  name: "of /dev/null",
  place: { devpath: "/devices/nowhere" },
  matches: ({ devpath }) => devpath === DEVPATH,
};

/** As nobody but the kernel may send it. */
function forge(): void {
  using socket = Fd.of("open a netlink socket", netlinkSocket(NETLINK.KOBJECT_UEVENT));
  const words = ["add@/devices/forged", "ACTION=add", "DEVPATH=/devices/forged", ""];
  const message = new TextEncoder().encode(words.join("\0"));
  const to = netlinkAddress(0, 1);
  perform("connect to everybody", call("connect", socket.number, to, to.length));
  perform("send what the kernel sends", call("write", socket.number, message, message.length));
}

test("the kernel's messages are heard in their order, and nobody else's", async () => {
  using socket = UeventSocket.open();
  forge();
  tellOfNull();
  tellOfNull();
  let count = 0;
  for await (const message of socket.messages()) {
    expect(message).toBeInstanceOf(Uint8Array);
    const event = message === OVERRUN ? undefined : parseUevent(message);
    expect(event?.devpath).not.toBe("/devices/forged");
    if (event?.devpath !== DEVPATH) continue;
    expect(event).toEqual(NULL);
    if (++count === 2) break;
  }
});

test("closing the socket ends the messages", async () => {
  const socket = UeventSocket.open();
  const heard = Array.fromAsync(socket.messages());
  socket[Symbol.dispose]();
  expect(await heard).toBeArray();
});

test("lost messages are told of, and those after them are heard", async () => {
  using socket = UeventSocket.open(4096);
  for (let i = 0; i < 200; i++) tellOfNull();
  let isOverrun = false;
  for await (const message of socket.messages()) {
    if (message === OVERRUN) {
      isOverrun = true;
      tellOfNull();
    } else if (isOverrun && parseUevent(message)?.devpath === DEVPATH) break;
  }
  expect(isOverrun).toBe(true);
});

test("a thousand waits each end with the message that comes whenever it comes", async () => {
  const hotplug = new Hotplug({ timeoutMs: 30_000 });
  const random = seeded(1000);
  const { signal } = new AbortController();
  for (let round = 0; round < 1000; round++) {
    const found = hotplug.find(UNSEEN, signal);
    for (let turns = Math.floor(random() * 4); turns > 0; turns--) {
      await new Promise((resolve) => void setImmediate(resolve));
    }
    tellOfNull();
    expect(await found).toEqual(NULL);
  }
  expect(hotplug.waiters).toBe(0);
}, 30_000);

test("20,000 messages at once leave everything else its turn", async () => {
  const hotplug = new Hotplug({ timeoutMs: 30_000 });
  const waiting = new AbortController();
  const heard = { count: 0 };
  const matches = () => {
    heard.count++;
    return false;
  };
  const finding = hotplug.find({ ...UNSEEN, matches }, waiting.signal);
  for (let i = 0; i < 20_000; i++) tellOfNull();
  let most = 0;
  for (let before = 0; heard.count < 10_000; before = heard.count) {
    await new Promise((resolve) => void setImmediate(resolve));
    most = Math.max(most, heard.count - before);
  }
  // As many as the socket hands over at once, and some that have come to their turn by then.
  expect(most).toBeLessThanOrEqual(128);
  waiting.abort(new Error("over"));
  await expect(finding).rejects.toThrow("over");
}, 30_000);
