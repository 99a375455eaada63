// Storages as containers have them: from CreateContainer to RemoveContainer, and to the pod's end.
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeWithEngine } from "../support/engine.ts";
import { STATE, mountedAt, seen, storage } from "../support/storages.ts";

const SIGNAL = new AbortController().signal;
const VOLUME = `${STATE}/shared/containers/volume`;
const NAMED = (name: string) => ({ annotations: { "io.kubernetes.cri.container-name": name } });

describeWithEngine("a container with storages", (engine) => {
  const bind = (mountPoint = VOLUME) => {
    const source = join(engine().directory, "source");
    mkdirSync(source, { recursive: true });
    writeFileSync(join(source, "file"), "from the volume\n");
    return storage({ driver: "bind", source, mountPoint, options: ["ro"] });
  };
  const mounts = [{ destination: "/volume", type: "bind", source: VOLUME, options: ["rbind"] }];
  const remove = (id: string) => engine().sandbox.removeContainer(engine().sandbox.container(id));

  test("sees them, shares them with others, and takes them away when it is removed last", async () => {
    const before = seen();
    const one = await engine().create(["cat", "/volume/file"], { mounts }, { storages: [bind()] });
    const two = await engine().create(["true"], {}, { storages: [bind(`${VOLUME}/`)] });
    expect(mountedAt(VOLUME)).toBe(1);
    const { init } = engine().sandbox.container(one);
    await engine().sandbox.container(one).start();
    const text = await init.stdio.stdout.read(100, { signal: SIGNAL });
    expect(Buffer.from(text).toString()).toBe("from the volume\n");
    await remove(one);
    expect(mountedAt(VOLUME)).toBe(1);
    await remove(two);
    expect(seen().mounts).toEqual(before.mounts);
  });

  test("may have its root from one of them", async () => {
    const root = join(engine().directory, "rootfs-of-storage");
    Bun.spawnSync(["cp", "-a", engine().rootfs(), root]);
    const before = seen();
    const place = `${STATE}/shared/containers/root`;
    const upper = [`${STATE}/written/upper`, `${STATE}/written/work`];
    mkdirSync(`${STATE}/written`, { recursive: true });
    const storages = [
      storage({ driver: "bind", source: root, mountPoint: place }),
      storage({
        driver: "ephemeral",
        source: "tmpfs",
        fstype: "tmpfs",
        mountPoint: `${STATE}/written`,
        options: ["size=1m"],
      }),
      storage({
        driver: "overlayfs",
        source: "overlay",
        fstype: "overlay",
        mountPoint: `${STATE}/shared/containers/merged`,
        driverOptions: upper.map(
          (path) => `io.katacontainers.volume.overlayfs.create_directory=${path}`,
        ),
        options: [`lowerdir=${place}`, `upperdir=${upper[0]}`, `workdir=${upper[1]}`],
      }),
    ];
    const path = `${STATE}/shared/containers/merged`;
    const id = await engine().create(["touch", "/made"], { root: { path } }, { storages });
    const container = engine().sandbox.container(id);
    await container.start();
    expect(await container.init.child.exit).toBe(0);
    expect(readFileSync(`${upper[0]}/made`, "utf8")).toBe("");
    await remove(id);
    // Memory is the pod's.
    expect(seen().mounts.filter((each) => !before.mounts.includes(each))).toEqual([
      `${STATE}/written`,
    ]);
  });

  test("may have its root mounted where its own directory is to be", async () => {
    const before = seen();
    const id = "own-root";
    const rootfs = `${STATE}/${id}/rootfs`;
    const storages = [storage({ driver: "bind", source: engine().rootfs(), mountPoint: rootfs })];
    const config = {
      ociVersion: "1.2.0",
      root: { path: rootfs },
      process: { cwd: "/", args: ["sh", "-c", "echo inside"], env: ["PATH=/bin"] },
      linux: { cgroupsPath: `/${engine().cgroup}/${id}`, namespaces: [{ type: "mount" }] },
    };
    await engine().createFrom(id, config, { storages });
    expect((await engine().finish(id)).stdout).toBe("inside\n");
    expect(seen().mounts).toEqual(before.mounts);
    expect(seen().directories).not.toContain(`${STATE}/${id}`);
  });

  test("that cannot be made leaves none of them", async () => {
    const before = seen();
    const failing = { mounts: [{ destination: "/x", type: "bind", source: "/nowhere" }] };
    await expect(
      engine().create(["true"], failing, {
        storages: [bind(), { ...bind(`${STATE}/x`), shared: true }],
      }),
    ).rejects.toThrow("clone /nowhere: ENOENT");
    expect(seen()).toEqual(before);
  });

  test("has a mount that another container has made", async () => {
    const source = join(engine().rootfs());
    mkdirSync(join(source, "made"));
    const one = await engine().create(["sleep", "1000"], {
      ...NAMED("sidecar"),
      root: { path: source },
      mounts: [{ destination: "/made", type: "tmpfs", source: "tmpfs" }],
    });
    await engine().sandbox.container(one).start();
    await engine().exec(one, "echo shared > /made/file");
    const shared = { name: "m", srcCtr: "sidecar", srcPath: "/made/", dstPath: "/deep/inside" };
    const two = await engine().create(["sleep", "1000"], {}, { sharedMounts: [shared] });
    await engine().sandbox.container(two).start();
    expect(await engine().exec(two, "cat /deep/inside/file")).toEqual(["shared"]);
    await remove(one);
    expect(await engine().exec(two, "cat /deep/inside/file")).toEqual(["shared"]);
    await remove(two);
  });

  test("is made without a shared mount of a container that is not there", async () => {
    const shared = { name: "m", srcCtr: "nobody", srcPath: "/made", dstPath: "/inside" };
    const id = await engine().create(["true"], {}, { sharedMounts: [shared] });
    await remove(id);
  });
});

describeWithEngine("a pod with storages", (engine) => {
  const SHM = `${STATE}/sandbox/shm`;
  const POD = { id: "pod", hostname: "pod", hookDirectory: "", modules: [], signal: SIGNAL };
  const shm = (...options: string[]) =>
    storage({
      driver: "ephemeral",
      source: "shm",
      fstype: "tmpfs",
      mountPoint: SHM,
      options: ["noexec", "nosuid", "nodev", "mode=1777", ...options],
    });
  const sizeOf = (path: string) => {
    const { bsize, blocks } = statfsSync(path);
    return bsize * blocks;
  };

  test("has them once, however often it is created, until it ends", async () => {
    const before = seen();
    for (let i = 0; i < 2; i++)
      await engine().sandbox.create({ ...POD, storages: [shm("size=1048576")] });
    expect(mountedAt(SHM)).toBe(1);
    expect(sizeOf(SHM)).toBe(1_048_576);
    await engine().sandbox.destroy();
    expect(seen().mounts).toEqual(before.mounts);
  });

  test("changes the size of its memory, and no flag that nobody has named", async () => {
    await engine().sandbox.create({ ...POD, storages: [shm("size=1048576")] });
    const update = { ...shm(), options: ["remount", "size=2M", "fsgid=7"] };
    await engine().sandbox.storages.updateEphemeral([update], SIGNAL);
    expect(sizeOf(SHM)).toBe(2 << 20);
    const line = readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .find((it) => it.includes(SHM));
    expect(line).toContain(" rw,nosuid,nodev,noexec,");
    const refused = [
      [{ ...update, driver: "blk" }, "Unsupported storage type for syncing mounts blk"],
      [{ ...update, mountPoint: `${STATE}/none` }, "no tmpfs is mounted there"],
      [{ ...update, mountPoint: "/run" }, "is not below"],
      [{ ...update, options: ["remount", "size=huge"] }, "set size=huge of"],
    ] as const;
    for (const [storages, words] of refused)
      await expect(engine().sandbox.storages.updateEphemeral([storages], SIGNAL)).rejects.toThrow(
        words,
      );
    expect(sizeOf(SHM)).toBe(2 << 20);
    await engine().sandbox.destroy();
  });
});
