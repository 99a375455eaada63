// `linux.maskedPaths`, `linux.readonlyPaths` and `linux.sysctl`.
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseMountinfo } from "../../src/linux/mountinfo.ts";
import type { TestAgent } from "../support/agent.ts";
import { type Wanted, linesOf, sh } from "../support/container.ts";
import { describeWithAgent } from "../support/with-agent.ts";

/** An image with something to hide. */
function secretRootfs(agent: TestAgent): string {
  const rootfs = agent.rootfs();
  mkdirSync(join(rootfs, "secret/inner"), { recursive: true });
  writeFileSync(join(rootfs, "secret/key"), "the key\n");
  writeFileSync(join(rootfs, "secret/inner/key"), "the inner key\n");
  symlinkSync("/secret/key", join(rootfs, "to-key"));
  symlinkSync("secret", join(rootfs, "to-secret"));
  return rootfs;
}

describeWithAgent("linux.maskedPaths", (agent) => {
  const masked = (MaskedPaths: string[], script: string, wanted: Wanted = {}) => {
    const linux = { MaskedPaths, ReadonlyPaths: [] };
    return linesOf(agent(), script, { rootfs: secretRootfs(agent()), linux, ...wanted });
  };

  test("make a file read as empty and take no data", async () => {
    const script = "wc -c < /secret/key; echo x > /secret/key; wc -c < /secret/key";
    expect(await masked(["/secret/key"], script)).toEqual(["0", "0"]);
  });

  test("make a directory empty, and nothing can be put there (D15)", async () => {
    const script = "ls -A /secret | wc -l; touch /secret/mine 2>&1; true";
    expect(await masked(["/secret"], script)).toEqual([
      "0",
      "touch: /secret/mine: Read-only file system",
    ]);
  });

  test("of the usual kind hide what the kernel tells of the machine", async () => {
    const script =
      "ls -A /sys/firmware /proc/acpi | grep -v : ; wc -c < /proc/keys; wc -c < /proc/timer_list";
    const paths = ["/proc/acpi", "/proc/keys", "/proc/timer_list", "/sys/firmware"];
    const lines = await masked(paths, script);
    expect(lines.filter((line) => line !== "")).toEqual(["0", "0"]);
  });

  test("may be there or not, twice, below each other, and lead through links", async () => {
    const paths = [
      "/nowhere",
      "/etc/passwd/x",
      "/to-key",
      "/secret/inner",
      "/secret/inner",
      "/dev/null/x",
    ];
    const script = "wc -c < /secret/key; ls -A /secret/inner | wc -l; ls /secret";
    expect(await masked(paths, script)).toEqual(["0", "0", "inner", "key"]);
    expect(await masked(["/secret", "/secret/key"], "ls -A /secret | wc -l")).toEqual(["0"]);
    expect(await masked(["/to-secret"], "ls -A /secret | wc -l")).toEqual(["0"]);
  });

  test("are hidden by the guest's own /dev/null, whatever the image calls so (CVE-2025-31133)", async () => {
    const rootfs = secretRootfs(agent());
    mkdirSync(join(rootfs, "dev"));
    writeFileSync(join(rootfs, "dev/null"), "not null\n");
    const proc = { destination: "/proc", type: "proc", source: "proc" };
    const wanted = { rootfs, spec: { Mounts: [] }, mounts: [proc] };
    expect(await masked(["/secret/key"], "stat -c '%t:%T' /secret/key", wanted)).toEqual(["1:3"]);
  });

  /** It has that mode already: on the machine of this test nothing changes, whatever comes out. */
  test("give no right over the guest's own /dev/null", async () => {
    const script = "chmod 666 /secret/key 2>&1; touch /secret/key 2>&1; echo x >/secret/key; true";
    expect(await masked(["/secret/key"], script)).toEqual([
      "chmod: /secret/key: Read-only file system",
      "touch: /secret/key: Read-only file system",
    ]);
  });

  test("leave the image as it was", async () => {
    const rootfs = secretRootfs(agent());
    await masked(["/secret", "/to-key"], "true", { rootfs });
    expect(readFileSync(join(rootfs, "secret/key"), "utf8")).toBe("the key\n");
  });

  test.each([["relative"], ["/a/../b"]])(
    "are refused if not absolute and straight: %s",
    async (path) => {
      await expect(masked([path], "true")).rejects.toThrow(`cannot mount ${JSON.stringify(path)}`);
    },
  );
});

describeWithAgent("linux.readonlyPaths", (agent) => {
  const readonly = (ReadonlyPaths: string[], script: string, wanted: Wanted = {}) => {
    const linux = { MaskedPaths: [], ReadonlyPaths };
    return linesOf(agent(), script, { rootfs: secretRootfs(agent()), linux, ...wanted });
  };
  const optionsOf = async (path: string, paths: string[], wanted: Wanted = {}) => {
    const lines = await readonly(paths, "cat /proc/self/mountinfo", wanted);
    const entries = parseMountinfo(lines.join("\n"));
    return entries.findLast(({ mountPoint }) => mountPoint === path)?.options;
  };

  test("can be read and not written, files as well as directories", async () => {
    const script = `cat /secret/key /etc/passwd | wc -l
      for file in /secret/key /secret/new /etc/passwd; do (echo > $file) 2>&1; done; echo > /etc/other`;
    const lines = await readonly(["/secret", "/etc/passwd"], script);
    expect(lines[0]).toBe("3");
    expect(lines.slice(1).every((line) => line.includes("Read-only file system"))).toBe(true);
    expect(lines).toHaveLength(4);
  });

  test("keep what else their mount forbids (D16)", async () => {
    const wanted = ["ro", "nosuid", "nodev", "noexec", "relatime"];
    expect(await optionsOf("/proc/sys", ["/proc/sys"])).toEqual(wanted);
    const mount = { destination: "/m", type: "tmpfs", options: ["nodev", "noatime"] };
    const paths = ["/m"];
    expect(await optionsOf("/m", paths, { mounts: [mount] })).toEqual(["ro", "nodev", "noatime"]);
  });

  test("are read-only with all that is mounted below", async () => {
    const mounts = [{ destination: "/secret/inner", type: "tmpfs", source: "tmpfs" }];
    expect(await optionsOf("/secret/inner", ["/secret"], { mounts })).toContain("ro");
  });

  test("may be there or not, twice, and lead through links", async () => {
    const paths = ["/nowhere", "/etc/passwd/x", "/to-secret", "/secret", "/secret"];
    const script = "(echo > /secret/key) 2>&1; true";
    expect(await readonly(paths, script)).toEqual([
      expect.stringContaining("Read-only file system"),
    ]);
  });

  test("can be masked as well: what is below them stays hidden", async () => {
    const linux = { MaskedPaths: ["/secret/key"], ReadonlyPaths: ["/secret"] };
    const rootfs = secretRootfs(agent());
    expect(await linesOf(agent(), "wc -c < /secret/key", { rootfs, linux })).toEqual(["0"]);
  });
});

describeWithAgent("linux.sysctl", (agent) => {
  const own = [{ Type: "ipc" }, { Type: "uts" }, { Type: "mount" }, { Type: "network" }];
  const set = (Sysctl: Record<string, string>, script: string, wanted: Wanted = {}) =>
    linesOf(agent(), script, { linux: { Sysctl, Namespaces: own }, ...wanted });
  const at = (...names: string[]) => names.map((name) => `cat /proc/sys/${name}`).join(";");

  test("sets parameters by their names with dots and with slashes", async () => {
    const values = {
      "kernel.shm_rmid_forced": "1",
      "kernel/msgmax": "4321",
      "fs.mqueue.msg_max": "7",
      "net.ipv4.conf.lo.forwarding": "1",
      "net/ipv6/conf/lo/hop_limit": "33",
      "kernel.domainname": "example.org",
    };
    const names = [
      "kernel/shm_rmid_forced",
      "kernel/msgmax",
      "fs/mqueue/msg_max",
      "net/ipv4/conf/lo/forwarding",
      "net/ipv6/conf/lo/hop_limit",
      "kernel/domainname",
    ];
    expect(await set(values, at(...names))).toEqual(Object.values(values));
  });

  test("reaches the kernel whatever the image or the spec have put at /proc (CVE-2025-52881)", async () => {
    const rootfs = agent().rootfs();
    mkdirSync(join(rootfs, "proc/sys/kernel"), { recursive: true });
    writeFileSync(join(rootfs, "proc/sys/kernel/msgmax"), "untouched\n");
    const mounts = [{ destination: "/real", type: "proc", source: "proc" }];
    const script = "cat /proc/sys/kernel/msgmax /real/sys/kernel/msgmax";
    const wanted = { rootfs, spec: { Mounts: [] }, mounts };
    const linux = { Namespaces: own, Sysctl: { "kernel.msgmax": "999" }, MaskedPaths: [] };
    const lines = await linesOf(agent(), script, {
      ...wanted,
      linux: { ...linux, ReadonlyPaths: [] },
    });
    expect(lines).toEqual(["untouched", "999"]);
  });

  test("does not change the guest's own", async () => {
    const before = readFileSync("/proc/sys/kernel/msgmax", "utf8");
    await set({ "kernel.msgmax": "1234" }, "true");
    expect(readFileSync("/proc/sys/kernel/msgmax", "utf8")).toBe(before);
  });

  test.each([
    ["vm.overcommit_memory", "invalid settings"],
    ["kernel.core_pattern", "invalid settings"],
    ["kernel.hostname", "Kernel hostname"],
    ["net", "invalid settings"],
    ["../kernel.msgmax", "sysctl"],
    ["net/../../kernel/core_pattern", "sysctl"],
  ])("is refused for what is the guest's: %s", async (name, words) => {
    await expect(set({ [name]: "1" }, "true")).rejects.toThrow(words);
  });

  test("is refused where the namespace is not the container's", async () => {
    const linux = { Namespaces: [{ Type: "mount" }], Sysctl: { "kernel.msgmax": "1" } };
    await expect(sh(agent(), "true", { linux })).rejects.toThrow("does not contain ipc");
  });
});
