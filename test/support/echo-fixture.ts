/** A server of the Echo service with whatever peers a test wants, all gone when its scope ends. */

import { type Client, connect } from "../../src/ttrpc/client.ts";
import { serve, type Server } from "../../src/ttrpc/server.ts";
import { expect } from "bun:test";
import { bytes, ECHO, type EchoService, echoService, text } from "./echo-service.ts";
import { freshName, listenUnix } from "./listen.ts";
import { frame, RawPeer, request } from "./raw-peer.ts";

export class EchoFixture implements Disposable {
  readonly path = freshName();
  readonly service: EchoService = echoService();
  /** What the server reported as faults. */
  readonly faults: unknown[] = [];
  readonly server: Server = serve({
    fd: listenUnix(this.path),
    services: this.service.services,
    onError: (error) => this.faults.push(error),
  });

  raw(): Promise<RawPeer> {
    return RawPeer.connect(this.path);
  }

  client(): Promise<Client> {
    return connect({ family: "unix", path: this.path });
  }

  [Symbol.dispose](): void {
    this.server.close();
  }
}

/** Resolves once `condition` holds; a test that waits for what never comes ends with its time limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** The connection still serves: a call of its own gets the next answer. */
export async function expectAlive(peer: RawPeer): Promise<void> {
  await peer.send(frame(0x7fff0001, request("Echo", bytes("still here"))));
  expect(await peer.reply()).toEqual({ id: 0x7fff0001, code: 0, text: "still here" });
}

/** Have `count` calls run that take `ms`: they do once a call sent after them is answered. */
export async function startSleeps(
  client: Client,
  count: number,
  ms: number,
): Promise<Promise<string>[]> {
  const answers = Array.from({ length: count }, () =>
    client.call(ECHO, "Sleep", bytes(String(ms))),
  );
  await client.call(ECHO, "Echo", bytes("after"));
  return answers.map((answer) => answer.then(text));
}
