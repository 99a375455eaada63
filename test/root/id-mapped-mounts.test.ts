// Mounts that show other owners than their source: `idmap`, `ridmap`, and maps of a mount's own.
import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { describeWithEngine } from "../support/engine.ts";

const HOST = 100_000;
const MAP = [{ containerID: 0, hostID: HOST, size: 65_536 }];
const NAMESPACES = ["mount", "ipc", "uts", "user"].map((type) => ({ type }));
const IN_USER = { namespaces: NAMESPACES, uidMappings: MAP, gidMappings: MAP };

describeWithEngine("an id-mapped mount", (engine) => {
  let serial = 0;
  const mounted: string[] = [];
  afterAll(() => void spawnSync("umount", mounted.toReversed()));

  /** A tmpfs with a file of root's, and another tmpfs below it. */
  function volume(): string {
    const path = `${engine().directory}/volume-${++serial}`;
    mkdirSync(path);
    spawnSync("mount", ["-t", "tmpfs", "tmpfs", path]);
    mkdirSync(`${path}/below`);
    spawnSync("mount", ["-t", "tmpfs", "-o", "mode=777", "tmpfs", `${path}/below`]);
    mounted.push(path, `${path}/below`);
    for (const file of ["file", "below/file"]) writeFileSync(`${path}/${file}`, "");
    return path;
  }

  function root(): { path: string } {
    const path = engine().rootfs();
    spawnSync("chown", ["-R", `${HOST}:${HOST}`, path]);
    return { path };
  }

  const bind = (source: string, options: readonly string[], maps: object = {}) => ({
    destination: "/data",
    type: "bind",
    source,
    options,
    ...maps,
  });

  const SCRIPT = "stat -c %u:%g /data/file /data/below/file; touch /data/made";

  test("with idmap has the owners that it has without the container's user namespace", async () => {
    const source = volume();
    const mounts = [bind(source, ["rbind", "idmap"])];
    const lines = await engine().lines(SCRIPT, { root: root(), mounts, linux: IN_USER });
    expect(lines).toEqual(["0:0", "65534:65534"]);
    expect(statSync(`${source}/made`).uid).toBe(0);
  });

  test("with ridmap is so with all that is mounted below", async () => {
    const mounts = [bind(volume(), ["rbind", "ridmap"])];
    const lines = await engine().lines(SCRIPT, { root: root(), mounts, linux: IN_USER });
    expect(lines).toEqual(["0:0", "0:0"]);
  });

  test("has maps of its own, also where there is no user namespace", async () => {
    const source = volume();
    const maps = {
      uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
      gidMappings: [{ containerID: 0, hostID: 2000, size: 10 }],
    };
    const script = "stat -c %u:%g /data/file";
    for (const options of [["bind", "idmap"], ["bind"]]) {
      expect(await engine().lines(script, { mounts: [bind(source, options, maps)] })).toEqual([
        "1000:2000",
      ]);
    }
  });

  test("of a file system that takes no maps is refused, by the mount's name", async () => {
    const maps = { uidMappings: MAP, gidMappings: MAP };
    const mounts = [bind("/proc/sys/kernel", ["bind"], maps)];
    await expect(engine().lines("true", { mounts })).rejects.toThrow(
      "mounts: map the ids of /data: EINVAL",
    );
  });
});
