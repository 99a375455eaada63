// What is refused as text, without a kernel.
import { describe, expect, test } from "bun:test";
import { AgentError } from "../../../src/error.ts";
import { readInterface } from "../../../src/network/interfaces.ts";
import { readNeighbors } from "../../../src/network/neighbors.ts";
import { GuestNetwork } from "../../../src/network/network.ts";
import { readRoutes } from "../../../src/network/routes.ts";
import { randomText, seeded } from "../../support/random.ts";

const INTERFACE = {
  name: "eth0",
  hwAddr: "02:00:00:00:00:01",
  devicePath: "",
  mtu: 1500n,
  rawFlags: 0,
  IPAddresses: [{ family: 0, address: "10.0.0.1", mask: "24" }],
};

const ROUTE = {
  dest: "",
  gateway: "",
  device: "eth0",
  source: "",
  scope: 0,
  family: 0,
  flags: 0,
  mtu: 0,
};

describe("An interface", () => {
  test("may leave its MTU as it is, and has no resolution if a flag says so", () => {
    expect(readInterface({ ...INTERFACE, mtu: 0n, rawFlags: 0x1080 })).toMatchObject({
      mtu: 0,
      isNoArp: true,
    });
  });

  test("has addresses of the family that they are written in, whatever the request says", () => {
    const IPAddresses = [{ family: 0, address: "fd00::1", mask: "64" }];
    const [network] = readInterface({ ...INTERFACE, IPAddresses }).addresses;
    expect(network).toMatchObject({ prefix: 64, address: { family: "v6" } });
  });

  test.each(["eth0", "a-name-of-fifte", "ü".repeat(7)])("can be called %p", (name) => {
    expect(readInterface({ ...INTERFACE, name }).name).toBe(name);
  });

  test.each(["", ".", "..", "a/b", "a b", "a\n", "a:1", "eth%d", "a\0", "ü".repeat(8)])(
    "cannot be called %p",
    (name) => {
      expect(() => readInterface({ ...INTERFACE, name })).toThrow("interface: name");
    },
  );
});

describe("Routes", () => {
  test("without a gateway come first, and else in their order", async () => {
    const dests = ["10.1.0.0/16", "", "10.2.0.0/16", "10.3.0.0/16"];
    const gateways = ["10.0.0.1", "10.0.0.1", "", ""];
    const routes = dests.map((dest, index) => ({ ...ROUTE, dest, gateway: gateways[index] ?? "" }));
    expect(
      (await readRoutes(routes)).map(({ destination }) => destination?.address.bytes[1]),
    ).toEqual([2, 3, 1, undefined]);
  });

  test("to everywhere are written in three ways", async () => {
    const routes = [ROUTE, { ...ROUTE, dest: "0.0.0.0/0" }, { ...ROUTE, dest: "::/0", family: 1 }];
    expect((await readRoutes(routes)).map(({ destination }) => destination)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("are no more than 16384", async () => {
    const routes = Array.from({ length: 16_385 }, () => ROUTE);
    const refusal = await readRoutes(routes).catch(String);
    expect(refusal).toContain("routes: 16385 are more than 16384");
  });
});

test("an interface whose place makes no sense, or that does not come, is refused in the words of hosts", async () => {
  const find = (error: Error) =>
    new GuestNetwork(() => Promise.reject(error))
      .updateInterface({ ...INTERFACE, devicePath: "02/03" }, new AbortController().signal)
      .then(String, (refusal: unknown) => refusal);
  expect(await find(new AgentError("INVALID_ARGUMENT", "no slot"))).toMatchObject({
    code: "INVALID_ARGUMENT",
    message: "Invalid PCI path for network interface",
  });
  expect(await find(new AgentError("INTERNAL", "too late"))).toMatchObject({
    code: "INTERNAL",
    message: "Link not found: interface not available",
  });
  const gone = new DOMException("gone");
  expect(await find(gone)).toBe(gone);
});

test("any text is understood or refused", async () => {
  const random = seeded(37);
  const readers = [
    (text: string) => readInterface({ ...INTERFACE, hwAddr: text }),
    (text: string) => readInterface({ ...INTERFACE, name: text }),
    (text: string) =>
      readInterface({ ...INTERFACE, IPAddresses: [{ family: 0, address: text, mask: "8" }] }),
    (text: string) =>
      readInterface({ ...INTERFACE, IPAddresses: [{ family: 0, address: "::", mask: text }] }),
    (text: string) => readRoutes([{ ...ROUTE, dest: text }]),
    (text: string) => readRoutes([{ ...ROUTE, source: text, family: 1 }]),
    (text: string) =>
      readNeighbors([
        { toIPAddress: { address: text }, device: "eth0", lladdr: "", state: 4, flags: 0 },
      ]),
  ];
  for (let round = 0; round < 14_000; round++) {
    const text = randomText(random, 24);
    try {
      await readers[round % readers.length]?.(text);
    } catch (error) {
      expect(error).toBeInstanceOf(AgentError);
    }
  }
});
