// The network of the guest, which all containers of the pod share. One change at a time: each looks at
// what there is before it changes it.
import { Mutex } from "../async/mutex.ts";
import { AgentError } from "../error.ts";
import { Netlink } from "../kernel/netlink.ts";
import { KernelError } from "../linux/error.ts";
import {
  type InterfaceMessage,
  describeInterfaces,
  readInterface,
  updateInterface,
} from "./interfaces.ts";
import { type NeighborMessage, addNeighbors, readNeighbors } from "./neighbors.ts";
import {
  type RouteAnswer,
  type RouteMessage,
  describeRoutes,
  readRoutes,
  updateRoutes,
} from "./routes.ts";

/** The name of the interface that is plugged in there, once it is. */
export type FindInterface = (devicePath: string, signal: AbortSignal) => Promise<string>;

export class GuestNetwork {
  readonly #turns = new Mutex();
  readonly #find: FindInterface;

  constructor(find: FindInterface) {
    this.#find = find;
  }

  /**
   * See `interfaces.ts`. A request that makes no sense is refused before anything is done; one whose
   * interface is still to come waits without holding up others.
   */
  async updateInterface(message: InterfaceMessage, signal: AbortSignal): Promise<void> {
    const wanted = readInterface(message);
    const { devicePath } = message;
    const plugged = async () => devicePath && (await this.#plugged(devicePath, signal));
    await plugged();
    await this.#turn("update interface", async (netlink) => {
      // Once more: the one before may have given it another name.
      await updateInterface(netlink, wanted, await plugged());
    });
  }

  /** The routes as they then are. */
  async updateRoutes(messages: readonly RouteMessage[]): Promise<readonly RouteAnswer[]> {
    const wanted = await readRoutes(messages);
    return await this.#turn("update routes", async (netlink) => {
      await updateRoutes(netlink, wanted);
      return await describeRoutes(netlink);
    });
  }

  async addNeighbors(messages: readonly NeighborMessage[]): Promise<void> {
    const neighbors = await readNeighbors(messages);
    await this.#turn("add ARP neighbours", (netlink) => addNeighbors(netlink, neighbors));
  }

  listInterfaces(): ReturnType<typeof describeInterfaces> {
    return this.#turn("list interfaces", describeInterfaces);
  }

  listRoutes(): Promise<readonly RouteAnswer[]> {
    return this.#turn("list routes", describeRoutes);
  }

  async #plugged(devicePath: string, signal: AbortSignal): Promise<string> {
    try {
      return await this.#find(devicePath, signal);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      const isNone = error.code === "INVALID_ARGUMENT";
      // Hosts try again as long as it is said that there is no link yet.
      const what = isNone
        ? "Invalid PCI path for network interface"
        : "Link not found: interface not available";
      throw new AgentError(error.code, what, { cause: error });
    }
  }

  #turn<Result>(what: string, work: (netlink: Netlink) => Promise<Result>): Promise<Result> {
    return this.#turns.run(async () => {
      try {
        using netlink = Netlink.open();
        return await work(netlink);
      } catch (error) {
        throw isExpected(error) ? new AgentError("INTERNAL", what, { cause: error }) : error;
      }
    });
  }
}

/** What is not is a defect, to be logged as one. */
function isExpected(error: unknown): boolean {
  return [KernelError, AgentError].some((type) => error instanceof type);
}
