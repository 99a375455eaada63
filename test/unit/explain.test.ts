// `kata-agent explain` of the config.json that `runc spec` writes, kept in explain.json.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { explain } from "../../src/explain.ts";
import { InvalidSpec } from "../../src/oci/invalid-spec.ts";
import config from "./explain.json" with { type: "json" };

const RUNC = readFileSync(`${import.meta.dir}/explain.json`, "utf8");

/** The names of the calls, in their order. */
function calls(text: string): readonly string[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => /^ *\d+ {2}(?:r\d+ = )?(\w+)/.exec(line)?.[1] ?? line);
}

describe("a spec explained", () => {
  const text = explain(RUNC);

  test("is one numbered call a line, each with its reason, and nothing else", () => {
    const lines = text.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(200);
    for (const [index, line] of lines.entries()) {
      expect(line).toMatch(/^ *\d+ {2}\S.* {2}# \S/);
      expect(line).toStartWith(String(index).padStart(3));
    }
  });

  test("begins with the child on its own and ends with the program", () => {
    expect(calls(text)[0]).toBe("prctl");
    expect(calls(text).at(-1)).toBe("execve");
    expect(text.trimEnd()).toEndWith("# execute /bin/sh");
  });

  test("shows the namespaces that a container gets", () => {
    const unshared = /unshare\((\S+)\)/.exec(text)?.[1]?.split("|").toSorted();
    expect(unshared).toEqual(
      ["CGROUP", "IPC", "NET", "NS", "UTS"].map((name) => `CLONE_NEW${name}`),
    );
  });

  test("shows the container where it will be", () => {
    expect(text).toContain(
      'mount("rootfs", "/run/kata-containers/c1/rootfs", NULL, MS_BIND, NULL)',
    );
    expect(text).toContain('sethostname("runc", 4)');
    for (const path of [...config.linux.maskedPaths, ...config.linux.readonlyPaths]) {
      expect(text).toContain(`# open ${path}\n`);
    }
  });

  test("is the same each time", () => {
    expect(explain(RUNC)).toBe(text);
  });

  test("shows a cgroup namespace that the spec does not list: it is made on v2", () => {
    const { linux } = config;
    const namespaces = linux.namespaces.filter(({ type }) => type !== "cgroup");
    const without = JSON.stringify({ ...config, linux: { ...linux, namespaces } });
    expect(explain(without)).toContain("CLONE_NEWCGROUP");
  });
});

describe("a spec with a filter of system calls", () => {
  const explained = (seccomp: object) =>
    explain(JSON.stringify({ ...config, linux: { ...config.linux, seccomp } }));

  test("loads it", () => {
    expect(explained({ defaultAction: "SCMP_ACT_ALLOW" })).toContain("# filter system calls");
  });

  test("that asks somebody else hands over what he listens at", () => {
    const syscalls = [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }];
    const asks = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/l", syscalls };
    expect(explained(asks)).toContain("# hand over the listener for system calls");
  });
});

describe("a spec that is not served", () => {
  test("is explained all the same, with a warning below", () => {
    const options = ["bind", "copy-symlink"];
    const mount = { destination: "/data", type: "bind", source: "/source", options };
    const text = explain(JSON.stringify({ ...config, mounts: [...config.mounts, mount] }));
    expect(text).toContain("mount /data");
    expect(text.trimEnd().split("\n").at(-1)).toBe(
      "not served, the container would be refused: an option of the mount /data",
    );
  });
});

test.each([
  ["is not JSON", "{", "config: not JSON"],
  ["has no process", JSON.stringify({ ...config, process: undefined }), "oci process is none"],
  [
    "asks for an impossible mount",
    JSON.stringify({ ...config, mounts: [{ destination: "/.." }] }),
    'the mount destination "/.." is invalid',
  ],
])("a file that %s is refused", (_, json, message) => {
  expect(() => explain(json)).toThrow(InvalidSpec);
  expect(() => explain(json)).toThrow(message);
});
