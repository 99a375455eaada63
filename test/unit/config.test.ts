import { expect, test } from "bun:test";
import { serverAddress } from "../../src/config.ts";

test("the runtime is listened for on vsock port 1024, from any context", () => {
  expect(serverAddress({})).toEqual({
    name: "vsock://-1:1024",
    address: { family: "vsock", cid: 0xffffffff, port: 1024 },
  });
});

test("KATA_AGENT_SERVER_ADDR names another address", () => {
  const name = "unix:///run/agent.sock";
  expect(serverAddress({ KATA_AGENT_SERVER_ADDR: name, HOME: "/" })).toEqual({
    name,
    address: { family: "unix", path: "/run/agent.sock" },
  });
});

test.each(["", "1024", "tcp://127.0.0.1:1024", "vsock://-1:port"])(
  "the address %j is refused and quoted",
  (name) => {
    expect(() => serverAddress({ KATA_AGENT_SERVER_ADDR: name })).toThrow(
      `address ${JSON.stringify(name)}`,
    );
  },
);
