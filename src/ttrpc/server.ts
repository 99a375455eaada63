/** A ttRPC server on a listening socket. */

import { Connection, type Services } from "./connection.ts";

/**
 * Connections beyond this many are closed as they come. The runtime keeps one or two; a peer that opens
 * them without end must not take all descriptors, for then each waiting connection keeps the loop busy.
 */
export const MAX_CONNECTIONS = 512;

export type ServeOptions = {
  /** A listening socket of any stream family, not blocking; it is the server's from here on. */
  readonly fd: number;
  readonly services: Services;
  /** Hears of faults: what a handler threw that is no StatusError, errors of a socket. Must not throw. */
  readonly onError?: (error: unknown) => void;
};

export interface Server {
  /**
   * Stop accepting and reading; close each connection when its running calls are answered and the
   * answers have left. What is not done after `budgetMs` milliseconds is cut off.
   */
  stop(budgetMs: number): Promise<void>;
  /** Cut everything off now. */
  close(): void;
  readonly connections: number;
}

export function serve({ fd, services, onError = () => {} }: ServeOptions): Server {
  const connections = new Set<Connection>();
  const emptied = Promise.withResolvers<void>();
  let stopping = false;

  const listener = Bun.listen<Connection>({
    fd,
    socket: {
      binaryType: "uint8array",
      open(socket) {
        const connection = new Connection(socket, services, onError);
        socket.data = connection;
        connections.add(connection);
        if (connections.size > MAX_CONNECTIONS) connection.close();
      },
      data(socket, chunk: Uint8Array) {
        socket.data.receive(chunk);
      },
      drain(socket) {
        socket.data.drain();
      },
      close(socket) {
        socket.data.lost();
        connections.delete(socket.data);
        if (stopping && connections.size === 0) emptied.resolve();
      },
      error(socket, error) {
        onError(error);
        socket.data.close();
      },
    },
  });

  function close(): void {
    listener.stop();
    for (const connection of connections) connection.close();
  }

  async function stop(budgetMs: number): Promise<void> {
    listener.stop();
    stopping = true;
    if (connections.size === 0) return;
    for (const connection of connections) connection.stop();
    const timer = setTimeout(close, budgetMs);
    await emptied.promise;
    clearTimeout(timer);
  }

  return {
    stop,
    close,
    get connections() {
      return connections.size;
    },
  };
}
