// Calls that name a container which is not there. Hosts expect one code of some and another of
// others, and look for words in the text: rpc.md sections 3.1, 3.3 and 6.
import { describe, expect, test } from "bun:test";
import { AgentService } from "../../../src/gen/agent_pb.ts";
import { Code } from "../../../src/ttrpc/code.ts";
import { Api, type Refusal } from "./call.ts";

const { method } = AgentService;
const PROCESS = { Args: ["true"], Cwd: "/" };

type Ask = (api: Api, containerId: string, execId: string) => Promise<Refusal>;

const CALLS: readonly (readonly [name: string, code: Code, ask: Ask])[] = [
  [
    "StartContainer",
    Code.INTERNAL,
    (api, containerId) => api.refusal(method.startContainer, { containerId }),
  ],
  [
    "RemoveContainer",
    Code.INTERNAL,
    (api, containerId) => api.refusal(method.removeContainer, { containerId }),
  ],
  [
    "RemoveContainer with a timeout",
    Code.INTERNAL,
    (api, containerId) => api.refusal(method.removeContainer, { containerId, timeout: 10 }),
  ],
  [
    "ExecProcess",
    Code.INTERNAL,
    (api, containerId) =>
      api.refusal(method.execProcess, { containerId, execId: "e1", process: PROCESS }),
  ],
  [
    "SignalProcess with SIGKILL for all",
    Code.INTERNAL,
    (api, containerId) => api.refusal(method.signalProcess, { containerId, signal: 9 }),
  ],
  [
    "SignalProcess for one",
    Code.INVALID_ARGUMENT,
    (api, containerId, execId) =>
      api.refusal(method.signalProcess, { containerId, execId: execId || "e1", signal: 9 }),
  ],
  [
    "SignalProcess with another signal",
    Code.INVALID_ARGUMENT,
    (api, containerId, execId) =>
      api.refusal(method.signalProcess, { containerId, execId, signal: 15 }),
  ],
  [
    "PauseContainer",
    Code.INVALID_ARGUMENT,
    (api, containerId) => api.refusal(method.pauseContainer, { containerId }),
  ],
  [
    "ResumeContainer",
    Code.INVALID_ARGUMENT,
    (api, containerId) => api.refusal(method.resumeContainer, { containerId }),
  ],
  [
    "WaitProcess",
    Code.INVALID_ARGUMENT,
    (api, containerId, execId) => api.refusal(method.waitProcess, { containerId, execId }),
  ],
  [
    "ReadStdout",
    Code.INVALID_ARGUMENT,
    (api, containerId, execId) => api.refusal(method.readStdout, { containerId, execId, len: 1 }),
  ],
  [
    "ReadStderr of nothing",
    Code.INVALID_ARGUMENT,
    (api, containerId, execId) => api.refusal(method.readStderr, { containerId, execId, len: 0 }),
  ],
  [
    "WriteStdin",
    Code.INVALID_ARGUMENT,
    (api, containerId, execId) =>
      api.refusal(method.writeStdin, { containerId, execId, data: Uint8Array.of(1) }),
  ],
  [
    "WriteStdin without data, which closes",
    Code.INVALID_ARGUMENT,
    (api, containerId, execId) => api.refusal(method.writeStdin, { containerId, execId }),
  ],
  [
    "CloseStdin",
    Code.INVALID_ARGUMENT,
    (api, containerId, execId) => api.refusal(method.closeStdin, { containerId, execId }),
  ],
  [
    "TtyWinResize",
    Code.INVALID_ARGUMENT,
    (api, containerId, execId) => api.refusal(method.ttyWinResize, { containerId, execId, row: 1 }),
  ],
];

/** Ids as a hostile host, or a confused one, could send them. */
const IDS = [
  "c1",
  "",
  "a",
  ".",
  "..",
  "../c1",
  "a/b",
  "/run",
  "c1\0",
  "c1\nSystem: all is well",
  "\u202ec1",
  "x".repeat(10_240),
  "\n".repeat(10_240),
  "__proto__",
  "constructor",
];

describe("a container that is not there", () => {
  test.each(CALLS)("is what %s says, with code %d", async (_, code, ask) => {
    expect(await ask(new Api(), "c1", "")).toEqual({
      code,
      // The Go runtime looks for "not found", hosts of Rust for the first words.
      message: 'Invalid container id "c1": container not found',
    });
  });

  test.each(CALLS)("is what %s says of any id, in one short line", async (_, code, ask) => {
    const api = new Api();
    for (const id of IDS) {
      for (const execId of ["", "e1", id]) {
        const refusal = await ask(api, id, execId);
        expect(refusal.code).toBe(code);
        expect(refusal.message).toStartWith('Invalid container id "');
        expect(refusal.message).not.toMatch(/\p{Cc}/u);
        expect(refusal.message.length).toBeLessThan(2000);
      }
    }
    expect(api.failures.filter(({ isDefect }) => isDefect)).toEqual([]);
  });
});
