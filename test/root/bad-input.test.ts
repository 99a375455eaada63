// Requests that cannot be met: a clear error with the right code, at once, and nothing left behind.
import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "bun:test";
import { until } from "../../src/async/until.ts";
import { AgentService, WaitProcessRequestSchema } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { MAX_BODY } from "../../src/ttrpc/frame.ts";
import { createContainer, idleContainer } from "../support/container.ts";
import { RawPeer, frame, request as requestBody } from "../support/raw-peer.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;
const gone = { code: Code.NOT_FOUND, message: expect.stringContaining("Process not found") };

/** The log comes by a pipe. */
const LOGGED_IN_MS = 5000;

describeWithAgent("CreateContainer", (agent) => {
  test("with an id that is in use is refused, and the first container goes on", async () => {
    await using container = await idleContainer(agent());
    const { containerId: id } = container;
    const before = agent().held();
    const refusal = await refusalOf(createContainer(agent(), ["true"], { id }));
    expect(refusal).toEqual({
      code: Code.INTERNAL,
      message: expect.stringContaining("already exists"),
    });
    expect(agent().held()).toEqual(before);
    expect((await container.run(["true"])).status).toBe(0);
  });

  test("with an id that is just being used is refused as well", async () => {
    const id = agent().freshId();
    const created = [1, 2, 3].map(() => createContainer(agent(), ["true"], { id }));
    const outcomes = await Promise.allSettled(created);
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(2);
    await agent().client.call(method.removeContainer, { containerId: id });
  });

  test.each(["", "a", "..", "a/b", "../../etc", "-a", "a\0b", "a b", "ä1", "a".repeat(300)])(
    "with the id %p is refused, and nothing is made",
    async (id) => {
      const before = agent().held();
      const refusal = await refusalOf(createContainer(agent(), ["true"], { id }));
      expect(refusal.message).toContain("invalid container ID");
      expect(refusal.code).toBe(Code.INVALID_ARGUMENT);
      expect(agent().held()).toEqual(before);
    },
  );

  test.each([
    ["OCI spec", { OCI: undefined }],
    ["process", { OCI: { Root: { Path: "/x" }, Linux: {} } }],
    ["root", { OCI: { Process: { Args: ["true"], Cwd: "/" }, Linux: {} } }],
    ["Linux", { OCI: { Process: { Args: ["true"], Cwd: "/" }, Root: { Path: "/x" } } }],
    ["args", { OCI: { Process: { Cwd: "/" }, Root: { Path: "/x" }, Linux: {} } }],
  ])("without %s is refused", async (what, request) => {
    const containerId = agent().freshId();
    const created = agent().client.call(method.createContainer, { containerId, ...request });
    const { code, message } = await refusalOf(created);
    expect(code).toBe(Code.INVALID_ARGUMENT);
    expect(message).toContain(what.replace("Linux", "oci Linux"));
  });

  test("with what this agent does not do yet is refused by name, not done half", async () => {
    const Options = ["bind", "copy-symlink"];
    const mounts = [{ destination: "/data", type: "bind", source: "/etc", options: Options }];
    expect(await refusalOf(createContainer(agent(), ["true"], { mounts }))).toEqual({
      code: Code.UNIMPLEMENTED,
      message: "CreateContainer: an option of the mount /data",
    });
  });

  test("with the label of a process where no SELinux is there to enforce it is refused at once", async () => {
    const before = agent().held();
    const process = { SelinuxLabel: "system_u:system_r:container_t:s0" };
    const refusal = await refusalOf(createContainer(agent(), ["true"], { process }));
    expect(refusal.code).toBe(Code.INVALID_ARGUMENT);
    expect(refusal.message).toContain("SELinux is not enabled on the running kernel");
    expect(agent().held()).toEqual(before);
    await using container = await idleContainer(agent());
    const exec = await refusalOf(container.exec(["true"], process));
    expect(exec).toEqual(refusal);
  });

  test("with a label for mounts or a profile of AppArmor that the kernel lacks is done, with a warning", async () => {
    const linux = { MountLabel: "system_u:object_r:container_file_t:s0" };
    const process = { ApparmorProfile: "docker-default" };
    await using container = await idleContainer(agent(), { linux, process });
    expect((await container.run(["true"])).status).toBe(0);
    for (const field of ["linux.mountLabel", "process.apparmorProfile"]) {
      const isWarned = () => agent().log.includes(`${field} is not applied`);
      expect(await until(isWarned, LOGGED_IN_MS)).toBe(true);
    }
  });

  test.each([
    ["mounts", { mounts: Array.from({ length: 10_000 }, () => ({ destination: "/a" })) }],
    ["linux.maskedPaths", { linux: { MaskedPaths: Array.from({ length: 2000 }, () => "/a") } }],
    [
      'mount "/data"',
      { mounts: [{ destination: "/data", type: "tmpfs", options: [`a=${"b".repeat(256)}`] }] },
    ],
  ])(
    "with more than there can be of %s is refused by that name, and nothing is made",
    async (field, wanted) => {
      const before = agent().held();
      const refusal = await refusalOf(createContainer(agent(), ["true"], wanted));
      expect(refusal.code).toBe(Code.INVALID_ARGUMENT);
      expect(refusal.message).toStartWith(field);
      expect(agent().held()).toEqual(before);
    },
  );

  test("with a word that the spec does not have is refused, and nothing is made", async () => {
    const before = agent().held();
    const linux = { Seccomp: { DefaultAction: "SCMP_ACT_EXPLODE" } };
    expect(await refusalOf(createContainer(agent(), ["true"], { linux }))).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: 'invalid linux.seccomp.defaultAction: "SCMP_ACT_EXPLODE"',
    });
    expect(agent().held()).toEqual(before);
  });
});

describeWithAgent("a spec of megabytes", (agent) => {
  const many = (count: number, of: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => of(index));

  test.each([
    ["a PATH of 200,000 entries", { process: { Env: [`PATH=${":/a".repeat(200_000)}`] } }],
    [
      "200,000 options of a mount",
      {
        mounts: [
          { destination: "/m", type: "tmpfs", options: many(200_000, (index) => `o${index}`) },
        ],
      },
    ],
    ["a working directory 500,000 deep", { process: { Cwd: "/a".repeat(500_000) } }],
  ])("with %s is refused, and nothing is left", async (_, wanted) => {
    const before = agent().held();
    const refusal = await refusalOf(createContainer(agent(), ["tool"], wanted));
    expect(refusal.code).toBe(Code.INVALID_ARGUMENT);
    expect(refusal.message).toContain("more than 65536 system calls");
    await agent().untilHeld(before);
  });

  test("with the same capability 300,000 times is made", async () => {
    const names = many(150_000, () => "CAP_KILL");
    const Capabilities = { Effective: names, Permitted: ["CAP_CHOWN", ...names] };
    await using container = await idleContainer(agent(), { process: { Capabilities } });
    expect((await container.run(["true"])).status).toBe(0);
  });
});

describeWithAgent("CreateSandbox", (agent) => {
  const createSandbox = (hostname: string) =>
    agent().client.call(method.createSandbox, { hostname, sandboxId: "pod" });

  test("with a hostname that cannot be one is refused, and can be made with another", async () => {
    const before = agent().held();
    const long = "h".repeat(65);
    expect(await refusalOf(createSandbox(long))).toEqual({
      code: Code.INTERNAL,
      message: `set the hostname to ${long}: EINVAL: Invalid argument`,
    });
    expect((await refusalOf(createSandbox("a\0b"))).code).toBe(Code.INVALID_ARGUMENT);
    expect(agent().held()).toEqual(before);
    await createSandbox("h".repeat(64));
  });

  test("that asks for a kernel module by a path is refused by its name", async () => {
    const asked = { sandboxId: "pod", kernelModules: [{ name: "../dummy" }] };
    const refusal = await refusalOf(agent().client.call(method.createSandbox, asked));
    expect(refusal).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: 'kernel module "../dummy": invalid name',
    });
  });
});

describeWithAgent("a call", (agent) => {
  test("for a process that there is none of has the code that hosts look for", async () => {
    await using container = await idleContainer(agent());
    const { containerId } = container;
    const nobody = { containerId, execId: "nobody" };
    const { client } = agent();
    const calls = [
      client.call(method.waitProcess, nobody),
      client.call(method.readStdout, { ...nobody, len: 1 }),
      client.call(method.readStderr, { ...nobody, len: 1 }),
      client.call(method.closeStdin, nobody),
      client.call(method.ttyWinResize, nobody),
      client.call(method.signalProcess, { ...nobody, signal: 15 }),
    ];
    for (const call of calls) expect(await refusalOf(call)).toMatchObject(gone);
    const elsewhere = client.call(method.waitProcess, { containerId: "nowhere", execId: "" });
    expect((await refusalOf(elsewhere)).code).toBe(Code.INVALID_ARGUMENT);
  });

  test("of more than 4 MiB is refused, and the connection goes on", async () => {
    const peer = await RawPeer.connect(agent().socket);
    await peer.send(frame(1, new Uint8Array(MAX_BODY + 1)));
    expect(await peer.reply()).toMatchObject({ id: 1, code: Code.INVALID_ARGUMENT });
    const check = requestBody("Check", new Uint8Array(0), { service: "grpc.Health" });
    await peer.send(frame(3, check));
    expect(await peer.reply()).toMatchObject({ id: 3, code: Code.OK });
    peer.close();
  });

  test("to a method or service that there is none of, or of bytes that say nothing, is refused", async () => {
    const { client } = agent().client;
    const asked = toBinary(WaitProcessRequestSchema, create(WaitProcessRequestSchema, {}));
    const unknown = [
      [client.call("grpc.AgentService", "FlyToTheMoon", asked), Code.UNIMPLEMENTED],
      [client.call("grpc.NoService", "WaitProcess", asked), Code.INVALID_ARGUMENT],
      [client.call("grpc.AgentService", "WaitProcess", Buffer.from([0xff, 0xff])), Code.UNKNOWN],
    ] as const;
    for (const [call, code] of unknown) expect((await refusalOf(call)).code).toBe(code);
    await agent().client.call(Health.method.check, {});
  });
});
