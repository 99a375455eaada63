// The folder src/rpc is the API, and the README says how much of it there is.
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { AgentService } from "../../../src/gen/agent_pb.ts";
import { Health } from "../../../src/gen/health_pb.ts";
import { ROOT, filesOf, textOf } from "./source.ts";

const methods = [...AgentService.methods, ...Health.methods].map(({ name }) => name);

/** What every RPC goes through. */
const SHARED_BY_ALL = [
  "dispatch",
  "errors",
  "handler",
  "index",
  "policy-names",
  "span-name",
  "stream-message",
];

const files = filesOf("src/rpc/*.ts")
  .map((path) => basename(path, ".ts"))
  .filter((name) => !SHARED_BY_ALL.includes(name));

/** GetOOMEvent → get-oom-event, GetIPTables → get-ip-tables */
function fileNameOf(method: string): string {
  return method
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .toLowerCase();
}

/** The rows `| call | what it is for | test |` of the README. */
function table(): readonly { readonly call: string; readonly file: string }[] {
  const rows = textOf("README.md").split("\n");
  const start = rows.findIndex((row) => /^\| call\b.*\| test\b.*\|$/.test(row));
  const after = rows.slice(start + 2);
  const end = after.findIndex((row) => !row.startsWith("|"));
  return after.slice(0, end).map((row) => {
    const [, call = "", , file = ""] = row.split("|").map((cell) => cell.trim());
    return { call, file: file.replaceAll("`", "") };
  });
}

describe("the RPCs", () => {
  test("are 42 of the agent and 2 of its health", () => {
    expect(AgentService.methods.length).toBe(42);
    expect(Health.methods.length).toBe(2);
  });

  test("are the files of src/rpc, so that its listing is the protocol", () => {
    expect(files.toSorted()).toEqual(methods.map(fileNameOf).toSorted());
  });

  test("stand each once in the README's table", () => {
    expect(
      table()
        .map(({ call }) => call)
        .toSorted(),
    ).toEqual(methods.toSorted());
  });

  test("have a test each, which the README names", () => {
    const missing = table().filter(({ file }) => !existsSync(join(ROOT, `test/${file}.test.ts`)));
    expect(missing).toEqual([]);
  });
});
