// Which source counts, what is said about the rest, and that nothing told makes the agent fail.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Config,
  configFileIn,
  configurationMarkdown,
  describeConfig,
} from "../../src/config.ts";
import type { Sources } from "../../src/option/sources.ts";
import { pick, randomText, seeded } from "../support/random.ts";
import { ROWS } from "./option/rows.ts";
import { DEFAULTS, file, read } from "./option/told.ts";
import { I32 } from "./option/values.ts";

describe("what the agent is told", () => {
  const everywhere = {
    commandLine: "agent.log=error",
    environment: { KATA_AGENT_LOG_LEVEL: "trace" },
  };
  const levelOf = (sources: Partial<Sources>) => read(sources).config.logLevel;

  test.each([
    ["the kernel's command line", { commandLine: "agent.log=error" }, "error"],
    ["the environment over it", everywhere, "trace"],
    [
      "a file named by an argument instead of it",
      { commandLine: "agent.log=error", file: file({ log_level: "debug" }) },
      "debug",
    ],
    [
      "the environment over such a file",
      { ...everywhere, file: file({ log_level: "debug" }) },
      "trace",
    ],
    [
      "the environment over such a file that says nothing",
      { ...everywhere, file: file({}) },
      "trace",
    ],
    [
      "nothing of the kernel's beside such a file",
      { commandLine: "agent.log=error", file: file({}) },
      "info",
    ],
    [
      "a file named by the kernel alone",
      { ...everywhere, file: file({ log_level: "debug" }, "parameter") },
      "debug",
    ],
    ["nothing beside such a file", { ...everywhere, file: file({}, "parameter") }, "info"],
    ["the last of several words", { commandLine: "agent.log=error agent.log=warn" }, "warning"],
    ["the last word that has a value", { commandLine: "agent.log=error agent.log=loud" }, "error"],
    [
      "the kernel's word where the environment has no value",
      { commandLine: "agent.log=error", environment: { KATA_AGENT_LOG_LEVEL: "loud" } },
      "error",
    ],
  ] as const)("comes from %s", (_, sources, level) => {
    expect(levelOf(sources)).toBe(level);
  });

  test("counts for the memory agent wherever its switch stands", () => {
    const commandLine = "agent.mem_agent_compact_order=3 agent.mem_agent_enable=1";
    const { memAgent } = read({ commandLine }).config;
    expect([memAgent.compactOrder, memAgent.enable]).toEqual([3, true]);
  });

  test("is passed over beside a file, which is said", () => {
    const { warnings } = read({
      commandLine: "quiet agent.config_file=/etc/agent.toml agent.log=error",
      environment: { KATA_AGENT_TRACING: "1", HOME: "/" },
      file: file({}, "parameter"),
    });
    expect(warnings).toEqual([
      "agent.log is passed over: what counts is /etc/agent.toml",
      "KATA_AGENT_TRACING is passed over: what counts is /etc/agent.toml",
    ]);
  });

  test("under a name of ours that is none is said to be unknown, and under another is not ours", () => {
    const { config, warnings } = read({
      commandLine: "quiet root=/dev/vda1 agent.debug_consolex agent.image_policy_file=x nvrc.log=1",
      environment: { KATA_AGENT_LOGLEVEL: "debug", PATH: "/bin" },
    });
    expect(config).toEqual(DEFAULTS);
    expect(warnings).toEqual([
      "agent.debug_consolex is unknown",
      "agent.image_policy_file is unknown",
      "KATA_AGENT_LOGLEVEL is unknown",
    ]);
  });

  test("in a file under a name that is none is said to be unknown: Kata's list of endpoints is gone", () => {
    const { warnings } = read({ file: file({ endpoints: { allowed: [] }, ["__proto__"]: 1 }) });
    expect(warnings).toContain(`"endpoints" of /etc/agent.toml is unknown`);
  });

  test("about what this version does not do has no effect, which is said unless it is the default", () => {
    expect(read({ commandLine: "agent.secure_storage_integrity=0" }).warnings).toEqual([
      "agent.secure_storage_integrity has no effect in this version",
    ]);
    // runtime-rs always says this.
    expect(read({ commandLine: "agent.cdh_api_timeout=50" }).warnings).toEqual([]);
  });

  test("does not fill the log, however much of it is wrong", () => {
    const content = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`x${i}`, i]));
    const { warnings } = read({ file: file(content) });
    expect(warnings).toHaveLength(65);
    expect(warnings.at(-1)).toBe("and 936 more like these");
  });
});

describe("the file that the kernel's command line names", () => {
  test.each([
    ["quiet", undefined],
    ["quiet agent.config_file=/a agent.config_file=/b", "/a"],
    ["agent.config_file=/a=b", "/a=b"],
    ["agent.config_file=", undefined],
    ["agent.config_file", undefined],
    ["xagent.config_file=/a", undefined],
  ])("by %j is %j", (commandLine, path) => {
    expect(configFileIn(commandLine)).toBe(path);
  });
});

describe("secrets", () => {
  test("of a proxy are in no warning and in no description", () => {
    const right = read({ commandLine: "agent.https_proxy=http://me:hunter2@proxy.example:1" });
    expect(right.config.httpsProxy).toContain("hunter2");
    expect(describeConfig(right.config)).toContain("//…@proxy.example:1/");
    const wrong = read({ commandLine: "agent.https_proxy=me:hunter2@:proxy:" });
    const inFile = read({ file: file({ https_proxy: "//hunter2@" }) });
    const said = [
      describeConfig(right.config),
      ...right.warnings,
      ...wrong.warnings,
      ...inFile.warnings,
    ];
    expect(said.join("\n")).not.toContain("hunter2");
    expect(wrong.warnings.length + inFile.warnings.length).toBe(2);
  });
});

describe("whatever is told", () => {
  const random = seeded(20);
  const names = [
    ...ROWS.flatMap(({ parameter, variable, key }) => [parameter, variable, key]),
    "agent.",
    "KATA_AGENT_",
    "__proto__",
    "constructor",
  ].filter((name) => name !== undefined);
  const texts = ROWS.flatMap(({ good, bad }) => [...good.map(([text]) => text), ...bad]).filter(
    (text) => text !== undefined,
  );
  const someText = () => (random() < 0.5 ? pick(random, texts) : randomText(random, 40));
  const values = ROWS.flatMap(({ goodToml, badToml }) => [
    ...goodToml.map(([value]) => value),
    ...badToml,
  ]);

  test("each value is one that the option may have, and no text makes it throw", () => {
    for (let round = 0; round < 3000; round++) {
      const commandLine = Array.from({ length: 5 }, () => `${pick(random, names)}=${someText()}`);
      const { config } = read({
        commandLine: [...commandLine, randomText(random, 100)].join(" "),
        environment: { [pick(random, names)]: someText(), [randomText(random, 5)]: someText() },
      });
      expect(JSON.parse(describeConfig(config))).toBeObject();
      expectValid(config);
    }
  });

  test("the same of a file", () => {
    for (let round = 0; round < 3000; round++) {
      const content = Object.fromEntries([
        ...Array.from({ length: 5 }, () => [pick(random, names), pick(random, values)]),
        [randomText(random, 10), someText()],
      ]);
      expectValid(read({ file: file(content, pick(random, ["argument", "parameter"])) }).config);
    }
  });
});

/** The bounds that the rest of the agent relies on. */
function expectValid(config: Config): void {
  const { logPort, debugConsolePort, passfdListenerPort, containerPipeSize } = config;
  for (const number of [logPort, debugConsolePort, passfdListenerPort, containerPipeSize]) {
    expect(Number.isInteger(number) && number >= 0 && number <= I32).toBe(true);
  }
  const { hotplugTimeoutMs, cdiTimeoutMs, guestComponents } = config;
  const { cdhApiTimeoutMs, imagePullTimeoutMs } = guestComponents;
  for (const number of [hotplugTimeoutMs, cdiTimeoutMs, cdhApiTimeoutMs, imagePullTimeoutMs]) {
    expect(Number.isInteger(number) && number >= 1 && number <= I32).toBe(true);
  }
}

test("docs/configuration.md is what the table says", () => {
  const path = join(import.meta.dir, "../../docs/configuration.md");
  if (Bun.env["UPDATE_DOCS"] === "1") writeFileSync(path, configurationMarkdown());
  if (!existsSync(path)) throw new Error("UPDATE_DOCS=1 bun test test/unit/config.test.ts");
  expect(readFileSync(path, "utf8")).toBe(configurationMarkdown());
});
