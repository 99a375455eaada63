import { expect, test } from "bun:test";
import { Periodic } from "../../../src/async/periodic.ts";
import { until } from "../../../src/async/until.ts";

test("periodic work goes on by settings that may change, and ends with its signal", async () => {
  const stop = new AbortController();
  const seen: (number | undefined)[] = [];
  const periodic = new Periodic<number | undefined>({
    settings: 1,
    pauseMs: (settings) => settings,
    run: async (settings) => {
      seen.push(settings);
      return 0;
    },
    signal: stop.signal,
  });
  expect(await until(() => seen.length > 3, 5_000)).toBe(true);
  periodic.change(undefined);
  const count = seen.length;
  periodic.change(2);
  expect(await until(() => seen.length > count + 1, 5_000)).toBe(true);
  expect(seen.slice(count)).not.toContain(1);
  stop.abort();
  const last = seen.length;
  await new Promise((resolve) => void setImmediate(resolve));
  expect(seen.length).toBe(last);
});
