import { describe, expect, test } from "bun:test";
import { containerName, isPodSandbox, isSandboxContainer } from "../../../src/oci/annotations.ts";

describe("annotations", () => {
  test.each(["io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType"])(
    "mark the pod's own container by %s",
    (key) => {
      expect(isSandboxContainer({ [key]: "sandbox" })).toBe(true);
      expect(isSandboxContainer({ [key]: "container" })).toBe(false);
    },
  );

  test("of the Kata runtime mark a pod sandbox", () => {
    const key = "io.katacontainers.pkg.oci.container_type";
    expect(isPodSandbox({ [key]: "pod_sandbox" })).toBe(true);
    expect(isPodSandbox({ [key]: "pod_container" })).toBe(false);
    expect(isSandboxContainer({ [key]: "pod_sandbox" })).toBe(false);
  });

  test.each(["io.kubernetes.cri.container-name", "io.kubernetes.cri-o.ContainerName"])(
    "name the container by %s",
    (key) => {
      expect(containerName({ [key]: "web" })).toBe("web");
    },
  );

  test("that are absent say nothing", () => {
    expect(isSandboxContainer(undefined)).toBe(false);
    expect(isPodSandbox(undefined)).toBe(false);
    expect(containerName(undefined)).toBeUndefined();
  });
});
