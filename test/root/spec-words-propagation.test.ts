// Propagation of mounts between the guest and a container, of single mounts and of the root.
import { beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseMountinfo } from "../../src/linux/mountinfo.ts";
import type { TestAgent } from "../support/agent.ts";
import { type Wanted, idleContainer, linesOf } from "../support/container.ts";
import { guestMounts, guestPath, inGuest } from "../support/guest.ts";
import { describeWithAgent } from "../support/with-agent.ts";

/** What the optional fields of the mount at `at` begin with: `shared`, `master`, `unbindable`. */
async function kindOf(agent: TestAgent, at: string, wanted: Wanted): Promise<string[]> {
  const lines = await linesOf(agent, "cat /proc/self/mountinfo", wanted);
  const entry = parseMountinfo(lines.join("\n")).findLast(({ mountPoint }) => mountPoint === at);
  return (entry?.optionalFields ?? ["not mounted"]).map((field) => field.split(":")[0] ?? "");
}

/** By option: what a mount is then that nobody shares, and one that is shared in the guest. */
const KINDS: readonly (readonly [option: string, own: string[], ofShared: string[]])[] = [
  ["private", [], []],
  ["rprivate", [], []],
  ["slave", [], ["master"]],
  ["rslave", [], ["master"]],
  ["shared", ["shared"], ["shared", "master"]],
  ["rshared", ["shared"], ["shared", "master"]],
  ["unbindable", ["unbindable"], ["unbindable"]],
  ["runbindable", ["unbindable"], ["unbindable"]],
];

describeWithAgent("the propagation of a mount", (agent) => {
  let shared = "";

  beforeAll(() => {
    shared = join(agent().directory, "shared");
    mkdirSync(shared);
    inGuest(agent(), "mount", "-t", "tmpfs", "tmpfs", shared);
    inGuest(agent(), "mount", "--make-shared", shared);
    inGuest(agent(), "mkdir", `${shared}/later`);
  });

  const bind = (...options: string[]): Wanted => ({
    mounts: [{ destination: "/m", type: "bind", source: shared, options: ["rbind", ...options] }],
  });

  test.each([...KINDS])("of %s is that, for a tmpfs", async (option, own) => {
    const mounts = [{ destination: "/m", type: "tmpfs", options: [option] }];
    expect(await kindOf(agent(), "/m", { mounts })).toEqual(own);
  });

  test.each([...KINDS])("of %s is that, for a bind of a shared mount", async (option, _, kind) => {
    expect(await kindOf(agent(), "/m", bind(option))).toEqual(kind);
  });

  test("of rslave brings what is mounted in the guest later", async () => {
    await using container = await idleContainer(agent(), bind("rslave"));
    inGuest(agent(), "mount", "-t", "tmpfs", "come-later", `${shared}/later`);
    const { stdout } = await container.run(["cat", "/proc/self/mountinfo"]);
    inGuest(agent(), "umount", `${shared}/later`);
    expect(stdout).toContain(" /m/later ");
  });

  test("of rprivate keeps that away", async () => {
    await using container = await idleContainer(agent(), bind("rprivate"));
    inGuest(agent(), "mount", "-t", "tmpfs", "come-later", `${shared}/later`);
    const { stdout } = await container.run(["cat", "/proc/self/mountinfo"]);
    inGuest(agent(), "umount", `${shared}/later`);
    expect(stdout).not.toContain(" /m/later ");
  });

  test("of rshared, with a shared root, brings the container's own mounts to the guest", async () => {
    const admin = ["CAP_SYS_ADMIN"];
    const process = {
      Capabilities: { Bounding: admin, Effective: admin, Permitted: admin },
    };
    await using container = await idleContainer(agent(), {
      ...bind("rshared"),
      linux: { RootfsPropagation: "rshared" },
    });
    await container.run(["mount", "-t", "tmpfs", "from-inside", "/m/later"], process);
    const inside = guestMounts(agent()).filter(({ source }) => source === "from-inside");
    expect(inside.map(({ mountPoint }) => mountPoint)).toEqual([`${shared}/later`]);
    inGuest(agent(), "umount", `${shared}/later`);
  });
});

describeWithAgent("linux.rootfsPropagation", (agent) => {
  test.each([
    ["", []],
    ["private", []],
    ["rprivate", []],
    ["slave", []],
    ["rslave", []],
    ["shared", ["shared"]],
    ["rshared", ["shared"]],
    ["unbindable", ["unbindable"]],
    ["runbindable", ["unbindable"]],
  ])("of %p is that of the container's root", async (RootfsPropagation, kind) => {
    expect(await kindOf(agent(), "/", { linux: { RootfsPropagation } })).toEqual(kind);
  });

  test("of a word that there is none of is refused", async () => {
    const linux = { RootfsPropagation: "viral" };
    const asked = kindOf(agent(), "/", { linux });
    await expect(asked).rejects.toThrow('invalid linux.rootfsPropagation: "viral"');
  });

  test.each(["", "rprivate", "rslave", "rshared"])(
    "of %p leaves the guest's mounts as they are, where all of them are shared",
    async (RootfsPropagation) => {
      inGuest(agent(), "mount", "--make-rshared", "/");
      const places = () => guestMounts(agent()).map(({ mountPoint }) => mountPoint);
      const before = places();
      await using container = await idleContainer(agent(), { linux: { RootfsPropagation } });
      const bundle = `/run/kata-containers/${container.containerId}`;
      expect(places()).toEqual([...before, `${bundle}/rootfs`]);
      expect(existsSync(guestPath(agent(), `${bundle}/rootfs/bin/sh`))).toBe(true);
      expect(existsSync(guestPath(agent(), `${bundle}/rootfs/proc/1`))).toBe(false);
    },
  );

  test("leaves nothing in the guest when the container is removed", async () => {
    inGuest(agent(), "mount", "--make-rshared", "/");
    const before = agent().held();
    const linux = { RootfsPropagation: "rshared" };
    await (await idleContainer(agent(), { linux })).remove();
    expect(agent().held().mounts).toEqual(before.mounts);
  });
});
