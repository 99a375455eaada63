import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readToml } from "../../../src/kernel/toml-file.ts";
import { randomText, seeded } from "../../support/random.ts";

const directory = mkdtempSync(join(tmpdir(), "kata-agent-toml-"));
afterAll(() => rmSync(directory, { recursive: true }));

function fileOf(content: string | Uint8Array): string {
  const path = join(directory, "agent.toml");
  writeFileSync(path, content);
  return path;
}

describe("a TOML file", () => {
  test("is read as an object", () => {
    const path = fileOf(
      `log_level = "debug"\n# words\nhotplug_timeout = { secs = 3, nanos = 0 }\n`,
    );
    expect(readToml(path)).toEqual({
      log_level: "debug",
      hotplug_timeout: { secs: 3, nanos: 0 },
    });
  });

  test("may be empty", () => {
    expect(readToml(fileOf(""))).toEqual({});
  });

  test("has no key that is more than a key", () => {
    const content = readToml(fileOf("__proto__ = { log_level = 1 }"));
    expect(Object.keys(content)).toEqual(["__proto__"]);
    expect(content["log_level"]).toBeUndefined();
  });

  test("that is missing is an error of the kernel's", () => {
    expect(() => readToml("/nowhere/agent.toml")).toThrow(
      "read /nowhere/agent.toml: ENOENT: No such file or directory",
    );
  });

  test("that is a directory, or something that would be waited for, is refused", () => {
    const fifo = join(directory, "fifo");
    expect(Bun.spawnSync(["mkfifo", fifo]).exitCode).toBe(0);
    for (const path of [directory, fifo, "/dev/null", "/dev/zero"]) {
      expect(() => readToml(path)).toThrow(`read ${path}: not a file`);
    }
  });

  test("of more than a mebibyte is refused before it is read whole", () => {
    const path = fileOf("");
    truncateSync(path, 2 ** 40);
    expect(() => readToml(path)).toThrow("longer than 1048576 bytes");
  });

  test("that is no text, or no TOML, is refused by its name", () => {
    for (const content of [new Uint8Array([0x61, 0xff]), "a = "]) {
      const path = fileOf(content);
      expect(() => readToml(path)).toThrow(`read ${path}: `);
    }
  });

  test("of any other text is an object or an error, however deep it goes", () => {
    const random = seeded(5);
    const texts = Array.from({ length: 500 }, () => randomText(random, 60));
    for (const text of [...texts, `a=${"[".repeat(500_000)}`, `[${"a.".repeat(200_000)}b]`]) {
      const path = fileOf(text);
      const tried = () => readToml(path);
      try {
        expect(tried()).toBeObject();
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }
  });
});
