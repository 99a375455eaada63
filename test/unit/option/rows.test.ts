// Each option by each of its names, with every value that it has and some that it has not.
import { describe, expect, test } from "bun:test";
import { configurationMarkdown } from "../../../src/config.ts";
import type { Sources } from "../../../src/option/sources.ts";
import { ROWS, type Row, nameOf } from "./rows.ts";
import { DEFAULTS, file, read } from "./told.ts";

/** Each way to tell a row that text: as a kernel parameter, as a variable. */
function toldAs({ parameter, variable }: Row, text: string | undefined): Partial<Sources>[] {
  const value = text === undefined ? "" : `=${text}`;
  return [
    ...(parameter === undefined ? [] : [{ commandLine: `quiet ${parameter}${value} ro` }]),
    ...(variable === undefined || text === undefined
      ? []
      : [{ environment: { [variable]: text } }]),
  ];
}

describe.each(ROWS.map((row) => [nameOf(row), row] as const))("%s", (name, row) => {
  test("has the default of Kata's own agent, or a better one", () => {
    expect(row.of(DEFAULTS)).toEqual(row.unlessTold);
  });

  test("takes each value that it may have", () => {
    for (const [text, value] of row.good) {
      for (const sources of toldAs(row, text)) {
        const { config, warnings } = read(sources);
        expect([sources, row.of(config)]).toEqual([sources, value]);
        expect(warnings.filter((warning) => warning.includes("ignored"))).toEqual([]);
      }
    }
    for (const [given, value] of row.goodToml) {
      if (row.key === undefined) continue;
      const { config, warnings } = read({ file: file({ [row.key]: given }) });
      expect([given, row.of(config)]).toEqual([given, value]);
      expect(warnings.filter((warning) => warning.includes("ignored"))).toEqual([]);
    }
  });

  test("keeps its default when told anything else, and says which option was told what", () => {
    // A blank ends a kernel parameter.
    for (const text of row.bad.filter((each) => !each?.includes(" "))) {
      for (const sources of toldAs(row, text)) {
        const { config, warnings } = read(sources);
        expect([sources, config]).toEqual([sources, DEFAULTS]);
        expect(warnings).toHaveLength(1);
        expect(warnings[0]).toStartWith(Object.keys(sources.environment ?? {})[0] ?? name);
        expect(warnings[0]).toMatch(/ is ignored: want ./);
      }
    }
    for (const given of row.key === undefined ? [] : row.badToml) {
      const { config, warnings } = read({ file: file({ [row.key ?? ""]: given }) });
      expect([given, config]).toEqual([given, DEFAULTS]);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toStartWith(`${row.key} of /etc/agent.toml`);
    }
  });
});

describe("the table", () => {
  test("has the rows above and no other", () => {
    const rows = configurationMarkdown()
      .split("\n")
      .filter((line) => /^\| `\w/.test(line));
    const names = rows.map((line) => /`([\w.]+)`/.exec(line)?.[1] ?? "");
    expect(names.toSorted()).toEqual(ROWS.map(nameOf).toSorted());
  });

  test("knows no option of the command line's in a file that names a file", () => {
    const { config, warnings } = read({ file: file({ config_file: "/x", cgroup_no_v1: "all" }) });
    expect(config).toEqual(DEFAULTS);
    expect(warnings).toEqual([
      `"config_file" of /etc/agent.toml is unknown`,
      `"cgroup_no_v1" of /etc/agent.toml is unknown`,
    ]);
  });
});
