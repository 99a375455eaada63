// A container that several ask to have removed, and the next one with its id.
import { expect, test } from "bun:test";
import { describeWithEngine } from "../support/engine.ts";

describeWithEngine("a container that is removed by several at once", (engine) => {
  const config = () => ({
    ociVersion: "1.2.0",
    root: { path: engine().rootfs() },
    process: { cwd: "/", args: ["true"], env: ["PATH=/bin"] },
    linux: {
      cgroupsPath: `/${engine().cgroup}/again`,
      namespaces: [{ type: "mount" }, { type: "ipc" }, { type: "uts" }],
    },
  });

  test("is removed once: the next one with its id is left alone", async () => {
    await engine().createFrom("again", config());
    const { sandbox } = engine();
    const container = sandbox.container("again");
    const first = sandbox.removeContainer(container);
    const second = sandbox.removeContainer(container);
    await first;
    await engine().createFrom("again", config());
    await second;
    expect(await engine().finish("again")).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});
