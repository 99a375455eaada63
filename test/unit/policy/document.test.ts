import { describe, expect, test } from "bun:test";
import { AgentError } from "../../../src/error.ts";
import { parseRules } from "../../../src/policy/document.ts";
import { policyNames } from "../../../src/rpc/policy-names.ts";
import { pick, randomText, seeded } from "../../support/random.ts";
import { textOf } from "../repository/source.ts";

const rulesOf = (text: string) => Object.fromEntries(parseRules(text));

function refusalOf(text: string): string {
  try {
    parseRules(text);
  } catch (error) {
    if (error instanceof AgentError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error("it was understood");
}

describe("a policy of defaults", () => {
  test("is a rule a line, among comments and imports", () => {
    const text = `# Who may do what
package agent_policy # as Kata has it

import rego.v1
import future.keywords
import future.keywords.in
default CopyFileRequest := true
\tdefault   ExecProcessRequest:=false\r
default SetPolicyRequest = true # := false
# default ReadStreamRequest := true
`;
    expect(rulesOf(text)).toEqual({
      CopyFileRequest: true,
      ExecProcessRequest: false,
      SetPolicyRequest: true,
    });
  });

  test("may have rules for requests that nobody makes any more, as those of Kata have", () => {
    expect(rulesOf("package agent_policy\ndefault PullImageRequest := true")).toEqual({
      PullImageRequest: true,
    });
  });

  test("may have no rule: nothing is allowed then", () => {
    expect(rulesOf("package agent_policy")).toEqual({});
  });

  test("that allows everything is there to be copied, and knows every request", () => {
    const rules = rulesOf(textOf("docs/policy/allow-all.rego"));
    expect(rules).toEqual(
      Object.fromEntries(Object.values(policyNames).map((name) => [name, true])),
    );
  });
});

describe("a policy that is not understood", () => {
  test.each([
    ["", "policy: it has no package"],
    ["# package agent_policy", "policy: it has no package"],
    ["package other", 'policy: line 1: "package other" is not "package agent_policy"'],
    ["default X := true", 'policy: line 1: "default X := true" is not "package agent_policy"'],
    ...[
      "package agent_policy",
      "CopyFileRequest := true",
      "CopyFileRequest { true }",
      "default CopyFileRequest := 1",
      "default CopyFileRequest := null",
      'default CopyFileRequest := "true"',
      "default CopyFileRequest := TRUE",
      "default CopyFileRequest := true; default X := true",
      "default CopyFileRequest == true",
      "default Copy.File := true",
      "default := true",
      "default CopyFileRequest := true or false",
      "import data.other",
      "import future.keywords.in as default",
      "}",
    ].map((line) => [
      `package agent_policy\n\n${line}`,
      `policy: line 3: ${JSON.stringify(line)} is not understood: only defaults that are true or false`,
    ]),
    [
      "package agent_policy\ndefault X := false\ndefault X := true",
      'policy: line 3: there are two defaults of "X"',
    ],
  ])("is refused: %j", (text, message) => {
    expect(refusalOf(text)).toBe(`INVALID_ARGUMENT: ${message}`);
  });

  test("is refused if it is longer than Kata's agent takes", () => {
    expect(refusalOf(`package agent_policy\n${"#".repeat(16 << 20)}`)).toBe(
      "INVALID_ARGUMENT: policy: longer than 16777216 characters",
    );
  });

  test("ends its comments with the line, and not where else Unicode does", () => {
    for (const separator of ["\r", "\v", "\f", "\u0085", "\u2028", "\u2029"]) {
      const text = `package agent_policy\n# no${separator}default X := true`;
      expect(rulesOf(text)).toEqual({});
    }
  });

  test("is refused at the line that is one too many: all are looked at in one go", () => {
    const lines = (count: number) => `package agent_policy${"\n#".repeat(count - 1)}`;
    expect(rulesOf(lines(4096))).toEqual({});
    expect(refusalOf(lines(4097))).toBe("INVALID_ARGUMENT: policy: line 4097: it is one too many");
  });

  test("costs no more than its length, whatever it holds", () => {
    const spaces = " ".repeat(1 << 20);
    for (const line of [`default${spaces}`, `default X${spaces}`, `${spaces}x${spaces}`]) {
      expect(refusalOf(`package agent_policy\n${line}`)).toStartWith("INVALID_ARGUMENT: policy");
    }
  });
});

test("of random text nothing is allowed that is not said so on a line of its own", () => {
  const random = seeded(6);
  const WORDS = ["default ", "X", " := ", "true", "false", "\n", "#", "package agent_policy\n"];
  for (let round = 0; round < 2000; round++) {
    const words = Array.from({ length: 12 }, () =>
      random() < 0.1 ? randomText(random, 4) : pick(random, WORDS),
    );
    const text = `package agent_policy\n${words.join("")}`;
    let isAllowed = false;
    try {
      isAllowed = parseRules(text).get("X") === true;
    } catch (error) {
      expect(error).toBeInstanceOf(AgentError);
    }
    if (isAllowed) expect(text).toMatch(/^\s*default\s+X := true\s*(#.*)?$/m);
  }
});
