import { describe, expect, test } from "bun:test";
import { CONTAINER_STATUSES, type State, stateJson } from "../../../src/oci/state.ts";

const running: State = {
  ociVersion: "1.2.0",
  id: "c1",
  status: "running",
  pid: 42,
  bundle: "/run/kata-containers/c1",
  annotations: { a: "b" },
};

const read = (state: State): unknown => JSON.parse(stateJson(state));

describe("the state for a hook", () => {
  test("has the fields of the OCI spec", () => {
    expect(read(running)).toEqual(running);
  });

  test.each(CONTAINER_STATUSES)("can be %s", (status) => {
    expect(read({ ...running, status })).toEqual({
      ...running,
      status,
      pid: status === "stopped" ? 0 : 42,
    });
  });

  test("leaves out empty text and empty maps", () => {
    const state = { ...running, ociVersion: "", bundle: "", annotations: {} };
    expect(read(state)).toEqual({ id: "c1", status: "running", pid: 42 });
    expect(read({ ...running, annotations: undefined })).not.toHaveProperty("annotations");
  });
});
