// A watched volume in a container, as the runtime asks for one: the whole way from CreateContainer.
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { startContainer } from "../support/container.ts";
import { READER, publish } from "../support/watched-volume.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const ROOT = "/run/kata-containers/shared/containers/watchable";
/** It is looked at every two seconds. */
const LONG_MS = 60_000;

describeWithAgent("a container with a watched volume", (agent) => {
  test(
    "finds each version of it whole, and nothing is left when it is removed",
    async () => {
      // The host makes it, on what it shares.
      mkdirSync(`/proc/${agent().pid}/root${ROOT}`, { recursive: true });
      const before = agent().held();
      const volume = join(agent().directory, "volume");
      mkdirSync(volume);
      publish(volume, 0);
      const mountPoint = `${ROOT}/config`;
      const container = await startContainer(agent(), ["sh", "-c", READER], {
        request: { storages: [{ driver: "watchable-bind", source: volume, mountPoint }] },
        mounts: [
          { destination: "/volume", type: "bind", source: mountPoint, options: ["rbind", "ro"] },
        ],
      });
      await container.readUntil("version 0\n");
      for (let version = 1; version <= 3; version++) {
        publish(volume, version);
        expect(await container.readUntil(`version ${version}\n`)).not.toMatch(/torn|gone|missing/);
      }
      await container.remove();
      expect(readdirSync(volume).toSorted()).toEqual(["..3", "..data", "a", "b"]);
      expect(existsSync(`/proc/${agent().pid}/root${mountPoint}`)).toBe(false);
      await agent().untilHeld(before);
    },
    LONG_MS,
  );
});
