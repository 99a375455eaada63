import { describe, expect, test } from "bun:test";
import { runProgram } from "../../../src/child/program.ts";
import { reapInThisFile } from "../../support/child.ts";

reapInThisFile();

const signal = new AbortController().signal;
const sh = { paths: ["/no/such/sh", "/bin/sh"], signal, timeoutMs: 10_000 };

const script = (text: string) => ({ ...sh, args: ["-c", text] });

describe("a program of the guest", () => {
  test("is the first of its paths that is there, and is heard on both outputs", async () => {
    const heard = await runProgram(script("echo out; echo err >&2; exit 3"));
    expect(heard).toEqual({ status: 3, stdout: "out\n", stderr: "err\n" });
  });

  test("is told what stands on its standard input", async () => {
    const heard = await runProgram({ ...script("cat"), stdin: "x".repeat(50_000) });
    expect(heard.stdout.length).toBe(50_000);
  });

  test("has a small environment of its own, unless it is given one", async () => {
    expect((await runProgram(script("echo $LC_ALL"))).stdout).toBe("C\n");
    const given = await runProgram({ ...script("echo $A $LC_ALL"), environment: ["A=b"] });
    expect(given.stdout).toBe("b\n");
  });

  test("may say no more than was allowed", async () => {
    const long = { ...script("head -c 2000 /dev/zero"), mostOutput: 1000 };
    await expect(runProgram(long)).rejects.toThrow("/bin/sh has written more than 1000 bytes");
  });

  test("is killed with what it has started when its time is over", async () => {
    const hung = { ...script("sleep 1000 & wait"), timeoutMs: 50 };
    await expect(runProgram(hung)).rejects.toThrow("/bin/sh: it has not ended within 0.05 s");
  });

  test("is refused by name where the guest has none", async () => {
    const missing = { ...sh, paths: ["/no/a", "/no/b"], args: [] };
    await expect(runProgram(missing)).rejects.toThrow("the guest has none of /no/a, /no/b");
  });
});
