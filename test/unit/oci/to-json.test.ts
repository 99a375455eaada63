import { expect, test } from "bun:test";
import { specFromJson } from "../../../src/oci/from-json.ts";
import type { Spec } from "../../../src/oci/spec.ts";
import { specToJson } from "../../../src/oci/to-json.ts";

test("a spec is written with numbers of 64 bits as they are", () => {
  const infinity = 2n ** 64n - 1n;
  const spec: Spec = {
    ociVersion: "1.3.0",
    process: {
      user: { uid: 0, gid: 0 },
      cwd: "/",
      rlimits: [{ type: "RLIMIT_CORE", hard: infinity, soft: 1024n }],
    },
  };
  expect(specToJson(spec)).toContain('"hard":18446744073709551615,"soft":1024');
  expect(specFromJson(specToJson(spec))).toEqual(spec);
});
