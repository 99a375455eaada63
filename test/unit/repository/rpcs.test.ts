// The folder src/rpc is the API, and the README says how much of it there is.
import { describe, expect, test } from "bun:test";
import { basename } from "node:path";
import { AgentService } from "../../../src/gen/agent_pb.ts";
import { Health } from "../../../src/gen/health_pb.ts";
import { filesOf, textOf } from "./source.ts";

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

/** The rows `| area | works | UNIMPLEMENTED |` of the README. */
function table(): { works: string[]; unimplemented: string[] } {
  const rows = textOf("README.md").split("\n");
  const start = rows.findIndex((row) => /^\|.*\| works\b.*\| UNIMPLEMENTED\b.*\|$/.test(row));
  const after = rows.slice(start + 2);
  const end = after.findIndex((row) => !row.startsWith("|"));
  const cells = after.slice(0, end).map((row) => row.split("|").slice(2, 4));
  const column = (index: number) => cells.flatMap((row) => row[index]?.match(/\w+/g) ?? []);
  return { works: column(0), unimplemented: column(1) };
}

describe("the RPCs", () => {
  test("are 42 of the agent and 2 of its health", () => {
    expect(AgentService.methods.length).toBe(42);
    expect(Health.methods.length).toBe(2);
  });

  test("are the files of src/rpc, so that its listing is the protocol", () => {
    const names = new Set(methods.map(fileNameOf));
    expect(files.filter((name) => !names.has(name))).toEqual([]);
    expect(files.length).toBeGreaterThan(0);
  });

  test("stand each once in the README's table", () => {
    const { works, unimplemented } = table();
    expect([...works, ...unimplemented].toSorted()).toEqual(methods.toSorted());
  });

  test("work, says the README, exactly where they have a file", () => {
    expect(table().works.map(fileNameOf).toSorted()).toEqual(files.toSorted());
  });

  test("without a file are UNIMPLEMENTED in the list of handlers too", () => {
    const refused = [...textOf("src/rpc/index.ts").matchAll(/^ {2}(\w+): null,$/gm)].map(
      ([, name = ""]) => name.toLowerCase(),
    );
    expect(refused.toSorted()).toEqual(
      table()
        .unimplemented.map((name) => name.toLowerCase())
        .toSorted(),
    );
  });
});
