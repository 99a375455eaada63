import { expect, test } from "bun:test";
import {
  bind,
  netlinkAddress,
  socketpairSeqpacket,
  unixAddress,
  vsockAddress,
} from "../../../src/linux/socket.ts";
import { linesOf, testWithC } from "../../support/c-program.ts";

test("the address of a path ends with a NUL, that of an abstract name does not", () => {
  expect(unixAddress("/run/ä").toHex()).toBe("01002f72756e2fc3a400");
  expect(unixAddress("\0name").toHex()).toBe("0100006e616d65");
});

test("a vsock address has the port before the context id", () => {
  expect(vsockAddress(3, 1024).toHex()).toBe("28000000000400000300000000000000");
  expect(vsockAddress(0xffff_ffff, 0xffff_ffff).toHex()).toBe("28000000ffffffffffffffff00000000");
});

testWithC("a vsock address is laid out as the kernel's header says", () => {
  const bytes = vsockAddress(3, 1024);
  const print = `
    struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = 3, .svm_port = 1024 };
    for (int i = 0; i < (int)sizeof address; i++) printf("%02x", ((unsigned char *)&address)[i]);`;
  expect(linesOf(["sys/socket.h", "linux/vm_sockets.h"], print)).toEqual([bytes.toHex()]);
});

test("an address goes with its length", () => {
  expect(bind(3, unixAddress("\0name")).args[2]).toBe(7);
});

test("a pair of sockets keeps message boundaries and is closed on exec", () => {
  const pair = new Uint8Array(8);
  expect(socketpairSeqpacket(pair).args).toEqual([1, 5 | 0o2000000, 0, pair]);
});

testWithC("a netlink address is laid out as the kernel's header says", () => {
  const print = `
    struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_pid = 7, .nl_groups = 1 };
    for (int i = 0; i < (int)sizeof address; i++) printf("%02x", ((unsigned char *)&address)[i]);`;
  const bytes = netlinkAddress(7, 1);
  expect(linesOf(["sys/socket.h", "linux/netlink.h"], print)).toEqual([bytes.toHex()]);
});
