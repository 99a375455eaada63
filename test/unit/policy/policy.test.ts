import { describe, expect, test } from "bun:test";
import { AgentError } from "../../../src/error.ts";
import { Policy } from "../../../src/policy/policy.ts";

function policyOf(...rules: string[]) {
  const forgiven: string[] = [];
  const text = ["package agent_policy", ...rules].join("\n");
  const policy = new Policy(text, ({ message }) => void forgiven.push(message));
  return { policy, forgiven };
}

function outcomeOf(policy: Policy, request: string): string {
  try {
    policy.check(request);
    return "allowed";
  } catch (error) {
    if (error instanceof AgentError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const DENIED = "PERMISSION_DENIED: CopyFileRequest is blocked by policy";
const UNKNOWN =
  "INTERNAL: CopyFileRequest: internal error policy check: the policy has no such rule";

describe("a policy", () => {
  test("that is not there allows everything", () => {
    expect(outcomeOf(new Policy(undefined, () => {}), "CopyFileRequest")).toBe("allowed");
  });

  test("allows what it says, and refuses the rest in the words that hosts look for", () => {
    const allowing = policyOf("default CopyFileRequest := true").policy;
    expect(outcomeOf(allowing, "CopyFileRequest")).toBe("allowed");
    const denying = policyOf("default CopyFileRequest := false").policy;
    expect(outcomeOf(denying, "CopyFileRequest")).toBe(DENIED);
    expect(outcomeOf(policyOf().policy, "CopyFileRequest")).toBe(UNKNOWN);
  });

  test("that only watches lets pass what it refuses, and says so", () => {
    const { policy, forgiven } = policyOf(
      "default AllowRequestsFailingPolicy := true",
      "default CopyFileRequest := false",
    );
    expect(outcomeOf(policy, "CopyFileRequest")).toBe("allowed");
    expect(outcomeOf(policy, "AddSwapRequest")).toBe("allowed");
    expect(forgiven).toEqual([
      "CopyFileRequest is blocked by policy",
      "AddSwapRequest: internal error policy check: the policy has no such rule",
    ]);
  });

  test("gives way to another as a whole", () => {
    const { policy } = policyOf(
      "default AllowRequestsFailingPolicy := true",
      "default AddSwapRequest := true",
    );
    policy.replace("package agent_policy\ndefault CopyFileRequest := false");
    expect(outcomeOf(policy, "CopyFileRequest")).toBe(DENIED);
    expect(outcomeOf(policy, "AddSwapRequest")).toStartWith("INTERNAL: ");
  });

  test("stays where the other is not understood", () => {
    const { policy } = policyOf("default CopyFileRequest := false");
    expect(() => policy.replace("package agent_policy\nCopyFileRequest { true }")).toThrow(
      "line 2",
    );
    expect(outcomeOf(policy, "CopyFileRequest")).toBe(DENIED);
  });

  test("is not begun with if it is not understood", () => {
    expect(() => policyOf("CopyFileRequest { input.path }")).toThrow("is not understood");
  });
});
