import { describe, expect, test } from "bun:test";
import type { Process } from "../../../src/oci/process.ts";
import type { Mount, Spec } from "../../../src/oci/spec.ts";
import { unservedIn } from "../../../src/oci/unserved.ts";
import { validateSpec } from "../../../src/oci/validate.ts";
import { minimalSpec, withLinux, withProcess } from "../../support/oci-spec.ts";

const MAP = [{ containerID: 0, hostID: 1000, size: 1 }];
const defaultAction = "SCMP_ACT_ALLOW";

function withMount(change: Partial<Mount>): Spec {
  const mount = { destination: "/data", type: "bind", source: "/source", options: ["bind"] };
  return { ...minimalSpec, mounts: [{ ...mount, ...change }] };
}

describe("a spec is not served, by the name of what it asks for:", () => {
  test.each<[string, Spec]>([
    ["an option of the mount /data", withMount({ options: ["bind", "copy-symlink"] })],
  ])("%s", (name, spec) => {
    expect(unservedIn(validateSpec(spec))).toBe(name);
  });
});

describe("a spec is served", () => {
  test.each<[string, Spec]>([
    ["that asks for nothing special", minimalSpec],
    ["with hooks", { ...minimalSpec, hooks: { prestart: [{ path: "/bin/true" }] } }],
    ["with an AppArmor profile, which the guest has never applied", withProcess(profile())],
    ["with a filter of system calls", withLinux({ seccomp: { defaultAction } })],
    [
      "with somebody who answers for system calls",
      withLinux({ seccomp: { defaultAction, listenerPath: "/l" } }),
    ],
    ["with a tmpfs that is filled", withMount({ type: "tmpfs", options: ["tmpcopyup"] })],
    ["with an id-mapped mount", withMount({ uidMappings: MAP, gidMappings: MAP })],
    [
      "with a user and a time namespace",
      withLinux({
        namespaces: [{ type: "mount" }, { type: "user" }, { type: "time" }],
        uidMappings: MAP,
        gidMappings: MAP,
      }),
    ],
    ["with ordinary mounts", withMount({ options: ["rbind", "ro", "rprivate", "rnosuid"] })],
  ])("%s", (_, spec) => {
    expect(unservedIn(validateSpec(spec))).toBeUndefined();
  });
});

function profile(): Partial<Process> {
  return { apparmorProfile: "cri-containerd.apparmor.d" };
}
