// A watched volume in a container, as the runtime asks for one: the whole way from CreateContainer.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { startContainer } from "../support/container.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const ROOT = "/run/kata-containers/shared/containers/watchable";
/** It is looked at every two seconds. */
const LONG_MS = 60_000;

/** As kubelet does it: a new directory, one rename, and then the old one goes. */
function publish(volume: string, version: number): void {
  const directory = join(volume, `..${version}`);
  mkdirSync(directory);
  for (const key of ["a", "b"]) writeFileSync(join(directory, key), `${version}\n`);
  symlinkSync(`..${version}`, join(volume, "..data_tmp"));
  renameSync(join(volume, "..data_tmp"), join(volume, "..data"));
  for (const key of ["a", "b"]) if (version === 0) symlinkSync(`..data/${key}`, join(volume, key));
  rmSync(join(volume, `..${version - 1}`), { recursive: true, force: true });
}

/** Says each version that it finds, and whatever is wrong. */
const READER = `
last=
while :; do
  cd /volume/..data || { echo gone; exit 1; }
  a=$(cat a 2>/dev/null); b=$(cat b 2>/dev/null)
  [ -z "$a" ] || [ -z "$b" ] || [ "$a" = "$b" ] || { echo torn; exit 1; }
  [ -z "$a" ] || [ "$a" = "$last" ] || { last=$a; echo "version $a"; }
  cat /volume/a /volume/b >/dev/null || { echo missing; exit 1; }
done`;

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
