import { expect, test } from "bun:test";
import { NEVER } from "../../../src/async/never.ts";
import { StorageTable } from "../../../src/storage/table.ts";
import { verityDevice } from "../../../src/storage/verity-device.ts";
import { verityName, verityOf, verityTarget } from "../../../src/storage/verity.ts";

const PARTITION = "/dev/vda1";
const HALF = "ab".repeat(16);

function verity(rootHash: string, ...more: string[]) {
  const words = [`roothash=${rootHash}`, "hashoffset=4096", ...more];
  return verityOf(words.map((word) => `X-kata.dmverity.${word}`));
}

test.each([
  ["a root hash that only begins alike", verity(HALF + "00".repeat(16))],
  ["another salt", verity(HALF + HALF, "salt=00ff")],
])("a device in use is not taken for one with %s", async (_, other) => {
  const devices = new StorageTable(() => {});
  const used = verity(HALF + HALF);
  const { parameters } = verityTarget(PARTITION, used);
  await devices.hold(`${verityName(PARTITION, used)} ${parameters}`, async () => {}, NEVER);
  await using undo = new AsyncDisposableStack();
  const context = { devices, signal: NEVER, undo };
  await expect(verityDevice(PARTITION, other, context)).rejects.toThrow(
    "is in use with another root hash or other options",
  );
  expect(devices.targets).toHaveLength(1);
});
