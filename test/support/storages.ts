// Storages mounted by this process, and what every driver is held to. Run it in namespaces of its own
// (namespaces.sh).
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { startReaper } from "../../src/kernel/reaper.ts";
import { Hotplug } from "../../src/device/hotplug.ts";
import { HugePages } from "../../src/storage/huge-pages.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { Storages } from "../../src/storage/storages.ts";
import type { Warn } from "../../src/storage/driver.ts";
import { Watcher } from "../../src/storage/watcher.ts";
import { directoriesIn } from "./held.ts";

export const STATE = "/run/kata-containers";
/** So that no test waits for two seconds. */
const WATCH_PAUSE_MS = 5;
export const CALLER = new AbortController().signal;

/** What the driver does not look at is empty. */
export function storage(asked: Partial<Storage> & Pick<Storage, "driver">): Storage {
  const nothing = { driverOptions: [], source: "", fstype: "", options: [], shared: false };
  return { ...nothing, mountPoint: "", ...asked };
}

export class TestStorages {
  readonly warnings: string[] = [];
  readonly #warn: Warn = (message, fields) =>
    void this.warnings.push(`${message} ${JSON.stringify(fields)}`);
  readonly storages = new Storages({
    warn: this.#warn,
    hugePages: new HugePages(),
    hotplug: new Hotplug({ timeoutMs: 1000 }),
    watcher: new Watcher(this.#warn, WATCH_PAUSE_MS),
  });

  /** For a container. */
  add(list: readonly Storage[], containerId = "c1", signal = CALLER) {
    return this.storages.add(list, { containerId, signal });
  }
}

export type Seen = { readonly mounts: readonly string[]; readonly directories: readonly string[] };

/** What is mounted, and the directories that only storages make. */
export function seen(): Seen {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trimEnd().split("\n");
  return {
    mounts: lines.map((line) => line.split(" ")[4] ?? ""),
    directories: existsSync(STATE) ? directoriesIn(STATE) : [],
  };
}

/** How many file systems are mounted at `path`, one over the other. */
export function mountedAt(path: string): number {
  return seen().mounts.filter((each) => each === path).length;
}

const needsRoot = process.getuid?.() === 0 ? "" : " (skipped: needs root)";

/** Each test begins with nothing mounted, and fails if it leaves something. */
export function describeWithStorages(
  title: string,
  tests: (made: () => TestStorages) => void,
): void {
  describe.skipIf(needsRoot !== "")(title + needsRoot, () => {
    let made: TestStorages | undefined;
    let before: Seen | undefined;
    beforeAll(startReaper);
    beforeEach(() => {
      made = new TestStorages();
      before = seen();
    });
    afterEach(async () => {
      await made?.storages.end();
      expect(seen().mounts).toEqual(before?.mounts ?? []);
    });
    tests(() => {
      if (made === undefined) throw new Error("there are no storages yet");
      return made;
    });
    afterAll(() => void process.removeAllListeners("SIGCHLD"));
  });
}

export type Kind = {
  /** At a mount point that nobody else uses. */
  readonly good: () => Storage;
  /** That `good` works: looked at while it is mounted. */
  readonly look: (storage: Storage) => void | Promise<void>;
  /** Goes with the last container that uses it. */
  readonly ends: boolean;
  /** Accepted by the checks, and refused by the kernel when it is mounted; and the words of that. */
  readonly fails?: () => readonly [Storage, RegExp];
};

/** What holds for every driver. */
export function holdsForDriver(made: () => TestStorages, { good, look, ends, fails }: Kind): void {
  test("mounts, and takes back with the last container that uses it", async () => {
    const asked = good();
    const before = seen();
    const [one, two] = await Promise.all([made().add([asked]), made().add([asked], "c2")]);
    for (const held of [one, two]) held.keep();
    await look(asked);
    await one[Symbol.asyncDispose]();
    await look(asked);
    await two[Symbol.asyncDispose]();
    if (ends) expect(seen().mounts).toEqual(before.mounts);
    else await look(asked);
    await made().storages.end();
    expect(seen().mounts).toEqual(before.mounts);
    expect(made().warnings).toEqual([]);
  });

  test("leaves nothing where a later storage of the request fails", async () => {
    const before = seen();
    const bad = storage({ driver: "bind", source: "/nowhere", mountPoint: `${STATE}/bad` });
    await expect(made().add([good(), bad])).rejects.toThrow("clone /nowhere: ENOENT");
    expect(seen()).toEqual(before);
  });

  test("stays with `shared` until the pod ends", async () => {
    const asked = { ...good(), shared: true };
    const held = await made().add([asked]);
    held.keep();
    await held[Symbol.asyncDispose]();
    await look(asked);
  });

  test.each([
    ["/etc/motd", "is not below /run/kata-containers"],
    [`${STATE}`, "is not below"],
    [`${STATE}/../../etc`, 'not an absolute path without ".."'],
    ["run/kata-containers/x", "not an absolute path"],
    ["", "not an absolute path"],
    [`${STATE}/${"x".repeat(256)}`, "is too long"],
  ])("refuses the mount point %p before anything is done", async (mountPoint, words) => {
    const before = seen();
    await expect(made().add([good(), { ...good(), mountPoint }])).rejects.toThrow(words);
    expect(seen()).toEqual(before);
  });

  test("follows no link to its mount point", async () => {
    const { mountPoint, ...rest } = good();
    expect(existsSync(mountPoint)).toBe(false);
    Bun.spawnSync(["mkdir", "-p", STATE]);
    Bun.spawnSync(["ln", "-sfn", "/etc", `${STATE}/link`]);
    const before = readdirSync("/etc");
    for (const path of [`${STATE}/link`, `${STATE}/link/below`])
      await expect(made().add([{ ...rest, mountPoint: path }])).rejects.toThrow(/link: E\w+/);
    expect(readdirSync("/etc")).toEqual(before);
    Bun.spawnSync(["rm", `${STATE}/link`]);
  });

  test.each(["a\nb=c", "a\0b"])("refuses the option %p", async (option) => {
    const asked = good();
    await expect(made().add([{ ...asked, options: [option] }])).rejects.toThrow(
      `${asked.mountPoint}: the option`,
    );
  });

  if (fails === undefined) return;
  test("leaves nothing where the kernel refuses it", async () => {
    const before = seen();
    const [asked, words] = fails();
    await expect(made().add([asked])).rejects.toThrow(words);
    expect(seen().mounts).toEqual(before.mounts);
  });
}
