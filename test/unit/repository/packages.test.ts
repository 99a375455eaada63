import { describe, expect, test } from "bun:test";
import lock from "../../../package-lock.json" with { type: "json" };
import manifest from "../../../package.json" with { type: "json" };
import { imports } from "./source.ts";

type Locked = { readonly resolved?: string; readonly version?: string };

const RUN_TIME = ["@bufbuild/protobuf", "consola"];

describe("the npm packages", () => {
  test("at run time are those two: each one more is code in every guest", () => {
    expect(Object.keys(manifest.dependencies).toSorted()).toEqual(RUN_TIME);
    const imported = imports
      .map(({ to }) => to)
      .filter((to) => !to.startsWith("src/") && !/^(node:|bun(:|$))/.test(to))
      .map((to) => to.split("/", to.startsWith("@") ? 2 : 1).join("/"));
    expect([...new Set(imported)].filter((name) => !RUN_TIME.includes(name))).toEqual([]);
  });

  test("have exact versions: two builds of one commit are the same", () => {
    const wanted = { ...manifest.dependencies, ...manifest.devDependencies };
    const loose = Object.entries(wanted).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    expect(loose).toEqual([]);
  });

  test("are locked without the address of a registry: that is the machine's business", () => {
    const packages: Readonly<Record<string, Locked>> = lock.packages;
    const addressed = Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined);
    expect(Object.keys(packages).length).toBeGreaterThan(5);
    expect(addressed).toEqual([]);
  });
});
