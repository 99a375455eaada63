import { describe, expect, test } from "bun:test";
import { type KernelModule, refuseModules } from "../../../src/guest/modules.ts";

function refusalOf(...modules: readonly KernelModule[]): string {
  try {
    refuseModules(modules);
  } catch (error) {
    return String(error);
  }
  throw new Error("they were taken");
}

const named = (name: string): KernelModule => ({ name, parameters: [] });

describe("kernel modules", () => {
  test("have names, and parameters with or without values", () => {
    refuseModules([
      named("nf_conntrack"),
      { name: "i915", parameters: ["enable_ppgtt=0", "debug", "a.b=c,d/e:-1"] },
      named("snd-hda-intel"),
      named("x".repeat(55)),
    ]);
  });

  test("without a name are refused in the words of Kata's agent", () => {
    expect(refusalOf(named(""))).toContain("Kernel module name is empty");
  });

  test.each([
    "-r",
    "--remove",
    "../evil",
    "/tmp/evil.ko",
    "a b",
    "a\nb",
    "a\0",
    "é",
    "x".repeat(56),
  ])("are not called %j: modprobe would take it for something else", (name) => {
    expect(refusalOf(named("loop"), named(name))).toContain("invalid name");
  });

  test.each([
    "",
    "-C",
    "--config=/tmp/x",
    "a b",
    "a=b c=d",
    "a=\nb",
    "a\0",
    "=1",
    "x".repeat(1025),
  ])("have no parameter %j", (parameter) => {
    const refusal = refusalOf({ name: "loop", parameters: ["max_loop=1", parameter] });
    expect(refusal).toContain("kernel module loop: invalid parameter");
  });

  test("are 64 at most, with as many parameters", () => {
    const many = <Item>(item: Item) => Array.from({ length: 65 }, () => item);
    expect(refusalOf(...many(named("loop")))).toContain("more than 64 kernel modules");
    expect(refusalOf({ name: "loop", parameters: many("a=1") })).toContain(
      "more than 64 parameters",
    );
  });
});
