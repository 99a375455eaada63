import { expect, test } from "bun:test";
import { until } from "../../../src/async/until.ts";
import { CallTimes } from "../../../src/metrics/call-times.ts";

/** The value of a sample by family, suffix and label. */
function valueOf(times: CallTimes, family: string, suffix: string, label?: string) {
  const samples = times.families().find(({ name }) => name === family)?.samples ?? [];
  const found = samples.find(
    (each) =>
      each.suffix === suffix && (label === undefined || Object.values(each.labels).includes(label)),
  );
  return found?.value;
}

test("each RPC has its own histogram, once it has been called", () => {
  const times = new CallTimes();
  times.end("Check", 0.001);
  times.end("Check", 0.002);
  times.end("ExecProcess", 3);
  expect(valueOf(times, "kata_agent_rpc_seconds", "_count", "Check")).toBe(2);
  expect(valueOf(times, "kata_agent_rpc_seconds", "_sum", "ExecProcess")).toBe(3);
  expect(valueOf(times, "kata_agent_rpc_seconds", "_count", "Version")).toBeUndefined();
});

test("while calls come the loop is looked at, once for all that come together", async () => {
  const times = new CallTimes();
  const looks = () => valueOf(times, "kata_agent_loop_delay_seconds", "_count");
  for (let i = 0; i < 100; i++) times.begin("Check");
  await until(() => looks() !== 0, 5000);
  expect(looks()).toBe(1);
});

test("who holds up the loop is seen", async () => {
  const times = new CallTimes();
  times.begin("Check");
  const end = performance.now() + 60;
  while (performance.now() < end);
  await until(() => valueOf(times, "kata_agent_loop_delay_seconds", "_count") !== 0, 5000);
  expect(valueOf(times, "kata_agent_loop_delay_seconds", "_sum")).toBeGreaterThan(0.045);
});

test("a call counts from when it comes until it is answered", () => {
  const times = new CallTimes();
  const calls = () =>
    times
      .families()
      .find(({ name }) => name === "kata_agent_calls")
      ?.samples.map(({ value }) => value);
  for (const rpc of ["WaitProcess", "WaitProcess", "Check"]) times.begin(rpc);
  times.end("Check", 0.001);
  times.end("WaitProcess", 1);
  expect(calls()).toEqual([0, 1]);
});
