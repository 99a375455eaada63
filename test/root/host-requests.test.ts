// Containers as Kata's two runtimes ask for them: field by field what their sources put into the
// requests, in words that only one of them uses.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { create } from "@bufbuild/protobuf";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AgentService, FSGroupSchema, StorageSchema } from "../../src/gen/agent_pb.ts";
import { type Wanted, linesOf } from "../support/container.ts";
import { inGuest } from "../support/guest.ts";
import { type LoopDisk, loopDisk } from "../support/loop-disk.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;

const STATE = "/run/kata-containers";
const SHARE = `${STATE}/shared/containers/passthrough`;
const SHM = `${STATE}/sandbox/shm`;

describeWithAgent("a container of runtime-rs", (agent) => {
  let disk: LoopDisk;
  let empty: LoopDisk;
  beforeAll(async () => {
    disk = loopDisk("ext4");
    empty = loopDisk();
    const shm = ["noexec", "nosuid", "nodev", "mode=1777", "size=1048576"];
    const memory = { driver: "ephemeral", source: "shm", fstype: "tmpfs", mountPoint: SHM };
    await agent().client.call(method.createSandbox, {
      sandboxId: "pod",
      hostname: "pod",
      storages: [{ ...memory, options: shm }],
    });
  });
  afterAll(() => {
    for (const each of [disk, empty]) each[Symbol.dispose]();
  });

  /** resource/src/volume: rawblock_volume, block_emptydir_volume, local_volume, shm_volume. */
  const volumes = (): Wanted => {
    const direct = `${SHARE}/direct-0f1e-data`;
    const block = `${STATE}/sandbox/storage/L2Rldi92ZGI=`;
    const local = `${SHARE}/pod/rootfs/local/cache`;
    const ordinary = ["rbind", "rprivate", "rw"];
    const storages = [
      { driver: "mmioblk", source: disk.path, fstype: "ext4", mountPoint: direct },
      { driver: "mmioblk", source: empty.path, fstype: "ext4", mountPoint: block },
      { driver: "local", source: "local", fstype: "local", mountPoint: local },
    ].map((storage) => create(StorageSchema, storage));
    const [onDisk, onEmptyDisk, inGuests] = storages;
    onDisk?.options.push("discard", "noatime");
    onEmptyDisk?.driverOptions.push("create_filesystem");
    if (onEmptyDisk) onEmptyDisk.shared = true;
    if (onEmptyDisk) onEmptyDisk.fsGroup = create(FSGroupSchema, { groupId: 2000 });
    inGuests?.options.push("mode=0777", "fsgid=2000");
    const mount = (destination: string, type: string, source: string, ...more: string[]) => ({
      destination,
      type,
      source,
      options: [...ordinary, ...more],
    });
    return {
      request: { execId: "", storages },
      mounts: [
        // The disk's own options come along.
        mount("/data", "bind", direct, "discard", "noatime"),
        mount("/scratch", "bind", block),
        mount("/cache", "local", local),
        { destination: "/dev/shm", type: "bind", source: SHM, options: ["rbind"] },
      ],
    };
  };

  test("has its volumes, and its /dev/shm is the pod's", async () => {
    const script = `echo mine >/data/new && cat /data/new
      stat -c '%a %g' /scratch /cache
      touch /scratch/x /cache/x && stat -c %g /scratch/x /cache/x
      df -k /dev/shm | awk 'END { print $2 }'
      awk '$2 == "/data" { print $3, $4 }' /proc/mounts`;
    expect(await linesOf(agent(), script, volumes())).toEqual([
      "mine",
      "2775 2000",
      "2777 2000",
      "2000",
      "2000",
      "1024",
      expect.stringMatching(/^ext4 rw,noatime.*\bdiscard\b/),
    ]);
    // The block emptyDir and the directory are the pod's, and are found again.
    const again = "ls /data /scratch /cache | grep -v lost";
    expect(await linesOf(agent(), again, volumes())).toEqual(
      expect.arrayContaining(["/data:", "new", "/scratch:", "x", "/cache:", "x"]),
    );
  });

  test("is understood in the words that libs/protocols makes of its spec", async () => {
    const quoted = ['"CAP_CHOWN"', "SETUID", "CAP_KILL"];
    const words: Wanted = {
      process: {
        Capabilities: { Bounding: quoted, Effective: quoted, Permitted: quoted },
        OOMScoreAdj: 100n,
      },
      spec: {
        Hooks: {},
        Annotations: { "io.katacontainers.pkg.oci.container_type": "pod_container" },
      },
      linux: {
        CgroupsPath: `/${agent().cgroup}/words`,
        Namespaces: [{ Type: "ipc" }, { Type: "uts" }, { Type: "mnt" }, { Type: "cgroup" }],
        Resources: { CPU: { Shares: 512n, Mems: "" }, Memory: { Limit: 64n << 20n } },
        Seccomp: {
          DefaultAction: "SCMP_ACT_ALLOW",
          Architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
          Syscalls: [
            {
              Names: ["mkdirat", "mkdir"],
              Action: "SCMP_ACT_ERRNO",
              ErrnoRet: { case: "errnoret", value: 0 },
            },
          ],
        },
      },
    };
    const script = `awk '/^CapBnd/ { print $2 }' /proc/self/status
      cat /proc/self/oom_score_adj; mkdir /tmp/x 2>&1 | grep -o 'not permitted'`;
    expect(await linesOf(agent(), script, words)).toEqual([
      // CHOWN is 0, KILL is 5, SETUID is 7.
      "00000000000000a1",
      "100",
      "not permitted",
    ]);
  });
});

describeWithAgent("a container of the runtime in Go", (agent) => {
  // shareRootFilesystemWithErofs of fs_share_linux.go, for images without a disk to write to.
  test("has a root of layers whose upper one is in its own directory, and all of it goes", async () => {
    const id = "layered";
    const layers = ["above", "below"].map((name) => join(agent().directory, name));
    const [above = "", below = ""] = layers;
    Bun.spawnSync(["cp", "-a", agent().rootfs(), below]);
    mkdirSync(above);
    writeFileSync(join(above, "file"), "above\n");
    const own = (name: string) => `${STATE}/${id}/${name}`;
    const places = ["MDox", "MDoy"].map((name) => `${STATE}/virtual-volumes/${name}`);
    const storages = [
      ...layers.map((source, index) => ({
        driver: "bind",
        source,
        mountPoint: places[index] ?? "",
        options: ["ro"],
      })),
      {
        driver: "overlayfs",
        source: "overlay",
        fstype: "overlay",
        mountPoint: own("rootfs"),
        driverOptions: ["fs", "work"].map(
          (name) => `io.katacontainers.volume.overlayfs.create_directory=${own(name)}`,
        ),
        options: [
          `lowerdir=${places.join(":")}`,
          `upperdir=${own("fs")}`,
          `workdir=${own("work")}`,
        ],
      },
    ];
    const wanted = { id, rootfs: own("rootfs"), request: { storages } };
    const before = agent().held();
    for (let times = 0; times < 2; times++) {
      const script = "cat /file; ls / | grep -c written; mkdir /written; echo x >/written/x";
      expect(await linesOf(agent(), script, wanted)).toEqual(["above", "0"]);
    }
    expect(agent().held().mounts).toEqual(before.mounts);
    expect(inGuest(agent(), "ls", STATE)).not.toContain(id);
  });
});
