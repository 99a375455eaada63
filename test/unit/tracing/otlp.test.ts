import { expect, test } from "bun:test";
import { otlpJson } from "../../../src/tracing/otlp.ts";

test("spans are OTLP's JSON: ids in hexadecimal, 64-bit numbers as text", () => {
  const span = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    parentSpanId: undefined,
    name: "create_container",
    kind: "server",
    from: 1_796_035_532_398.25,
    to: 1_796_035_532_400.5,
    attributes: { "rpc.method": "CreateContainer", count: 3 },
    error: undefined,
  } as const;
  const failed = { ...span, parentSpanId: span.spanId, kind: "internal", error: "no" } as const;
  const common = {
    traceId: span.traceId,
    spanId: span.spanId,
    name: "create_container",
    startTimeUnixNano: "1796035532398250000",
    endTimeUnixNano: "1796035532400500000",
    attributes: [
      { key: "rpc.method", value: { stringValue: "CreateContainer" } },
      { key: "count", value: { intValue: "3" } },
    ],
  };
  expect(JSON.parse(otlpJson([span, failed], { "service.name": "kata-agent" }))).toEqual({
    resourceSpans: [
      {
        resource: {
          attributes: [{ key: "service.name", value: { stringValue: "kata-agent" } }],
        },
        scopeSpans: [
          {
            scope: { name: "kata-agent" },
            spans: [
              { ...common, kind: 2, status: {} },
              {
                ...common,
                kind: 1,
                parentSpanId: span.spanId,
                status: { code: 2, message: "no" },
              },
            ],
          },
        ],
      },
    ],
  });
});
