// Connections that come to a listener of the agent's own.
import { peek } from "bun";
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { dial } from "../../../src/kernel/dial.ts";
import { type ListenAddress, accept, listenOn } from "../../../src/kernel/listener.ts";
import { attempt } from "../../../src/kernel/perform.ts";
import { NEVER } from "../../../src/async/never.ts";
import { readable } from "../../../src/kernel/poll.ts";
import { errnoNumber } from "../../../src/linux/errno.ts";
import { eventfd } from "../../../src/linux/io.ts";
import { allowNoDescriptor } from "../../support/no-descriptor.ts";

test("a connection that comes while there is no descriptor left for it is accepted later", async () => {
  const directory = mkdtempSync("/tmp/listener-");
  const address: ListenAddress = { family: "unix", path: `${directory}/socket` };
  using listener = listenOn(address, "a socket");
  using _dialled = await dial(address, "a socket", NEVER);
  const accepted = accept(listener);
  {
    using _ = allowNoDescriptor();
    expect(attempt(eventfd())).toBe(-errnoNumber("EMFILE"));
    // Who has waited longer is woken first.
    await readable(listener.number);
    expect(peek.status(accepted)).toBe("pending");
  }
  using connection = await accepted;
  expect(connection.isOpen).toBe(true);
  rmSync(directory, { recursive: true });
});
