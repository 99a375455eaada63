import { expect, test } from "bun:test";
import { type Make, StorageTable } from "../../../src/storage/table.ts";

const AT = "/run/kata-containers/x";
const NEVER = new AbortController().signal;

/** A table, what happened in it, and a mount that is made when the test says so. */
function setUp() {
  const events: string[] = [];
  const table = new StorageTable((target, error) => void events.push(`${target}: ${error}`));
  const gate = Promise.withResolvers<void>();
  const make: Make = async (undo, signal) => {
    events.push("make");
    undo.defer(() => void events.push("undo"));
    signal.addEventListener("abort", () => gate.reject(signal.reason), { once: true });
    await gate.promise;
    events.push("made");
  };
  return { events, table, make, ...gate };
}

test("a mount that is being made is waited for by all who ask, and made once", async () => {
  const { events, table, make, resolve } = setUp();
  const holds = [table.hold(AT, make, NEVER), table.hold(AT, make, NEVER)];
  expect(events).toEqual(["make"]);
  resolve();
  const [one, two] = await Promise.all(holds);
  await one?.[Symbol.asyncDispose]();
  expect(events).toEqual(["make", "made"]);
  await two?.[Symbol.asyncDispose]();
  expect(events).toEqual(["make", "made", "undo"]);
  expect(table.targets).toEqual([]);
});

test("a hold is given up once, however often that is said", async () => {
  const { events, table, make, resolve } = setUp();
  resolve();
  const one = await table.hold(AT, make, NEVER);
  const two = await table.hold(AT, make, NEVER);
  await one[Symbol.asyncDispose]();
  await one[Symbol.asyncDispose]();
  expect(events).not.toContain("undo");
  await two[Symbol.asyncDispose]();
});

test("who goes away while it is made does not take it from the others", async () => {
  const { events, table, make, resolve } = setUp();
  const caller = new AbortController();
  const one = table.hold(AT, make, caller.signal);
  const two = table.hold(AT, make, NEVER);
  caller.abort(new Error("gone"));
  await expect(one).rejects.toThrow("gone");
  resolve();
  await two;
  expect(events).toEqual(["make", "made"]);
});

test("a mount that nobody waits for any more is stopped and undone", async () => {
  const { events, table, make } = setUp();
  const caller = new AbortController();
  const hold = table.hold(AT, make, caller.signal);
  caller.abort(new Error("gone"));
  await expect(hold).rejects.toThrow("gone");
  expect(events).toEqual(["make", "undo"]);
});

test("all who waited for a mount that fails are told why, after it is undone", async () => {
  const { events, table, make, reject } = setUp();
  const holds = Promise.allSettled([table.hold(AT, make, NEVER), table.hold(AT, make, NEVER)]);
  reject(new Error("no such device"));
  const reasons = (await holds).map((each) => each.status === "rejected" && String(each.reason));
  expect(reasons).toEqual(["Error: no such device", "Error: no such device"]);
  expect(events).toEqual(["make", "undo"]);
  expect(table.targets).toEqual([]);
});

test("who asks while it is taken back gets one that is made anew", async () => {
  const { events, table, make, resolve } = setUp();
  resolve();
  const slow = Promise.withResolvers<void>();
  const one = await table.hold(AT, async (undo) => void undo.defer(() => slow.promise), NEVER);
  const end = one[Symbol.asyncDispose]();
  const two = table.hold(AT, make, NEVER);
  expect(events).toEqual([]);
  slow.resolve();
  await Promise.all([end, two]);
  expect(events).toEqual(["make", "made"]);
});

test("one that is kept stays until the end, and the latest ends first", async () => {
  const { events, table } = setUp();
  for (const name of ["a", "b"]) {
    const made = async (undo: AsyncDisposableStack) => undo.defer(() => void events.push(name));
    const hold = await table.hold(name, made, NEVER);
    hold.keep();
    await hold[Symbol.asyncDispose]();
  }
  expect(events).toEqual([]);
  await table.end();
  expect(events).toEqual(["b", "a"]);
});

test("what cannot be taken back is told, and holds up nothing", async () => {
  const { events, table } = setUp();
  const hold = await table.hold(
    AT,
    async (undo) => {
      undo.defer(() => void events.push("first step"));
      undo.defer(() => {
        throw new Error("busy");
      });
    },
    NEVER,
  );
  await hold[Symbol.asyncDispose]();
  expect(events).toEqual(["first step", `${AT}: Error: busy`]);
});
