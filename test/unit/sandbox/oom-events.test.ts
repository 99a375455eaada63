import { expect, test } from "bun:test";
import { OomEvents } from "../../../src/sandbox/oom-events.ts";

const patient = () => new AbortController().signal;

test("what happens while nobody waits is told later, each once and in order", async () => {
  const events = new OomEvents();
  for (const id of ["a", "b", "a"]) events.push(id);
  const told = [await events.next(patient()), await events.next(patient())];
  expect([...told, await events.next(patient())]).toEqual(["a", "b", "a"]);
});

test("each event goes to the one who has waited longest", async () => {
  const events = new OomEvents();
  const calls = ["first", "second"].map(async (name) => [name, await events.next(patient())]);
  events.push("a");
  events.push("b");
  expect(await Promise.all(calls)).toEqual([
    ["first", "a"],
    ["second", "b"],
  ]);
});

test("who goes away leaves the place to the next in line", async () => {
  const events = new OomEvents();
  const gone = new AbortController();
  const first = events.next(gone.signal);
  const second = events.next(patient());
  gone.abort(new Error("lost"));
  events.push("a");
  expect(first).rejects.toThrow("lost");
  expect(await second).toBe("a");
});

test("an event that comes in the turn in which its caller goes is not lost", async () => {
  const events = new OomEvents();
  const gone = new AbortController();
  const first = events.next(gone.signal);
  events.push("a");
  events.push("b");
  gone.abort(new Error("lost"));
  expect(first).rejects.toThrow("lost");
  const second = events.next(patient());
  // It was before the other, but that one was free to take.
  expect([await second, await events.next(patient())].toSorted()).toEqual(["a", "b"]);
});

test("an event that its caller cannot take goes to who waits already", async () => {
  const events = new OomEvents();
  const gone = new AbortController();
  const first = events.next(gone.signal);
  const second = events.next(patient());
  events.push("a");
  gone.abort(new Error("lost"));
  expect(first).rejects.toThrow("lost");
  expect(await second).toBe("a");
});

test("who is gone already takes nothing", async () => {
  const events = new OomEvents();
  events.push("a");
  expect(events.next(AbortSignal.abort(new Error("lost")))).rejects.toThrow("lost");
  expect(await events.next(patient())).toBe("a");
});

test("of a hundred at most an earlier one of the same container goes first, then the oldest", async () => {
  const events = new OomEvents();
  for (let i = 0; i < 100; i++) events.push(`c${i}`);
  events.push("c50");
  events.push("new");
  const told: string[] = [];
  for (let i = 0; i < 100; i++) told.push(await events.next(patient()));
  const kept = Array.from({ length: 99 }, (_, i) => `c${i + 1}`).filter((id) => id !== "c50");
  expect(told).toEqual([...kept, "c50", "new"]);
});

test("whoever waits when there are no more learns it, and so does who comes later", async () => {
  const events = new OomEvents();
  const waiting = events.next(patient());
  events.close();
  expect(waiting).rejects.toThrow("the sandbox is destroyed");
  expect(events.next(patient())).rejects.toThrow("the sandbox is destroyed");
});
