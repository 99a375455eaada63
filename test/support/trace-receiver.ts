// A collector of spans: OTLP over HTTP on a unix socket, kept for the test to look at.

export type ReceivedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string };
  }[];
  readonly status: { readonly code?: number; readonly message?: string };
};

type Received = {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[];
  }[];
};

export class TraceReceiver implements Disposable {
  readonly path: string;
  readonly spans: ReceivedSpan[] = [];
  requests = 0;
  readonly #server: Bun.Server<unknown>;

  /** `status`: what it answers. */
  constructor(path: string, status = 200) {
    this.path = path;
    this.#server = Bun.serve({
      unix: path,
      fetch: async (request) => {
        this.requests++;
        const { pathname } = new URL(request.url);
        if (request.method !== "POST" || pathname !== "/v1/traces")
          return new Response(null, { status: 404 });
        const { resourceSpans }: Received = JSON.parse(await request.text());
        for (const { scopeSpans } of resourceSpans)
          for (const { spans } of scopeSpans) this.spans.push(...spans);
        return Response.json({}, { status });
      },
    });
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }
}
