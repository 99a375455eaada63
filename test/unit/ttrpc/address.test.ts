import { expect, test } from "bun:test";
import { type Address, parseAddress } from "../../../src/ttrpc/address.ts";

const unix = (path: string): Address => ({ family: "unix", path });
const vsock = (cid: number, port: number): Address => ({ family: "vsock", cid, port });

test.each<[string, Address]>([
  ["unix:///run/agent.sock", unix("/run/agent.sock")],
  [`unix:///${"x".repeat(106)}`, unix(`/${"x".repeat(106)}`)],
])("A01 %s is a path", (text, address) => {
  expect(parseAddress(text)).toEqual(address);
});

test.each<[string, Address]>([
  ["unix://@agent", unix("\0agent")],
  ["unix://@/with/slashes", unix("\0/with/slashes")],
  [`unix://@${"x".repeat(107)}`, unix(`\0${"x".repeat(107)}`)],
])("A02 %s is an abstract name", (text, address) => {
  expect(parseAddress(text)).toEqual(address);
});

test.each(["vsock://-1:1024", "vsock://4294967295:1024"])("A03 %s means any context", (text) => {
  expect(parseAddress(text)).toEqual(vsock(0xffffffff, 1024));
});

test("A04 vsock://1:1024 is the guest itself", () => {
  expect(parseAddress("vsock://1:1024")).toEqual(vsock(1, 1024));
});

test.each([
  ["Vsock://1:1024", "want unix:// or vsock://"],
  ["abc://x", "want unix:// or vsock://"],
  ["", "want unix:// or vsock://"],
  ["/run/agent.sock", "want unix:// or vsock://"],
  ["vsock://8", "want vsock://cid:port"],
  ["vsock://1:2:3", "want vsock://cid:port"],
  ["vsock://x:y", 'context id "x"'],
  ["vsock://-2:1", 'context id "-2"'],
  ["vsock://4294967296:1", 'context id "4294967296"'],
  ["vsock://1:", 'port ""'],
  ["vsock://1:-1", 'port "-1"'],
  ["vsock://1:1e3", 'port "1e3"'],
  ["vsock://1:4294967295", 'port "4294967295"'],
  ["unix://", "want an absolute path or @name"],
  ["unix://relative", "want an absolute path or @name"],
  ["unix://@", "empty name"],
  ["unix:///", "empty name"],
  ["unix:///a\0b", "NUL in the name"],
  [`unix:///${"x".repeat(107)}`, "108 bytes, want at most 107"],
  [`unix://@${"é".repeat(54)}`, "109 bytes, want at most 108"],
])("A05 %j is refused with a reason", (text, reason) => {
  expect(() => parseAddress(text)).toThrow(`address ${JSON.stringify(text)}: ${reason}`);
});
