// GetIPTables and SetIPTables by the programs of the machine, in a network of the agent's own.
import { expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { describeWithNetwork } from "../support/network.ts";
import { refusalOf } from "../support/refusal.ts";

const { method } = AgentService;

const NAT =
  "*nat\n-A PREROUTING -d 192.168.103.153/32 -j DNAT --to-destination 192.168.188.153\nCOMMIT\n";
const FILTER_V6 = "*filter\n-A INPUT -s 2001:db8:100::1/128 -i sit+ -j ACCEPT\nCOMMIT\n";

describeWithNetwork("the packet filters", (agent, network) => {
  const get = async (isIpv6: boolean) => {
    const { data } = await agent().client.call(method.getIPTables, { isIpv6 });
    return new TextDecoder().decode(data);
  };
  const set = async (isIpv6: boolean, text: string) => {
    const data = new TextEncoder().encode(text);
    await agent().client.call(method.setIPTables, { isIpv6, data });
  };

  test("are empty at first, and may be set to nothing", async () => {
    for (const isIpv6 of [false, true]) {
      expect(await get(isIpv6)).toBe("");
      await set(isIpv6, "");
      expect(await get(isIpv6)).toBe("");
    }
  });

  test("have the rules that are given, each family its own, and the same twice", async () => {
    await set(false, NAT);
    await set(true, FILTER_V6);
    const [v4, v6] = [await get(false), await get(true)];
    expect(v4).toContain("-A PREROUTING -d 192.168.103.153/32 -j DNAT");
    expect(v6).toContain("-A INPUT -s 2001:db8:100::1/128 -i sit+ -j ACCEPT");
    expect(v4).not.toContain("2001:db8");
    expect(network().run("iptables", "-t", "nat", "-S")).toContain("192.168.188.153");
    expect(network().run("ip6tables", "-S")).toContain("2001:db8:100::1/128");
    const rules = (text: string) => text.split("\n").filter((line) => !line.startsWith("#"));
    await set(false, v4);
    await set(true, v6);
    expect(rules(await get(false))).toEqual(rules(v4));
    expect(rules(await get(true))).toEqual(rules(v6));
  });

  test("take and give more than a pipe holds", async () => {
    const rules = Array.from(
      { length: 3000 },
      (_, index) => `-A INPUT -s 10.1.${index >> 8}.${index & 0xff}/32 -j ACCEPT`,
    );
    const text = ["*filter", ...rules, "COMMIT", ""].join("\n");
    expect(text.length).toBeGreaterThan(100_000);
    await set(false, text);
    const given = await get(false);
    expect(rules.filter((rule) => !given.includes(rule))).toEqual([]);
  });

  test("stay as they were when what is given makes no sense", async () => {
    await set(false, NAT);
    const before = network().run("iptables", "-t", "nat", "-S");
    const refusals = [
      await refusalOf(set(false, "this is no rule")),
      await refusalOf(set(false, NAT.replace("DNAT", "EXPLODE"))),
      await refusalOf(set(true, "\0\0\0")),
    ];
    expect(refusals.map(({ code }) => code)).toEqual(Array(3).fill(Code.INTERNAL));
    expect(refusals[0]?.message).toMatch(/^iptables-restore failed: ".*line 1 failed.*"$/);
    expect(refusals[2]?.message).toStartWith("ip6tables-restore failed: ");
    expect(network().run("iptables", "-t", "nat", "-S")).toBe(before);
  });

  test("leave nothing behind in the agent, whatever is set", async () => {
    await get(false);
    const before = agent().held();
    for (const text of [NAT, "garbage", ""]) await set(false, text).catch(() => {});
    await agent().untilHeld(before);
  });
});
