// Spans as OpenTelemetry's collectors take them: OTLP 1.x, ExportTraceServiceRequest in its JSON form.
import type { Attributes, Span } from "./span.ts";

/** opentelemetry/proto/trace/v1/trace.proto */
const KIND = { internal: 1, server: 2 } as const;
const STATUS_CODE_ERROR = 2;

/** `resource` says who made them. */
export function otlpJson(spans: readonly Span[], resource: Attributes): string {
  const scope = { name: "kata-agent" };
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: pairs(resource) },
        scopeSpans: [{ scope, spans: spans.map(spanJson) }],
      },
    ],
  });
}

function spanJson({ from, to, kind, attributes, error, ...rest }: Span) {
  return {
    ...rest,
    kind: KIND[kind],
    startTimeUnixNano: nanoseconds(from),
    endTimeUnixNano: nanoseconds(to),
    attributes: pairs(attributes),
    status: error === undefined ? {} : { code: STATUS_CODE_ERROR, message: error },
  };
}

/** 64-bit numbers are text in JSON. */
function nanoseconds(milliseconds: number): string {
  return String(BigInt(Math.round(milliseconds * 1000)) * 1000n);
}

function pairs(attributes: Attributes) {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
  }));
}
