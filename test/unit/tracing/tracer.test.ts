import { describe, expect, test } from "bun:test";
import type { Span } from "../../../src/tracing/span.ts";
import { isTracing, phase, startTracing, traced } from "../../../src/tracing/tracer.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

const spans: Span[] = [];
const named = (name: string) => spans.filter((span) => span.name === name);
const call = (name: string, isSampled = true) => ({
  parent: { traceId: TRACE, spanId: PARENT, isSampled },
  name,
  attributes: {},
});
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

describe("spans", () => {
  test("are not made before somebody wants them", async () => {
    expect(isTracing()).toBe(false);
    expect(await traced(call("early"), () => phase("part", async () => 7))).toBe(7);
    startTracing((span) => void spans.push(span));
    expect(isTracing()).toBe(true);
    expect(spans).toEqual([]);
  });

  test("of a call belong to the trace of who asked", async () => {
    await traced(call("asked"), turn);
    const [span] = named("asked");
    expect(span).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, kind: "server" });
    expect(span?.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(Math.abs((span?.from ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(span?.to).toBeGreaterThanOrEqual(span?.from ?? Number.NaN);
  });

  test("of a call by nobody begin a trace", async () => {
    await traced({ parent: undefined, name: "alone", attributes: {} }, turn);
    const [span] = named("alone");
    expect(span?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(span?.parentSpanId).toBeUndefined();
  });

  test("of phases are below what they are a part of, also where calls run at once", async () => {
    const busy = (name: string) =>
      traced(call(name), () =>
        phase(`outer of ${name}`, async () => {
          await turn();
          await phase(`inner of ${name}`, turn);
        }),
      );
    await Promise.all([busy("one"), busy("two")]);
    for (const name of ["one", "two"]) {
      const [inner] = named(`inner of ${name}`);
      const [outer] = named(`outer of ${name}`);
      expect(inner?.parentSpanId).toBe(outer?.spanId ?? "none");
      expect(outer?.parentSpanId).toBe(named(name)[0]?.spanId ?? "none");
      expect(outer?.kind).toBe("internal");
    }
  });

  test("say what the work failed with, and the error is thrown on", async () => {
    const failing = traced(call("failing"), () => Promise.reject(new Error("no".repeat(2000))));
    await expect(failing).rejects.toThrow("nono");
    const [span] = named("failing");
    expect(span?.error).toStartWith("Error: nono");
    expect(span?.error).toHaveLength(1024);
  });

  test("are not made of what nobody asks for, nor of a trace that is not kept", async () => {
    await phase("of nobody", turn);
    await traced(call("not kept", false), () => phase("part of it", turn));
    expect([...named("of nobody"), ...named("not kept"), ...named("part of it")]).toEqual([]);
  });
});
