import { describe, expect, test } from "bun:test";
import {
  CREATE_HOOK_KINDS,
  HOOK_KINDS,
  allHooks,
  hasCreateHooks,
  hookArgs,
  mergeHooks,
} from "../../../src/oci/hooks.ts";
import type { Hook } from "../../../src/oci/spec.ts";

const [A, B, C, D] = ["a", "b", "c", "d"].map((name): Hook => ({ path: `/${name}` }));
const list = (...hooks: (Hook | undefined)[]) => hooks.filter((hook) => hook !== undefined);

describe("hooks of the spec and of the guest (D19)", () => {
  test("are appended kind by kind, the spec's first", () => {
    const spec = { prestart: list(A), poststop: list(B, C) };
    const guest = { prestart: list(D), createRuntime: list(C), poststop: list(A) };
    expect(mergeHooks(spec, guest)).toEqual({
      prestart: list(A, D),
      createRuntime: list(C),
      poststop: list(B, C, A),
    });
  });

  test("name no kind that neither has", () => {
    expect(mergeHooks({}, {})).toEqual({});
    expect(mergeHooks({ prestart: [] }, { poststart: undefined })).toEqual({});
    for (const kind of HOOK_KINDS) {
      expect(mergeHooks({ [kind]: list(A) }, {})).toEqual({ [kind]: list(A) });
      expect(mergeHooks({}, { [kind]: list(A) })).toEqual({ [kind]: list(A) });
    }
  });

  test("are the same objects afterwards, each by its own origin", () => {
    const [first, second] = allHooks(mergeHooks({ prestart: list(A) }, { prestart: list(B) }));
    expect(first).toBe(A);
    expect(second).toBe(B);
  });
});

test.each(HOOK_KINDS)(
  "a container with %s hooks waits for them while it is made, or not",
  (kind) => {
    const kinds: readonly string[] = CREATE_HOOK_KINDS;
    expect(hasCreateHooks({ [kind]: list(A) })).toBe(kinds.includes(kind));
    expect(hasCreateHooks({ [kind]: [] })).toBe(false);
  },
);

test("a hook without arguments is given its path as the first (D18)", () => {
  expect(hookArgs({ path: "/bin/x" })).toEqual(["/bin/x"]);
  expect(hookArgs({ path: "/bin/x", args: [] })).toEqual(["/bin/x"]);
  expect(hookArgs({ path: "/bin/x", args: ["y", "z"] })).toEqual(["y", "z"]);
  expect(hookArgs({ path: "/bin/x", args: [""] })).toEqual([""]);
});
