import { expect, test } from "bun:test";
import { Mutex } from "../../../src/async/mutex.ts";

test("work is done one at a time, in the order of asking", async () => {
  const mutex = new Mutex();
  const events: string[] = [];
  const gates = ["a", "b", "c"].map((name) => ({ name, ...Promise.withResolvers<void>() }));
  const all = gates.map(({ name, promise }) =>
    mutex.run(async () => {
      events.push(`${name} begins`);
      await promise;
      events.push(`${name} ends`);
    }),
  );
  // The last may go first, and yet it waits.
  for (const { resolve } of gates.toReversed()) resolve();
  await Promise.all(all);
  expect(events).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
});

test("what the work gives is given, what it throws is thrown", async () => {
  const mutex = new Mutex();
  expect(await mutex.run(async () => 7)).toBe(7);
  await expect(mutex.run(() => Promise.reject(new Error("lost")))).rejects.toThrow("lost");
});

test("work that failed holds nobody up, thrown at once or later", async () => {
  const mutex = new Mutex();
  const atOnce = mutex.run(() => {
    throw new Error("at once");
  });
  const later = mutex.run(() => Promise.reject(new Error("later")));
  const after = mutex.run(async () => "done");
  expect(await Promise.allSettled([atOnce, later, after])).toEqual([
    { status: "rejected", reason: new Error("at once") },
    { status: "rejected", reason: new Error("later") },
    { status: "fulfilled", value: "done" },
  ]);
});

test("two do not wait for each other", async () => {
  const gate = Promise.withResolvers<void>();
  const held = new Mutex().run(() => gate.promise);
  expect(await new Mutex().run(async () => "free")).toBe("free");
  gate.resolve();
  await held;
});
