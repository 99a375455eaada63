// Who asked, and as part of what: the header traceparent of W3C's Trace Context, which Kata's runtime
// sends with the request.
import type { SpanContext } from "./span.ts";

/** version - trace - parent - flags. A later version may have more behind it. */
const TRACEPARENT =
  /^([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** undefined for what the standard says to take for nothing. */
export function parseTraceparent(value: string): SpanContext | undefined {
  const [, version, traceId, spanId, flags = "", rest] = TRACEPARENT.exec(value) ?? [];
  if (traceId === undefined || spanId === undefined || version === "ff") return undefined;
  if (version === "00" && rest !== undefined) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}
