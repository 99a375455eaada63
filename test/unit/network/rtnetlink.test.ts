// What is said to rtnetlink, and what it says, byte by byte.
import { describe, expect, test } from "bun:test";
import { decodeAddress, encodeAddress } from "../../../src/network/address.ts";
import { type IpAddress, parseIp, parseNetwork } from "../../../src/network/ip-address.ts";
import { decodeLink, encodeLink, linkQuery } from "../../../src/network/link.ts";
import { encodeNeighbor } from "../../../src/network/neighbors.ts";
import { type Route, decodeRoute, encodeRoute } from "../../../src/network/route.ts";
import { goldenOf } from "../../support/golden-hex.ts";

const golden = goldenOf(`${import.meta.dir}/golden/rtnetlink.hex`);

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

function network(text: string) {
  const found = parseNetwork(text);
  if (found === undefined) throw new Error(`${text} is no network`);
  return found;
}

const mac = (hex: string) => Uint8Array.fromHex(hex);

describe("A link", () => {
  test("is read from what the kernel says", () => {
    expect(decodeLink(golden("link eth0 from the kernel"))).toEqual({
      index: 3,
      name: "eth0",
      mac: mac("020000000001"),
      mtu: 1400,
      isUp: true,
      isNoArp: false,
      isLoopback: false,
    });
    const lo = decodeLink(golden("link lo without resolution from the kernel"));
    expect(lo).toMatchObject({
      name: "lo",
      mtu: 65_536,
      isUp: false,
      isNoArp: true,
      isLoopback: true,
    });
  });

  test("is asked for, and changed, in the kernel's words", () => {
    expect(linkQuery().toHex()).toBe(golden("list of links").toHex());
    const before = decodeLink(golden("link eth0 from the kernel"));
    const wanted = { ...before, name: "net1", mac: mac("02aa00000005"), mtu: 1300 };
    expect(encodeLink(before, wanted).toHex()).toBe(golden("link changed").toHex());
  });
});

describe("An address", () => {
  test("is read from what the kernel says, and is ours where there is a peer's too", () => {
    const read = (name: string) => decodeAddress(golden(name));
    expect(read("address of IPv4 from the kernel")).toEqual({
      index: 3,
      ...network("10.0.0.2/24"),
    });
    expect(read("address of IPv4 with a peer from the kernel")).toEqual({
      index: 5,
      ...network("192.0.2.1/32"),
    });
    expect(read("address of IPv6 from the kernel")).toEqual({
      index: 3,
      ...network("fe80::ff:fe00:1/64"),
    });
  });

  test("of another family is passed over", () => {
    const body = golden("address of IPv4 from the kernel").slice();
    body[0] = 28;
    expect(decodeAddress(body)).toBeUndefined();
  });

  test.each([
    ["10.0.0.2/24", "address of IPv4 made"],
    ["10.0.0.2/32", "address of IPv4 for one host made"],
    ["fd00::2/64", "address of IPv6 made"],
  ])("%s is asked for in the kernel's words", (text, name) => {
    expect(encodeAddress(3, network(text)).toHex()).toBe(golden(name).toHex());
  });
});

const ROUTE: Route = {
  family: "v4",
  destination: undefined,
  gateway: undefined,
  index: 3,
  preferredSource: undefined,
  from: undefined,
  scope: 0,
  isOnLink: false,
  mtu: 0,
};

const FOR_SOME: Route = {
  ...ROUTE,
  family: "v6",
  destination: network("fd02::/64"),
  from: network("fd05::/48"),
  gateway: ip("fd00::1"),
  isOnLink: true,
};

describe("A route", () => {
  test.each<[string, Route[]]>([
    [
      "default route of IPv4 from the kernel",
      [{ ...ROUTE, gateway: ip("10.0.0.1"), preferredSource: ip("10.0.0.2"), mtu: 1300 }],
    ],
    [
      "route of two ways from the kernel",
      [
        { ...ROUTE, destination: network("10.90.0.0/16"), gateway: ip("10.0.0.3") },
        { ...ROUTE, destination: network("10.90.0.0/16"), gateway: ip("10.0.0.4"), isOnLink: true },
      ],
    ],
    ["route of IPv6 for some from the kernel", [FOR_SOME]],
    [
      "route by a gateway of the other family from the kernel",
      [{ ...ROUTE, destination: network("10.91.0.0/16"), gateway: ip("fd00::7") }],
    ],
    ["route of the kernel's own table", []],
    ["route of a table with a long number", []],
    ["route to nowhere", []],
  ])("is read: %s", (name, routes) => {
    expect(decodeRoute(golden(name))).toEqual(routes);
  });

  test.each<[string, Route]>([
    [
      "route of IPv4 made",
      {
        ...ROUTE,
        destination: network("10.90.0.0/16"),
        preferredSource: ip("10.0.0.2"),
        gateway: ip("10.0.0.1"),
        scope: 253,
        isOnLink: true,
        mtu: 1300,
      },
    ],
    [
      "default route of IPv6 made",
      { ...ROUTE, family: "v6", from: network("fd05::/48"), gateway: ip("fd00::1") },
    ],
  ])("is asked for in the kernel's words: %s", (name, route) => {
    expect(encodeRoute(route).toHex()).toBe(golden(name).toHex());
  });

  test("that was made is read as it was asked for", () => {
    for (const name of ["route of IPv4 made", "default route of IPv6 made"]) {
      const [route] = decodeRoute(golden(name));
      expect(encodeRoute(route ?? ROUTE).toHex()).toBe(golden(name).toHex());
    }
  });
});

describe("A neighbour", () => {
  test.each([
    ["neighbour of IPv4 made", "10.0.0.1", mac("02cc00000001"), 0],
    ["neighbour of IPv6 to answer for", "fd00::4", undefined, 8],
  ])("is asked for in the kernel's words: %s", (name, address, hardware, flags) => {
    const neighbor = { address: ip(address), device: "eth0", mac: hardware, state: 0x80, flags };
    expect(encodeNeighbor(3, neighbor).toHex()).toBe(golden(name).toHex());
  });
});
