// Connections that come to a listener of the agent's own.
import { peek } from "bun";
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { dial } from "../../../src/kernel/dial.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { type ListenAddress, accept, listenOn } from "../../../src/kernel/listener.ts";
import { attempt, perform } from "../../../src/kernel/perform.ts";
import { NEVER } from "../../../src/async/never.ts";
import { readable } from "../../../src/kernel/poll.ts";
import { RLIMIT } from "../../../src/linux/constants.ts";
import { errnoNumber } from "../../../src/linux/errno.ts";
import { eventfd } from "../../../src/linux/io.ts";
import { call } from "../../../src/linux/call.ts";
import { setrlimit } from "../../../src/linux/process.ts";

/** `most` descriptors from now on; disposed, as many as before. */
function limitDescriptors(most: bigint): Disposable {
  const before = new BigUint64Array(2);
  const bytes = new Uint8Array(before.buffer);
  perform("see the limit", call("prlimit64", 0, RLIMIT.NOFILE, null, bytes));
  const [soft = 0n, hard = 0n] = before;
  const set = (limit: bigint) => perform("set it", setrlimit(RLIMIT.NOFILE, limit, hard));
  set(most);
  return { [Symbol.dispose]: () => void set(soft) };
}

test("a connection that comes while there is no descriptor left for it is accepted later", async () => {
  const directory = mkdtempSync("/tmp/listener-");
  const address: ListenAddress = { family: "unix", path: `${directory}/socket` };
  using listener = listenOn(address, "a socket");
  using _ = await dial(address, "a socket", NEVER);
  const accepted = accept(listener);
  {
    // The lowest number that is free, and none above.
    using next = Fd.of("see what is free", eventfd());
    using _limit = limitDescriptors(BigInt(next.number));
    next.close();
    expect(attempt(eventfd())).toBe(-errnoNumber("EMFILE"));
    // Who has waited longer is woken first.
    await readable(listener.number);
    expect(peek.status(accepted)).toBe("pending");
  }
  using connection = await accepted;
  expect(connection.isOpen).toBe(true);
  rmSync(directory, { recursive: true });
});
