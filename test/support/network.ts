// The network of an agent under test, made and looked at from outside by ip(8).
import { spawnSync } from "node:child_process";
import { AgentService } from "../../src/gen/agent_pb.ts";
import type { AgentClient } from "./agent-client.ts";
import type { TestAgent } from "./agent.ts";
import { describeWithAgent } from "./with-agent.ts";

const { method } = AgentService;

/** What `ip -j addr` says of an interface, as much as is looked at. */
export type ShownLink = {
  readonly ifname: string;
  readonly ifindex: number;
  readonly address: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly addr_info: readonly {
    readonly local: string;
    readonly prefixlen: number;
    readonly broadcast?: string;
    readonly scope: string;
  }[];
};

/** What `ip -j route` says of a route. */
export type ShownRoute = Readonly<Record<string, unknown>>;

export class AgentNetwork {
  readonly #pid: number;
  #serial = 0;

  /** That of a process. */
  constructor({ pid }: { readonly pid: number }) {
    this.#pid = pid;
  }

  /** Run a program in it. Throws with what it complains of. */
  run(...command: readonly string[]): string {
    const { status, stdout, stderr } = this.#spawn(command);
    if (status !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** `ip` with these words. */
  ip(words: string): string {
    return this.run("ip", ...words.split(" "));
  }

  /** Many commands of `ip` at once. */
  ipBatch(commands: readonly string[]): void {
    const { status, stderr } = this.#spawn(["ip", "-batch", "-"], commands.join("\n"));
    if (status !== 0) throw new Error(stderr);
  }

  /** The link of that name; undefined if there is none. */
  link(name: string): ShownLink | undefined {
    const links: readonly ShownLink[] = JSON.parse(this.ip("-j addr"));
    return links.find(({ ifname }) => ifname === name);
  }

  /** The addresses of a link, without those that the kernel gives every link. */
  addresses(name: string): readonly string[] {
    return (this.link(name)?.addr_info ?? [])
      .filter(({ local }) => !local.startsWith("fe80"))
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
  }

  routes(family: "-4" | "-6", what = "default"): readonly ShownRoute[] {
    return JSON.parse(this.ip(`-j ${family} route show ${what}`));
  }

  /**
   * All that a request could change, as lines to compare. The far ends, the kernel's own table and the
   * addresses that it gives every link are left out: what becomes of those when a link goes up takes its time.
   */
  everything(): readonly string[] {
    const shown = [
      this.ip("-o -d link"),
      this.ip("-o addr"),
      this.ip("-4 route show table all"),
      this.ip("-6 route show table all"),
      this.ip("neigh show nud permanent"),
      this.ip("neigh show proxy"),
    ];
    // Times and states that go by themselves.
    const passing =
      /\b(valid_lft|preferred_lft|expires|state) \w+|\b(tentative|linkdown)\b|NO-CARRIER,|,LOWER_UP|@far\w+/g;
    // What the kernel has in another order after a link was down is the same all the same.
    return shown.flatMap((text) =>
      text
        .replaceAll(passing, "")
        .replaceAll(/ +/g, " ")
        .split(/\s*\n/)
        .filter((line) => line !== "" && !/\bfar\w\w\b|\btable local\b|\bfe80:/.test(line))
        .toSorted(),
    );
  }

  /**
   * Two links that are each other's other end, gone when disposed: a packet that leaves by one comes in by
   * the other. The first has the hardware address `mac`.
   */
  pair() {
    this.#serial += 1;
    const serial = this.#serial.toString(16).padStart(2, "0");
    const name = `near${serial}`;
    const mac = `02:00:00:00:00:${serial}`;
    this.ip(`link add ${name} address ${mac} type veth peer name far${serial}`);
    this.ip(`link set far${serial} up`);
    const { ifindex: index = 0 } = this.link(name) ?? {};
    return {
      name,
      mac,
      index,
      far: `far${serial}`,
      [Symbol.dispose]: () => void this.ip(`link del far${serial}`),
    };
  }

  #spawn(command: readonly string[], input = "") {
    const inside = ["-t", String(this.#pid), "-n", "--", ...command];
    return spawnSync("nsenter", inside, { encoding: "utf8", input, maxBuffer: 64 << 20 });
  }
}

/** Tests that share one agent, and the network that is its own. */
export function describeWithNetwork(
  title: string,
  body: (agent: () => TestAgent, network: () => AgentNetwork) => void,
): void {
  describeWithAgent(title, (agent) => {
    let network: AgentNetwork | undefined;
    body(agent, () => (network ??= new AgentNetwork(agent())));
  });
}

/** UpdateInterface; what is not said is as a host leaves it. */
export function updateInterface(
  agent: { readonly client: AgentClient },
  asked: {
    readonly name: string;
    readonly hwAddr: string;
    readonly mtu?: bigint;
    readonly rawFlags?: number;
    readonly devicePath?: string;
    /** `10.0.0.1/24` */
    readonly addresses?: readonly string[];
  },
) {
  const { addresses = [], ...rest } = asked;
  const IPAddresses = addresses.map((each) => {
    const [address = "", mask = ""] = each.split("/");
    return { address, mask };
  });
  return agent.client.call(method.updateInterface, {
    interface: { device: asked.name, ...rest, IPAddresses },
  });
}

/** A link eth0 with addresses of both families, gone when disposed. */
export async function eth0(agent: TestAgent, network: AgentNetwork) {
  const pair = network.pair();
  const addresses = ["10.0.0.2/24", "fd00::2/64"];
  await updateInterface(agent, { name: "eth0", hwAddr: pair.mac, addresses });
  return pair;
}
