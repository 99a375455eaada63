import { describe, expect, test } from "bun:test";
import { type DeviceUpdate, withGuestDevices } from "../../../src/device/spec-devices.ts";
import { AgentError } from "../../../src/error.ts";
import type { DeviceCgroup } from "../../../src/oci/resources.ts";
import type { Device, Linux } from "../../../src/oci/spec.ts";

const rule = (type: "a" | "b" | "c", major?: number, minor?: number): DeviceCgroup => ({
  allow: true,
  type,
  major,
  minor,
  access: "r",
});
const allowed = (type: "b" | "c", major: number, minor: number): DeviceCgroup => ({
  allow: true,
  type,
  major,
  minor,
  access: "rwm",
});
const disk = (path: string, major: number, minor: number): Device => ({
  path,
  type: "b",
  major,
  minor,
});
const update = (containerPath: string, major: number, minor: number): DeviceUpdate => ({
  containerPath,
  node: { type: "b", major, minor },
});

describe("the devices of a spec", () => {
  test("have the guest's numbers, may be used, and keep who owns them", () => {
    const device = { ...disk("/dev/data", 8, 16), fileMode: 0o640, uid: 7, gid: 8 };
    const linux = withGuestDevices({ devices: [device] }, [update("/dev/data", 254, 0)]);
    expect(linux).toEqual({
      devices: [{ ...device, major: 254, minor: 0 }],
      resources: { devices: [allowed("b", 254, 0)] },
    });
  });

  test("have the path of the guest where the driver has one", () => {
    const device: Device = { path: "/dev/vfio/17", type: "c", major: 240, minor: 1 };
    const node = { type: "c", major: 241, minor: 0 } as const;
    const updates = [{ containerPath: "/dev/vfio/17", node, path: "/dev/vfio/8" }];
    expect(withGuestDevices({ devices: [device] }, updates).devices).toEqual([
      { path: "/dev/vfio/8", ...node },
    ]);
  });

  test("are of the kind that the guest has", () => {
    const device: Device = { path: "/dev/x", type: "c", major: 8, minor: 0 };
    const { devices } = withGuestDevices({ devices: [device] }, [update("/dev/x", 254, 0)]);
    expect(devices).toEqual([disk("/dev/x", 254, 0)]);
  });

  test("are told apart by all of their numbers, and rules follow them", () => {
    const linux: Linux = {
      devices: [disk("/dev/a", 8, 0), disk("/dev/b", 8, 16), disk("/dev/other", 1, 1)],
      resources: {
        pids: { limit: 5 },
        devices: [
          rule("b", 8, 0),
          rule("b", 8, 16),
          rule("c", 8, 0),
          rule("b", 8, undefined),
          rule("a"),
        ],
      },
    };
    // Each gets what was the other's number on the host.
    const updates = [update("/dev/a", 8, 16), update("/dev/b", 8, 0)];
    const { devices, resources } = withGuestDevices(linux, updates);
    expect(devices).toEqual([
      disk("/dev/a", 8, 16),
      disk("/dev/b", 8, 0),
      disk("/dev/other", 1, 1),
    ]);
    expect(resources).toEqual({
      pids: { limit: 5 },
      devices: [
        rule("b", 8, 16),
        rule("b", 8, 0),
        rule("c", 8, 0),
        rule("b", 8, undefined),
        rule("a"),
        allowed("b", 8, 16),
        allowed("b", 8, 0),
      ],
    });
  });

  test("are the same where nothing is plugged in", () => {
    const linux = { devices: [disk("/dev/a", 8, 0)] };
    expect(withGuestDevices(linux, [])).toBe(linux);
  });

  test.each<[string, readonly Device[], readonly DeviceUpdate[]]>([
    [
      'Conflicting device updates for "/dev/a"',
      [disk("/dev/a", 8, 0)],
      [update("/dev/a", 254, 0), update("/dev/a", 254, 1)],
    ],
    [
      "Conflicting resource updates for b 8:0",
      [disk("/dev/a", 8, 0), disk("/dev/b", 8, 0)],
      [update("/dev/a", 254, 0), update("/dev/b", 254, 1)],
    ],
    ['Missing devices in OCI spec: "/dev/c"', [disk("/dev/a", 8, 0)], [update("/dev/c", 254, 0)]],
  ])("%s", (message, devices, updates) => {
    const change = () => withGuestDevices({ devices }, updates);
    expect(change).toThrow(AgentError);
    expect(change).toThrow(message);
  });

  test("of one number may be a disk and a terminal", () => {
    const character: Device = { path: "/dev/c", type: "c", major: 8, minor: 0 };
    const node = { type: "c", major: 5, minor: 5 } as const;
    const updates = [update("/dev/a", 254, 0), { containerPath: "/dev/c", node }];
    const { devices } = withGuestDevices({ devices: [disk("/dev/a", 8, 0), character] }, updates);
    expect(devices).toEqual([disk("/dev/a", 254, 0), { path: "/dev/c", ...node }]);
  });
});
