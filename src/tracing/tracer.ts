// Spans of what the agent does: one for a call, with those of its phases below it. Which call a phase is
// part of the runtime keeps track of (AsyncLocalStorage), so nothing in between has to hand it on.
import { AsyncLocalStorage } from "node:async_hooks";
import type { Attributes, Span, SpanContext } from "./span.ts";

export type Server = {
  /** undefined: it begins a trace. */
  readonly parent: SpanContext | undefined;
  readonly name: string;
  readonly attributes: Attributes;
};

type Current = SpanContext & {
  /** Of the clock that does not jump, to that of the world: the guest's may be set while a call runs. */
  readonly offset: number;
};

type Work<Result> = () => Promise<Result>;

/** An error is text of any length. */
const LONGEST_ERROR = 1024;

const current = new AsyncLocalStorage<Current>();
let sink: ((span: Span) => void) | undefined;

/** From now on spans are made, and given to `onSpan` when they end. Off until this is called. */
export function startTracing(onSpan: (span: Span) => void): void {
  sink = onSpan;
}

/** False: nothing below costs more than this look. */
export function isTracing(): boolean {
  return sink !== undefined;
}

/** Do what somebody has asked for. */
export function traced<Result>(server: Server, work: Work<Result>): Promise<Result> {
  const { parent, name, attributes } = server;
  if (sink === undefined || parent?.isSampled === false) return work();
  const offset = Date.now() - performance.now();
  const traceId = parent?.traceId ?? randomId(16);
  const made = { traceId, spanId: randomId(8), isSampled: true, offset };
  return record(made, { parent: parent?.spanId, name, kind: "server", attributes }, work);
}

/** Do a part of what the call under way asks for; outside of one nobody asks. */
export function phase<Result>(name: string, work: Work<Result>): Promise<Result> {
  if (sink === undefined) return work();
  const parent = current.getStore();
  if (parent === undefined) return work();
  const made = { ...parent, spanId: randomId(8) };
  return record(made, { parent: parent.spanId, name, kind: "internal", attributes: {} }, work);
}

type Described = Pick<Span, "name" | "kind" | "attributes"> & {
  readonly parent: string | undefined;
};

async function record<Result>(
  made: Current,
  { parent, ...described }: Described,
  work: Work<Result>,
): Promise<Result> {
  const { traceId, spanId, offset } = made;
  const from = performance.now() + offset;
  let failure: string | undefined;
  try {
    return await current.run(made, work);
  } catch (error) {
    failure = String(error).slice(0, LONGEST_ERROR);
    throw error;
  } finally {
    const to = performance.now() + offset;
    sink?.({ ...described, traceId, spanId, parentSpanId: parent, from, to, error: failure });
  }
}

function randomId(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
}
