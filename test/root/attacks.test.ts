// What has broken other runtimes, tried on the agent (users.md sections 5.2 and 5.3). More of it is in
// hostile.test.ts; docs/conformance.md has the whole list.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { idleContainer, linesOf, sh, startContainer } from "../support/container.ts";
import { guestMounts, inGuest } from "../support/guest.ts";
import { inParallel } from "../support/in-parallel.ts";
import { installPeeping } from "../support/peeping-program.ts";
import { missing as noCompiler } from "../support/syscall-probe.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const ROUNDS = Array.from({ length: 60 }, (_, index) => index);
const LONG_MS = 60_000;

describeWithAgent("a container", (agent) => {
  describe.skipIf(noCompiler !== undefined)("that looks at the processes joining it", () => {
    test(
      "gets hold of nothing of the agent (CVE-2016-9962, CVE-2019-5736)",
      async () => {
        const program = () => createHash("sha256").update(readFileSync(process.execPath)).digest();
        const before = program();
        const rootfs = agent().rootfs();
        installPeeping(rootfs);
        await using container = await startContainer(agent(), ["peep"], { rootfs });
        await container.readUntil("looking\n");
        const said = container.readToEnd().then(String);
        do await inParallel(4, ROUNDS, async () => [(await container.run(["true"])).status]);
        while (!existsSync(join(rootfs, "met")));
        await container.killAll();
        // It has met one between its birth and execve: else this test tests nothing.
        expect([...new Set((await said).trim().split("\n"))]).toEqual(["meets one"]);
        expect(program()).toEqual(before);
      },
      LONG_MS,
    );
  });

  test.skipIf(noCompiler !== undefined)(
    "that may trace the processes joining it finds them in its own tree, with their streams alone",
    async () => {
      const rootfs = agent().rootfs();
      installPeeping(rootfs);
      const caps = ["CAP_SYS_PTRACE"];
      const Capabilities = { Bounding: caps, Effective: caps, Permitted: caps };
      const process = { Capabilities };
      await using container = await startContainer(agent(), ["peep"], { rootfs, process });
      await container.readUntil("looking\n");
      const said = container.readToEnd().then(String);
      await inParallel(2, ROUNDS, async () => [(await container.run(["true"])).status]);
      await container.killAll();
      const lines = [...new Set((await said).trim().split("\n"))];
      // It does get hold of them: else this test tests nothing.
      expect(lines).toContain("reads memory");
      expect(lines).not.toContain("sees the guest");
      const opened = lines.filter((line) => line.startsWith("opens "));
      expect(opened.filter((line) => !/^opens \d+ (?:(?:pipe|socket):.*|\/)$/.test(line))).toEqual(
        [],
      );
    },
    LONG_MS,
  );

  test("has no inheritable capabilities that it does not ask for (CVE-2022-29162)", async () => {
    expect(await linesOf(agent(), "grep CapInh /proc/self/status")).toEqual([
      "CapInh:\t0000000000000000",
    ]);
    await using container = await idleContainer(agent());
    const { stdout } = await container.run(["grep", "CapInh", "/proc/self/status"]);
    expect(stdout).toBe("CapInh:\t0000000000000000\n");
  });

  test("has a volume read-only where the host says so, whatever the guest's is (CVE-2020-28914)", async () => {
    const source = join(agent().directory, "volume");
    mkdirSync(join(source, "inner"), { recursive: true });
    writeFileSync(join(source, "file"), "kept\n");
    const mounts = [{ destination: "/data", type: "bind", source, options: ["rbind", "ro"] }];
    const script =
      "touch /data/new /data/inner/new; echo x >/data/file; mount -o remount,bind,rw /data; ls /data";
    const { stdout } = await sh(agent(), script, { mounts });
    expect(stdout).toBe("file\ninner\n");
    expect(readFileSync(join(source, "file"), "utf8")).toBe("kept\n");
    expect(readdirSync(join(source, "inner"))).toEqual([]);
  });

  test("has annotations that are words to the agent, never orders (CVE-2020-27151)", async () => {
    const proof = join(agent().directory, "executed");
    const program = join(agent().directory, "program");
    writeFileSync(program, `#!/bin/sh\n: > ${proof}\n`, { mode: 0o755 });
    const Annotations = Object.fromEntries(
      [
        "io.katacontainers.config.hypervisor.path",
        "io.katacontainers.config.hypervisor.virtio_fs_daemon",
        "io.katacontainers.config.agent.kernel_modules",
        "io.katacontainers.config.runtime.guest_hook_path",
        "org.opencontainers.image.entrypoint",
      ].map((name) => [name, program]),
    );
    const request = { spec: { Annotations } };
    expect((await sh(agent(), "true", request)).status).toBe(0);
    expect(existsSync(proof)).toBe(false);
  });
});

describeWithAgent("a link that somebody puts in the place of a directory", (agent) => {
  let outside = "";

  beforeEach(() => {
    outside = join(agent().directory, "outside");
    mkdirSync(join(outside, "deep"), { recursive: true });
    writeFileSync(join(outside, "file"), "outside\n");
  });
  afterEach(() => rmSync(outside, { recursive: true }));

  test(
    "while the container's mounts are made leads none of them outside (CVE-2021-30465)",
    async () => {
      const rootfs = agent().rootfs();
      const at = join(rootfs, "swapped");
      mkdirSync(join(at, "deep"), { recursive: true });
      const before = guestMounts(agent()).map(({ mountPoint }) => mountPoint);
      const swapper = Bun.spawn(["sh", "-c", SWAP, "sh", at, outside]);
      try {
        const mounts = ["/swapped/deep", "/swapped/file", "/swapped/made"].map((destination) => ({
          destination,
          type: "tmpfs",
          source: "tmpfs",
        }));
        const wanted = { rootfs, mounts };
        // Refused or made, as it happens; either way nothing is outside.
        const round = () => sh(agent(), "touch /swapped/deep/x", wanted).catch(() => undefined);
        await inParallel(4, ROUNDS, async () => [await round()]);
      } finally {
        swapper.kill();
        await swapper.exited;
      }
      expect(readdirSync(outside).toSorted()).toEqual(["deep", "file"]);
      expect(readdirSync(join(outside, "deep"))).toEqual([]);
      expect(guestMounts(agent()).map(({ mountPoint }) => mountPoint)).toEqual(before);
    },
    LONG_MS,
  );

  test("before its container is removed has nothing outside unmounted or removed (CVE-2020-2024)", async () => {
    inGuest(agent(), "mount", "-t", "tmpfs", "tmpfs", join(outside, "deep"));
    const rootfs = agent().rootfs();
    const bundle = (id: string) => `/run/kata-containers/${id}`;
    const mounts = [{ destination: "/data/deep", type: "tmpfs", source: "tmpfs" }];
    const container = await idleContainer(agent(), { rootfs, mounts });
    renameSync(join(rootfs, "data"), join(rootfs, "moved"));
    symlinkSync(outside, join(rootfs, "data"));
    await container.remove();
    const left = guestMounts(agent()).map(({ mountPoint }) => mountPoint);
    expect(left).toContain(join(outside, "deep"));
    expect(left.filter((path) => path.startsWith(bundle(container.containerId)))).toEqual([]);
    expect(readFileSync(join(outside, "file"), "utf8")).toBe("outside\n");
    inGuest(agent(), "umount", join(outside, "deep"));
  });
});

/** Directory, link, directory, link, as fast as a shell can. */
const SWAP = `
while :; do
  mv "$1" "$1-away"; ln -s "$2" "$1"; rm "$1"; mv "$1-away" "$1"
done 2>/dev/null
`;
