// A policy as text: the part of Rego that policies without conditions are written in. What is not
// understood is refused, for a rule that is overlooked might be the one that forbids.
import { type AgentError, invalidArgument } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";

/** What each rule says, by its name. */
export type Rules = ReadonlyMap<string, boolean>;

/** As Kata's own agent bounds it: process.md section 4.1. */
const LONGEST = 16 << 20;
/** Of rules without conditions: there is one for each request. */
const MOST_LINES = 4096;

/** Where Kata's agent looks for its rules: process.md section 4.1. */
const PACKAGE = /^package\s+agent_policy$/;
/** Up to the end of the line, whatever else Unicode takes for one. */
const COMMENT = /#[^]*/;
/** They change how other rules are written, and nothing about these. */
const IMPORT = /^import\s+(rego\.v1|future\.keywords(\.(contains|every|if|in))?)$/;
const DEFAULT = /^default\s+([A-Za-z_]\w*)\s*:?=\s*(true|false)$/;

/** Throws an AgentError that says which line is not understood. */
export function parseRules(text: string): Rules {
  if (text.length > LONGEST) throw invalidArgument(`policy: longer than ${LONGEST} characters`);
  const rules = new Map<string, boolean>();
  let hasPackage = false;
  for (const [index, line] of text.split("\n", MOST_LINES + 1).entries()) {
    if (index === MOST_LINES) throw refusal(index, "it is one too many");
    const statement = line.replace(COMMENT, "").trim();
    const [, name, value] = DEFAULT.exec(statement) ?? [];
    if (statement === "") continue;
    else if (!hasPackage) hasPackage = isPackage(index, statement);
    else if (name === undefined) refuseUnlessImport(index, statement);
    else if (rules.has(name)) throw refusal(index, `there are two defaults of ${quote(name)}`);
    else rules.set(name, value === "true");
  }
  if (!hasPackage) throw invalidArgument("policy: it has no package");
  return rules;
}

function isPackage(index: number, statement: string): true {
  if (PACKAGE.test(statement)) return true;
  throw refusal(index, `${quote(statement)} is not ${quote("package agent_policy")}`);
}

function refuseUnlessImport(index: number, statement: string): void {
  if (IMPORT.test(statement)) return;
  throw refusal(
    index,
    `${quote(statement)} is not understood: only defaults that are true or false`,
  );
}

function refusal(index: number, reason: string): AgentError {
  return invalidArgument(`policy: line ${index + 1}: ${reason}`);
}
