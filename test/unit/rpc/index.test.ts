// All 44 calls through dispatch, on an agent that holds no container: what is served, what is
// refused, and with which code and words (rpc.md sections 3.1 to 3.3 and 6).
import { describe, expect, test } from "bun:test";
import { AgentService } from "../../../src/gen/agent_pb.ts";
import { Health, HealthCheckResponse_ServingStatus } from "../../../src/gen/health_pb.ts";
import { Code } from "../../../src/ttrpc/code.ts";
import { VERSION } from "../../../src/version.ts";
import { Api, refusalOf } from "./call.ts";

const ALL = [...AgentService.methods, ...Health.methods];

describe("the calls", () => {
  test("are 44, by their names on the wire", () => {
    const { services } = new Api();
    const names = [...services].flatMap(([service, methods]) =>
      [...methods.keys()].map((name) => `${service}/${name}`),
    );
    expect(names.toSorted()).toEqual(
      ALL.map(({ parent, name }) => `${parent.typeName}/${name}`).toSorted(),
    );
    expect(names).toHaveLength(44);
    expect(names).toContain("grpc.AgentService/GetOOMEvent");
    expect(names).toContain("grpc.Health/Check");
  });

  test.each(ALL.map((method) => [method.name, method] as const))(
    "%s answers what is no request with UNKNOWN and the decoder's words",
    async (name, method) => {
      const api = new Api();
      // A tag that is cut short, and the end of a group that has not begun.
      for (const bytes of [[0xff], [0x0c]]) {
        const { code, message } = await refusalOf(api.send(method, Uint8Array.from(bytes)));
        expect([code, message]).toEqual([Code.UNKNOWN, expect.stringMatching(/^ttrpc err: \S/)]);
      }
      expect(api.failures.map((failure) => failure.method)).toEqual([name, name]);
      expect(api.failures.some(({ isDefect }) => isDefect)).toBe(false);
    },
  );

  test("answer text that is not UTF-8 with UNKNOWN, too: an id of such text is nobody's", async () => {
    const id = Uint8Array.of(0x0a, 1, 0xff);
    const answer = new Api().send(AgentService.method.startContainer, id);
    expect(await refusalOf(answer)).toEqual({
      code: Code.UNKNOWN,
      message: expect.stringContaining("ttrpc err: "),
    });
  });
});

describe("an agent without containers", () => {
  test("says that it serves, and who it is", async () => {
    const api = new Api();
    const { check, version } = Health.method;
    const { status } = await api.call(check, { service: "anything" });
    expect(status).toBe(HealthCheckResponse_ServingStatus.SERVING);
    const answer = await api.call(version, {});
    expect([answer.agentVersion, answer.grpcVersion]).toEqual([VERSION, "0.0.1"]);
    expect(api.failures).toEqual([]);
  });

  test.each([true, false])("tells whether it is PID 1: %p", async (isInit) => {
    const details = await new Api({ isInit }).call(AgentService.method.getGuestDetails, {});
    expect(details.agentDetails).toMatchObject({
      version: VERSION,
      initDaemon: isInit,
      supportsSeccomp: true,
      extraFeatures: ["agent-policy", "seccomp"],
    });
    expect(details.agentDetails?.storageHandlers).toContain("virtio-fs");
    expect(details.agentDetails?.storageHandlers).toContain("erofs.multi-layer");
    expect([details.memBlockSizeBytes, details.supportMemHotplugProbe]).toEqual([0n, false]);
  });

  test("ends when the sandbox is destroyed, that was never made", async () => {
    const api = new Api();
    await api.call(AgentService.method.destroySandbox, {});
    expect(api.shutdowns).toBe(1);
  });
});
