import { describe, expect, test } from "bun:test";
import { parseTraceparent } from "../../../src/tracing/trace-context.ts";
import { randomText, seeded } from "../../support/random.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

describe("a traceparent", () => {
  test("names trace, parent, and whether it is kept", () => {
    const context = { traceId: TRACE, spanId: PARENT };
    expect(parseTraceparent(`00-${TRACE}-${PARENT}-01`)).toEqual({ ...context, isSampled: true });
    expect(parseTraceparent(`00-${TRACE}-${PARENT}-00`)).toEqual({ ...context, isSampled: false });
    expect(parseTraceparent(`00-${TRACE}-${PARENT}-fe`)?.isSampled).toBe(false);
  });

  test("of a later version may have more behind it", () => {
    expect(parseTraceparent(`cc-${TRACE}-${PARENT}-01-what-the-future-brings`)?.spanId).toBe(
      PARENT,
    );
  });

  test.each([
    "",
    `00-${TRACE}-${PARENT}`,
    `00-${TRACE}-${PARENT}-1`,
    `00-${TRACE}-${PARENT}-01-more`,
    `cc-${TRACE}-${PARENT}-01.more`,
    `ff-${TRACE}-${PARENT}-01`,
    `00-${"0".repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01,00-${TRACE}-${PARENT}-01`,
    ` 00-${TRACE}-${PARENT}-01`,
  ])("is nothing if it is %j", (value) => {
    expect(parseTraceparent(value)).toBeUndefined();
  });

  test("of random text is nothing", () => {
    const random = seeded(77);
    for (let round = 0; round < 2000; round++)
      expect(parseTraceparent(randomText(random, 60))).toBeUndefined();
  });
});
