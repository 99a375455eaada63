import { describe, expect, test } from "bun:test";
import { type Arguments, parseArguments } from "../../../src/option/arguments.ts";
import { pick, randomText, seeded } from "../../support/random.ts";

const parse = (line: string, isInit = false): Arguments =>
  parseArguments(line.split(" ").filter(Boolean), isInit);

function serve(configFile?: string, ...ignored: string[]): Arguments {
  return { role: "serve", configFile, ignored };
}

describe("the agent's command line", () => {
  test.each<readonly [string, Arguments]>([
    ["", serve()],
    ["-c /a", serve("/a")],
    ["--config /a", serve("/a")],
    // Kata's own agent takes these two and then forgets them.
    ["--config=/a", serve("/a")],
    ["-c/a", serve("/a")],
    ["-c=/a", serve("/a")],
    ["--config -x", serve("-x")],
    ["-v", { role: "version" }],
    ["--version", { role: "version" }],
    ["--bogus explain --help -v", { role: "version" }],
    ["-h", { role: "help" }],
    ["--help -c", { role: "help" }],
    ["help init", { role: "help" }],
    ["explain config.json", { role: "explain", file: "config.json" }],
  ])("says by %j what to do", (line, role) => {
    expect(parse(line)).toEqual(role);
  });

  test.each([
    ["--bogus", `unexpected argument "--bogus"`],
    ["-x -c /a", `unexpected argument "-x"`],
    ["word", `unexpected argument "word"`],
    ["init", `unexpected argument "init"`],
    ["-c", `unexpected argument "-c"`],
    ["--config=", `unexpected argument "--config="`],
    ["-c /a -c /b", "more than one configuration file"],
    ["explain", "explain takes one file"],
    ["explain a b", "explain takes one file"],
  ])("is refused for %j", (line, reason) => {
    expect(parse(line)).toEqual({ role: "refuse", reason });
  });

  test.each<readonly [string, Arguments]>([
    ["no_timer_check", serve(undefined, "no_timer_check")],
    ["splash -c /a noreplace-smp", serve("/a", "splash", "noreplace-smp")],
    ["-c", serve(undefined, "-c")],
    ["explain", serve(undefined, "explain")],
    ["-v", serve(undefined, "-v")],
    ["--version --help", serve(undefined, "--version", "--help")],
    ["help -c /a", serve("/a", "help")],
    ["explain config.json", serve(undefined, "explain", "config.json")],
  ])("of PID 1 has the kernel's words in it, so that %j ends nothing", (line, role) => {
    expect(parse(line, true)).toEqual(role);
  });

  test("of PID 1 makes it serve, whatever stands there", () => {
    const random = seeded(11);
    const words = ["-c", "--config", "explain", "-v", "--help", "help", "-", "--", "", "-c="];
    for (let round = 0; round < 2000; round++) {
      const args = Array.from({ length: 4 }, () =>
        random() < 0.7 ? pick(random, words) : randomText(random, 6),
      );
      expect(parseArguments(args, true).role).toBe("serve");
    }
  });
});
