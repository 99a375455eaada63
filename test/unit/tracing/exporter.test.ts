import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../../src/async/until.ts";
import { Exporter } from "../../../src/tracing/exporter.ts";
import { TraceReceiver } from "../../support/trace-receiver.ts";

const directory = mkdtempSync(join(tmpdir(), "kata-agent-exporter-"));
afterAll(() => rmSync(directory, { recursive: true }));
let serial = 0;

const span = (name: string) =>
  ({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    parentSpanId: undefined,
    name,
    kind: "server",
    from: 1,
    to: 2,
    attributes: {},
    error: undefined,
  }) as const;

function exporterTo(path: string) {
  const losses: string[] = [];
  const exporter = new Exporter({
    address: { family: "unix", path },
    name: "the host",
    resource: {},
    onLoss: (error) => void losses.push(String(error)),
  });
  return { exporter, losses };
}

const freshPath = () => join(directory, `socket-${++serial}`);

describe("spans on their way to the host", () => {
  test("are sent together after a while", async () => {
    using receiver = new TraceReceiver(freshPath());
    const { exporter, losses } = exporterTo(receiver.path);
    for (const name of ["one", "two", "three"]) exporter.add(span(name));
    await until(() => receiver.spans.length > 0, 5000);
    expect(receiver.spans.map(({ name }) => name)).toEqual(["one", "two", "three"]);
    expect(receiver.requests).toBe(1);
    expect(losses).toEqual([]);
  });

  test("are sent at once when the agent ends, however many", async () => {
    using receiver = new TraceReceiver(freshPath());
    const { exporter } = exporterTo(receiver.path);
    for (let i = 0; i < 1500; i++) exporter.add(span(`span ${i}`));
    await exporter.flush();
    expect(receiver.spans).toHaveLength(1500);
    expect(receiver.requests).toBe(3);
  });

  test("are lost where nobody listens, which is said once, and go on when somebody does", async () => {
    const path = freshPath();
    const { exporter, losses } = exporterTo(path);
    for (let i = 0; i < 3; i++) {
      exporter.add(span("lost"));
      await exporter.flush();
    }
    expect(losses).toEqual(["KernelError: connect to the host: ENOENT: No such file or directory"]);
    using receiver = new TraceReceiver(path);
    exporter.add(span("found"));
    await exporter.flush();
    expect(receiver.spans.map(({ name }) => name)).toEqual(["found"]);
  });

  test("are lost where they are refused", async () => {
    using receiver = new TraceReceiver(freshPath(), 503);
    const { exporter, losses } = exporterTo(receiver.path);
    exporter.add(span("refused"));
    await exporter.flush();
    expect(losses).toEqual(["Error: the host answers 503"]);
  });

  test("are lost where somebody listens who speaks another language", async () => {
    const path = freshPath();
    const listener = Bun.listen({
      unix: path,
      socket: { data: (socket) => void socket.end("220 ready\r\n and more") },
    });
    const { exporter, losses } = exporterTo(path);
    exporter.add(span("lost"));
    await exporter.flush();
    listener.stop(true);
    expect(losses).toEqual(["Error: the host answers nothing"]);
  });

  test("do not pile up: what comes beyond 4096 is lost", async () => {
    using receiver = new TraceReceiver(freshPath());
    const { exporter, losses } = exporterTo(receiver.path);
    for (let i = 0; i < 5000; i++) exporter.add(span(`span ${i}`));
    await exporter.flush();
    expect(receiver.spans).toHaveLength(4096);
    expect(losses).toEqual(["Error: more than 4096 spans wait"]);
  });

  test("hold up nobody where the host takes the connection and says nothing", async () => {
    const path = freshPath();
    const listener = Bun.listen({ unix: path, socket: { data: () => {} } });
    const { exporter, losses } = exporterTo(path);
    exporter.add(span("lost"));
    await exporter.flush();
    listener.stop(true);
    expect(losses).toEqual(["Error: the host answers nothing"]);
  }, 20_000);
});
