import { describe, expect, test } from "bun:test";
import { DEFAULT_PATH, normaliseEnvironment, pathOf } from "../../../src/oci/environment.ts";

describe("an environment", () => {
  test("is passed on verbatim, with white space and further equals signs", () => {
    const env = [" A = b ", "C=d=e", "E=", "F=\n"];
    expect(normaliseEnvironment(env)).toEqual(env);
  });

  test.each(["no equals", "=value", "=", "", "A=b\0c", "A\0=b"])(
    "loses the entry %j, which execve cannot pass",
    (entry) => {
      expect(normaliseEnvironment(["X=1", entry, "Y=2"])).toEqual(["X=1", "Y=2"]);
    },
  );

  test("keeps the last of several entries for a name, where that one stands", () => {
    expect(normaliseEnvironment(["A=1", "B=1", "A=2", "C=1", "B=2"])).toEqual([
      "A=2",
      "C=1",
      "B=2",
    ]);
  });

  test("does not let an invalid entry replace a valid one", () => {
    expect(normaliseEnvironment(["A=1", "A=2\0"])).toEqual(["A=1"]);
  });

  test("tells names apart by case and by white space", () => {
    expect(normaliseEnvironment(["a=1", "A=2", "A =3"])).toEqual(["a=1", "A=2", "A =3"]);
  });
});

describe("the search path", () => {
  test("is the last PATH", () => {
    expect(pathOf(["PATH=/a", "XPATH=/b", "PATH=/c:/d"])).toBe("/c:/d");
  });

  test("is empty when PATH is", () => {
    expect(pathOf(["PATH="])).toBe("");
  });

  test("is the default when there is no PATH", () => {
    expect(pathOf(["HOME=/"])).toBe(DEFAULT_PATH);
    expect(pathOf([])).toBe("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  });
});
