import { describe, expect, test } from "bun:test";
import { withGuestAddresses } from "../../../src/device/pci-environment.ts";

/** The guest has as its own an address that the host has as well. */
const ADDRESSES = new Map([
  ["0000:1a:01.0", "0000:01:01.0"],
  ["0000:1b:02.0", "0000:01:02.0"],
  ["0000:01:01.0", "ffff:02:1f.7"],
]);

const rewrite = (...env: readonly string[]) => withGuestAddresses(env, ADDRESSES);

describe("the environment of a container with PCI devices", () => {
  test("has the guest's addresses, in the host's order", () => {
    expect(
      rewrite("PCIDEVICE_x=0000:1a:01.0,0000:1b:02.0", "PCIDEVICE_y=0000:01:01.0", "A=b"),
    ).toEqual(["PCIDEVICE_x=0000:01:01.0,0000:01:02.0", "PCIDEVICE_y=ffff:02:1f.7", "A=b"]);
  });

  test.each([
    "NOTAPCIDEVICE_blah=abcd:ef:01.0",
    "PCIDEVICE_NVIDIA_COM_BF_SF=mlx5_core.sf.10",
    "PCIDEVICE_x=0000:1a:01.0,0000:99:01.0",
    "PCIDEVICE_x=",
    "PCIDEVICE_x",
    "=PCIDEVICE_x=0000:1a:01.0",
    "PCIDEVICE_x_INFO={}",
  ])("keeps %p", (entry) => expect(rewrite(entry)).toEqual([entry]));

  test("has them in what is told beside, each address once translated and never twice", () => {
    const info = 'PCIDEVICE_x_INFO={"0000:1a:01.0":{"id":"0000:1a:01.0"},"0000:01:01.0":{}}';
    expect(rewrite(info, "PCIDEVICE_x=0000:1a:01.0,0000:01:01.0")).toEqual([
      'PCIDEVICE_x_INFO={"0000:01:01.0":{"id":"0000:01:01.0"},"ffff:02:1f.7":{}}',
      "PCIDEVICE_x=0000:01:01.0,ffff:02:1f.7",
    ]);
  });

  test("keeps what is told of a variable that was not translated", () => {
    const env = ["PCIDEVICE_x=0000:99:01.0", "PCIDEVICE_x_INFO=0000:1a:01.0"];
    expect(rewrite(...env)).toEqual(env);
  });

  test("is the same without such devices", () => {
    const env = ["PCIDEVICE_x=0000:1a:01.0"];
    expect(withGuestAddresses(env, new Map())).toBe(env);
  });
});
