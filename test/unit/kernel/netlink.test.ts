// The rules of asking rtnetlink. The kernel's part is the test's own where the kernel cannot be made to
// play it.
import { describe, expect, test } from "bun:test";
import { Fd } from "../../../src/kernel/fd.ts";
import { Netlink } from "../../../src/kernel/netlink.ts";
import { attempt, perform } from "../../../src/kernel/perform.ts";
import { readable, writable } from "../../../src/kernel/poll.ts";
import { read, setStatusFlags, write } from "../../../src/linux/io.ts";
import { joined } from "../../../src/linux/joined.ts";
import {
  type NetlinkMessage,
  decodeMessages,
  encodeMessage,
  textIn,
  word,
} from "../../../src/linux/netlink.ts";
import { NLMSG, NLM_F, RTM } from "../../../src/linux/netlink-flags.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { decodeBody, encodeBody } from "../../../src/linux/rtnetlink.ts";

const LINKS = { type: RTM.GETLINK, body: encodeBody("ifinfomsg", {}) };

describe("The kernel", () => {
  test("lists its links, one of which every network has", async () => {
    using netlink = Netlink.open();
    const bodies = await netlink.list("list links", LINKS);
    const names = bodies.map((body) => textIn(decodeBody("ifinfomsg", body).attributes.get(3)));
    expect(names).toContain("lo");
  });

  test("answers many requests on one socket", async () => {
    using netlink = Netlink.open();
    const first = await netlink.list("list links", LINKS);
    for (let round = 0; round < 20; round++) {
      expect((await netlink.list("list links", LINKS)).length).toBe(first.length);
    }
  });

  test("refuses with an errno, and the error begins with what was wanted", async () => {
    using netlink = Netlink.open();
    const body = encodeBody("ifinfomsg", { ifi_index: 0x7fff_fff0 });
    const change = netlink.change("take x down", { type: RTM.SETLINK, body });
    expect(await failureOf(change)).toMatch(/^take x down: (.*: )?E(NODEV|PERM): /);
  });
});

async function send(to: Fd, bytes: Uint8Array): Promise<void> {
  while (to.isOpen && attempt(write(to.number, bytes)) < 0) await writable(to.number);
}

/** What it fails with. */
function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "nothing",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

/** A peer that is asked in the kernel's stead: `answer` gives what it sends back, a read at a time. */
function withPeer(answer: (request: NetlinkMessage, count: number) => readonly Uint8Array[]) {
  const [ours, theirs] = Fd.socketpair("a peer");
  for (const { number } of [ours, theirs])
    perform("wait for none", setStatusFlags(number, O.NONBLOCK));
  let count = 0;
  const serve = async () => {
    const buffer = new Uint8Array(4096);
    while (theirs.isOpen) {
      await readable(theirs.number);
      if (!theirs.isOpen) return;
      const length = perform("be asked", read(theirs.number, buffer));
      if (length === 0) return;
      for (const request of decodeMessages(buffer.subarray(0, length))) {
        for (const bytes of answer(request, ++count)) await send(theirs, bytes);
      }
    }
  };
  void serve();
  const netlink = new Netlink(ours);
  const stack = new DisposableStack();
  stack.use(netlink);
  stack.use(theirs);
  return { netlink, asked: () => count, [Symbol.dispose]: () => stack.dispose() };
}

const item = ({ sequence }: NetlinkMessage, byte: number, flags: number = NLM_F.MULTI) =>
  encodeMessage({ type: RTM.NEWLINK, flags, sequence, body: Uint8Array.of(byte) });
const end = ({ sequence }: NetlinkMessage, errno = 0) =>
  encodeMessage({ type: NLMSG.DONE, flags: NLM_F.MULTI, sequence, body: word(-errno) });

/** A message of 17 bytes is followed by what fills up to 20. */
const padded = (bytes: Uint8Array) => joined([bytes, new Uint8Array((4 - (bytes.length & 3)) & 3)]);

describe("A list", () => {
  test("is read to its end, over several reads", async () => {
    using peer = withPeer((request) => [
      joined([padded(item(request, 1)), padded(item(request, 2))]),
      item(request, 3),
      end(request),
    ]);
    const bodies = await peer.netlink.list("list", LINKS);
    expect(bodies.map(([byte]) => byte)).toEqual([1, 2, 3]);
  });

  test("is asked for again when it has changed meanwhile", async () => {
    using peer = withPeer((request, count) => [
      padded(item(request, count, count < 3 ? NLM_F.MULTI | NLM_F.DUMP_INTR : NLM_F.MULTI)),
      end(request),
    ]);
    expect((await peer.netlink.list("list", LINKS)).map(([byte]) => byte)).toEqual([3]);
    expect(peer.asked()).toBe(3);
  });

  test("is asked for again when the kernel was interrupted", async () => {
    using peer = withPeer((request, count) => [
      padded(item(request, count)),
      end(request, count === 1 ? 4 : 0),
    ]);
    expect((await peer.netlink.list("list", LINKS)).map(([byte]) => byte)).toEqual([2]);
  });

  test("that changes for ever is given up", async () => {
    using peer = withPeer((request) => [
      padded(item(request, 1, NLM_F.MULTI | NLM_F.DUMP_INTR)),
      end(request),
    ]);
    const listed = peer.netlink.list("list", LINKS);
    expect(await failureOf(listed)).toContain("list: it never stays the same");
    expect(peer.asked()).toBe(16);
  });

  test("leaves out what answers others", async () => {
    using peer = withPeer((request) => [
      padded(item({ ...request, sequence: request.sequence + 7 }, 9)),
      end({ ...request, sequence: request.sequence + 7 }),
      padded(item(request, 1)),
      end(request),
    ]);
    expect((await peer.netlink.list("list", LINKS)).map(([byte]) => byte)).toEqual([1]);
  });

  test("that the kernel refuses says why", async () => {
    using peer = withPeer((request) => [end(request, 95)]);
    const listed = peer.netlink.list("list", LINKS);
    expect(await failureOf(listed)).toContain("list: EOPNOTSUPP: Operation not supported");
  });

  test("without an end is given up before it fills the memory", async () => {
    using peer = withPeer((request) => {
      const many = joined(Array.from({ length: 2000 }, () => padded(item(request, 1))));
      return Array.from({ length: 40 }, () => many);
    });
    expect(await failureOf(peer.netlink.list("list", LINKS))).toContain("list: more than 65536");
  });
});
