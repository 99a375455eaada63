import { afterAll, describe, expect, test } from "bun:test";
import type { Placement } from "../../../src/container/init.ts";
import { AgentError } from "../../../src/error.ts";
import { Fd } from "../../../src/kernel/fd.ts";
import { AT_FDCWD } from "../../../src/linux/constants.ts";
import { openat } from "../../../src/linux/fs.ts";
import { O } from "../../../src/linux/open-flags.ts";
import { InvalidSpec } from "../../../src/oci/invalid-spec.ts";
import type { NamespaceType } from "../../../src/oci/namespace.ts";
import type { Namespace } from "../../../src/oci/spec.ts";
import { type Pod, placementOf } from "../../../src/sandbox/placement.ts";

const held = new DisposableStack();
afterAll(() => held.dispose());

/** Stands for a namespace. */
function descriptor(): Fd {
  return held.use(Fd.of("open /dev/null", openat(AT_FDCWD, "/dev/null", O.RDONLY)));
}

const [ipc, uts, pid] = [descriptor(), descriptor(), descriptor()];
const shared = { ipc, uts, remove: () => {} };

/** CreateSandbox has not run, and there is no container yet. */
const nothing: Pod = {
  namespaces: undefined,
  userNamespace: undefined,
  pidNamespace: undefined,
  hasContainers: false,
  cgroupVersion: 1,
};

const pod: Pod = { ...nothing, namespaces: shared, pidNamespace: pid, hasContainers: true };

const MOUNT: Namespace = { type: "mount" };
const WITH_PATHS: readonly Namespace[] = [
  MOUNT,
  { type: "ipc", path: "/proc/1/ns/ipc" },
  { type: "uts", path: "/proc/1/ns/uts" },
];

type Asked = {
  readonly namespaces: readonly Namespace[];
  readonly sandboxPidns?: boolean;
  readonly pod: Pod;
};

function place({ namespaces, sandboxPidns = false, pod: its }: Asked, opened = held): Placement {
  return placementOf({ namespaces }, sandboxPidns, its, opened);
}

function sorted({ created, joined }: Placement): [NamespaceType[], NamespaceType[]] {
  return [created.toSorted(), [...joined.keys()].toSorted()];
}

describe("the ipc and uts namespaces (rpc.md 11.5)", () => {
  test("are made where the pod has none, whatever paths the spec gives", () => {
    const placement = place({ namespaces: WITH_PATHS, pod: { ...pod, namespaces: undefined } });
    expect(sorted(placement)).toEqual([["ipc", "mount", "pid", "uts"], []]);
  });

  test("are the pod's where it has some, whatever paths the spec gives", () => {
    const placement = place({ namespaces: WITH_PATHS, pod });
    expect(sorted(placement)).toEqual([
      ["mount", "pid"],
      ["ipc", "uts"],
    ]);
    expect(placement.joined.get("ipc")).toBe(ipc);
    expect(placement.joined.get("uts")).toBe(uts);
  });

  test("are the guest's where the spec does not list them", () => {
    expect(sorted(place({ namespaces: [MOUNT], pod }))).toEqual([["mount", "pid"], []]);
  });
});

describe("the pid namespace", () => {
  test("is one of its own, though the pod has one, if the request does not ask for that", () => {
    expect(sorted(place({ namespaces: [MOUNT], pod }))).toEqual([["mount", "pid"], []]);
  });

  test("is the pod's if the request asks for it", () => {
    const placement = place({ namespaces: WITH_PATHS, sandboxPidns: true, pod });
    expect(placement.joined.get("pid")).toBe(pid);
    expect(placement.created).toEqual(["mount"]);
  });

  test("is made by the first container, which the others then follow", () => {
    const placement = place({ namespaces: [MOUNT], sandboxPidns: true, pod: nothing });
    expect(sorted(placement)).toEqual([["mount", "pid"], []]);
  });

  test("is refused where other containers have none to follow", () => {
    const alone = { ...pod, pidNamespace: undefined };
    const create = () => place({ namespaces: [MOUNT], sandboxPidns: true, pod: alone });
    expect(create).toThrow(AgentError);
    expect(create).toThrow("Sandbox does not have sandbox_pidns");
  });

  test.each<[string, Namespace]>([
    ["without a path", { type: "pid" }],
    ["with one", { type: "pid", path: "/proc/1/ns/pid" }],
  ])("does not depend on the spec's list, which has it %s", (_, listed) => {
    expect(sorted(place({ namespaces: [MOUNT, listed], pod }))).toEqual([["mount", "pid"], []]);
  });
});

describe("the cgroup namespace", () => {
  const version2: Pod = { ...nothing, cgroupVersion: 2 };

  test("is made on v2, whether the spec asks or not, and once", () => {
    const created: NamespaceType[] = ["mount", "cgroup", "pid"];
    expect(place({ namespaces: [MOUNT], pod: version2 }).created).toEqual(created);
    const asked = place({ namespaces: [MOUNT, { type: "cgroup" }], pod: version2 });
    expect(asked.created).toEqual(created);
  });

  test("is made on v1 if the spec asks", () => {
    expect(place({ namespaces: [MOUNT], pod: nothing }).created).toEqual(["mount", "pid"]);
    const asked = place({ namespaces: [MOUNT, { type: "cgroup" }], pod: nothing });
    expect(asked.created).toEqual(["mount", "cgroup", "pid"]);
  });

  test("is the one at a path, also on v2", () => {
    const listed: Namespace = { type: "cgroup", path: "/proc/self/ns/cgroup" };
    expect(sorted(place({ namespaces: [MOUNT, listed], pod: version2 }))).toEqual([
      ["mount", "pid"],
      ["cgroup"],
    ]);
  });
});

describe("a namespace at a path", () => {
  test("is opened, and belongs to the caller", () => {
    const opened = new DisposableStack();
    const listed: Namespace = { type: "network", path: "/proc/self/ns/net" };
    const { joined } = place({ namespaces: [MOUNT, listed], pod }, opened);
    expect(joined.get("network")?.isOpen).toBe(true);
    opened.dispose();
    expect(joined.get("network")?.isOpen).toBe(false);
  });

  test("that is not there is named", () => {
    const listed: Namespace = { type: "network", path: "/absent" };
    expect(() => place({ namespaces: [MOUNT, listed], pod })).toThrow(
      "open the network namespace /absent: ENOENT: No such file or directory",
    );
  });

  test("leaves nothing open for which the caller has no name, when a later one fails", () => {
    const opened = new DisposableStack();
    const namespaces: readonly Namespace[] = [
      MOUNT,
      { type: "cgroup", path: "/proc/self/ns/cgroup" },
      { type: "network", path: "/absent" },
    ];
    const before = openCount();
    expect(() => place({ namespaces, pod }, opened)).toThrow("ENOENT");
    opened.dispose();
    expect(openCount()).toBe(before);
  });
});

function openCount(): number {
  return [...new Bun.Glob("*").scanSync({ cwd: "/proc/self/fd", onlyFiles: false })].length;
}

describe("the mount namespace", () => {
  test("is needed: without it the container's mounts would be the guest's", () => {
    for (const namespaces of [[], [{ type: "ipc" }]] satisfies Namespace[][]) {
      const create = () => place({ namespaces, pod });
      expect(create).toThrow(InvalidSpec);
      expect(create).toThrow("a container needs a mount namespace");
    }
  });

  test("is always a new one", () => {
    const listed: Namespace = { type: "mount", path: "/proc/self/ns/mnt" };
    expect(() => place({ namespaces: [listed], pod })).toThrow(
      "a mount namespace cannot be joined",
    );
  });
});
