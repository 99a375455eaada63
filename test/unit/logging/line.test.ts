import { describe, expect, test } from "bun:test";
import { type Entry, TYPES, lineOf } from "../../../src/logging/line.ts";
import { VERSION } from "../../../src/version.ts";
import { randomText, seeded } from "../../support/random.ts";

const ENTRY: Entry = {
  type: "info",
  date: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
  pid: 101,
  subsystem: "rpc",
  message: "ttRPC server started",
  fields: { address: "vsock://-1:1024" },
};

/** As the Go runtime's parser reads it: one object, all values strings. */
function parse(line: string): Record<string, string> {
  expect(line.endsWith("\n")).toBe(true);
  expect(line.indexOf("\n")).toBe(line.length - 1);
  const record: Record<string, unknown> = JSON.parse(line);
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => {
      if (typeof value !== "string") throw new Error(`${key} is no string`);
      return [key, value];
    }),
  );
}

describe("a line of the log", () => {
  test("is what Kata's runtimes and its log parser read", () => {
    expect(lineOf(ENTRY)).toBe(
      `{"msg":"ttRPC server started","level":"INFO","ts":"2026-01-02T03:04:05.678Z",` +
        `"version":"${VERSION}","source":"agent","name":"kata-agent","pid":"101",` +
        `"subsystem":"rpc","address":"vsock://-1:1024"}\n`,
    );
  });

  test("has Kata's word for how bad it is", () => {
    const words = TYPES.map((type) => parse(lineOf({ ...ENTRY, type }))["level"]);
    expect(words).toEqual(["CRIT", "ERRO", "WARN", "INFO", "DEBG", "TRCE"]);
  });

  test("says who logs, and what, whatever its fields are called", () => {
    const fields = { source: "/run/volume", name: "web", level: "DEBG", file: "motd" };
    const record = parse(lineOf({ ...ENTRY, fields }));
    expect(record).toMatchObject({ source: "agent", name: "kata-agent", level: "INFO" });
    expect(record["file"]).toBe("motd");
  });

  test("stays one line of strings whatever is logged", () => {
    const random = seeded(4);
    for (let round = 0; round < 1000; round++) {
      const message = `${randomText(random, 200)}\n\u2028\ud800"`;
      const fields = { "container-id": randomText(random, 100), error: "\0\n" };
      const record = parse(lineOf({ ...ENTRY, message, fields }));
      expect(Object.keys(record).slice(0, 3)).toEqual(["msg", "level", "ts"]);
      expect(record["error"]).toBe("\0\n");
    }
  });

  test.each(["x", "\0", "€"])(
    "of a million of %j is cut to what the runtime's scanner takes",
    (character) => {
      const long = character.repeat(1_000_000);
      const line = lineOf({ ...ENTRY, message: long, fields: { tape: long, stack: long } });
      expect(Buffer.byteLength(line)).toBeLessThan(64 << 10);
      expect(parse(line)["tape"]).toEndWith(`${character}…`);
    },
  );
});
