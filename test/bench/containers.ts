// The same container twice: as a request to the agent, and as a bundle for runc and its like.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AgentService, type CreateContainerRequest } from "../../src/gen/agent_pb.ts";
import type { LinuxNamespace, Process, Spec } from "../../src/gen/oci_pb.ts";
import { TestContainer } from "../support/container.ts";
import { profileJson } from "../support/seccomp-profiles.ts";
import { containerRequest } from "../support/spec.ts";
import type { AgentClient } from "../support/agent-client.ts";
import type { Bench } from "./bench.ts";
import { profileMessage } from "./seccomp.ts";

const { method } = AgentService;

export function request(bench: Bench, args: readonly string[]): CreateContainerRequest {
  const id = `ours-${++bench.serial}`;
  const { rootfs, cgroup } = bench;
  const linux = { CgroupsPath: `/${cgroup}/${id}`, Seccomp: profileMessage() };
  return containerRequest({ id, rootfs, args, linux });
}

/** Create and start; the container must be removed. */
export async function startContainer(
  client: AgentClient,
  asked: CreateContainerRequest,
): Promise<TestContainer> {
  const { containerId } = asked;
  await client.call(method.createContainer, asked);
  await client.call(method.startContainer, { containerId });
  return new TestContainer(client, containerId, false);
}

/** Write config.json for what `request` asks for, and give the bundle's directory. */
export function writeBundle(bench: Bench, { containerId, OCI }: CreateContainerRequest): string {
  if (OCI === undefined) throw new Error("the request has no spec");
  const bundle = join(bench.directory, `bundle-${containerId}`);
  mkdirSync(bundle);
  writeFileSync(join(bundle, "config.json"), JSON.stringify(configOf(OCI)));
  return bundle;
}

function configOf({ Process, Root, Mounts, Linux }: Spec) {
  // A container of the agent has a pid namespace of its own without asking.
  const namespaces = ["pid", ...(Linux?.Namespaces ?? []).map(({ Type }: LinuxNamespace) => Type)];
  return {
    ociVersion: "1.0.2",
    process: Process && processOf(Process),
    root: { path: Root?.Path },
    mounts: Mounts.map((mount) => ({
      destination: mount.destination,
      type: mount.type,
      source: mount.source,
      options: mount.options,
    })),
    linux: {
      cgroupsPath: Linux?.CgroupsPath,
      namespaces: namespaces.map((type) => ({ type })),
      maskedPaths: Linux?.MaskedPaths,
      readonlyPaths: Linux?.ReadonlyPaths,
      seccomp: profileJson(),
    },
  };
}

function processOf({ Args, Env, Cwd, User, Capabilities, Rlimits, NoNewPrivileges }: Process) {
  return {
    args: Args,
    env: Env,
    cwd: Cwd,
    user: { uid: User?.UID ?? 0, gid: User?.GID ?? 0 },
    capabilities: {
      bounding: Capabilities?.Bounding,
      effective: Capabilities?.Effective,
      permitted: Capabilities?.Permitted,
    },
    rlimits: Rlimits.map(({ Type, Hard, Soft }) => ({
      type: Type,
      hard: Number(Hard),
      soft: Number(Soft),
    })),
    noNewPrivileges: NoNewPrivileges,
  };
}
