// Time namespaces, and their offsets, which the protocol has no field for.
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { describeWithEngine } from "../support/engine.ts";

const DAY = 86_400;
const lacking = existsSync("/proc/self/ns/time") ? undefined : "time namespaces";

function timeLinux(timeOffsets?: object, path?: string) {
  const namespaces = [{ type: "mount" }, { type: "time", path }];
  return { linux: { namespaces, ...(timeOffsets && { timeOffsets }) } };
}

function uptime(text = readFileSync("/proc/uptime", "utf8")): number {
  return Number(text.split(" ")[0]);
}

describeWithEngine(
  "a time namespace",
  (engine) => {
    test("has its offsets for the first process and for an exec", async () => {
      const before = uptime();
      const id = await engine().create(
        ["sleep", "1000"],
        timeLinux({ boottime: { secs: 7 * DAY, nanosecs: 5 }, monotonic: { secs: DAY } }),
      );
      const container = engine().sandbox.container(id);
      await container.start();
      const script = "cat /proc/uptime /proc/1/timens_offsets; readlink /proc/self/ns/time";
      const [seen = "", ...offsets] = await engine().exec(id, script);
      const name = offsets.pop();
      expect(uptime(seen) - before).toBeGreaterThanOrEqual(7 * DAY);
      expect(uptime(seen)).toBeLessThan(uptime() + 7 * DAY + 1);
      expect(offsets.map((line) => line.split(/\s+/))).toEqual([
        ["monotonic", String(DAY), "0"],
        ["boottime", String(7 * DAY), "5"],
      ]);
      expect(name).toBe(readlinkSync(`/proc/${container.init.child.pid}/ns/time`));
      expect(name).not.toBe(readlinkSync("/proc/self/ns/time"));
      await engine().sandbox.removeContainer(container);
    });

    test("is the one that children of the process are in, too", async () => {
      const script = "readlink /proc/self/ns/time_for_children; readlink /proc/self/ns/time";
      const [forChildren, own] = await engine().lines(script, timeLinux());
      expect(forChildren?.split(":")[1]).toBe(own?.split(":")[1] ?? "");
    });

    test("can be joined by its path", async () => {
      const path = `${engine().directory}/time`;
      spawnSync("touch", [path]);
      spawnSync("unshare", [`--time=${path}`, "--boottime", String(DAY), "true"]);
      const [seen = ""] = await engine().lines("cat /proc/uptime", timeLinux(undefined, path));
      expect(uptime(seen)).toBeGreaterThan(uptime() + DAY - 1);
      spawnSync("umount", [path]);
    });

    test("is refused with an offset before the kernel's start, by the step that sets it", async () => {
      const before = timeLinux({ boottime: { secs: -1_000_000_000 } });
      await expect(engine().create(["true"], before)).rejects.toThrow(
        "set the offsets of the clocks: ERANGE",
      );
    });
  },
  lacking,
);
