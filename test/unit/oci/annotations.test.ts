import { describe, expect, test } from "bun:test";
import { containerName, isPodSandbox } from "../../../src/oci/annotations.ts";

describe("annotations", () => {
  test("of the Kata runtime mark a pod sandbox", () => {
    const key = "io.katacontainers.pkg.oci.container_type";
    expect(isPodSandbox({ [key]: "pod_sandbox" })).toBe(true);
    expect(isPodSandbox({ [key]: "pod_container" })).toBe(false);
  });

  test.each(["io.kubernetes.cri.container-name", "io.kubernetes.cri-o.ContainerName"])(
    "name the container by %s",
    (key) => {
      expect(containerName({ [key]: "web" })).toBe("web");
    },
  );

  test("that are absent say nothing", () => {
    expect(isPodSandbox(undefined)).toBe(false);
    expect(containerName(undefined)).toBeUndefined();
  });
});
