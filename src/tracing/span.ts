// A piece of work in time, as OpenTelemetry has it.

export type SpanContext = {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** False: whoever began the trace does not want it kept. */
  readonly isSampled: boolean;
};

export type Attributes = Readonly<Record<string, string | number>>;

export type Span = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** `server` for what was asked from outside. */
  readonly kind: "server" | "internal";
  /** Milliseconds since 1970, with fractions. */
  readonly from: number;
  readonly to: number;
  readonly attributes: Attributes;
  /** What it failed with. */
  readonly error: string | undefined;
};
