// The API without a connection: dispatch and all handlers, on a sandbox that holds nothing.
import {
  type DescMethod,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
  create,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import { Beginning } from "../../../src/metrics/beginning.ts";
import { Metrics } from "../../../src/metrics/metrics.ts";
import { Policy } from "../../../src/policy/policy.ts";
import { Hotplug } from "../../../src/device/hotplug.ts";
import { type Call, services } from "../../../src/rpc/dispatch.ts";
import { Sandbox } from "../../../src/sandbox/sandbox.ts";
import { Code } from "../../../src/ttrpc/code.ts";
import type { Services } from "../../../src/ttrpc/connection.ts";
import { StatusError } from "../../../src/ttrpc/status.ts";
import { HOOK_RULES } from "../../support/hooks.ts";

/** Documents are there or not. */
const NO_CDI = { timeoutMs: 50, heedsVariable: false };

export type Refusal = { readonly code: Code; readonly message: string };

type Failure = { readonly method: string; readonly error: unknown; readonly isDefect: boolean };

export class Api {
  readonly services: Services;
  /** Of all calls, as dispatch tells them. */
  readonly failures: Failure[] = [];
  readonly calls: Call[] = [];
  shutdowns = 0;

  constructor({ isInit = false, policy = new Policy(undefined, () => {}) } = {}) {
    const guest = {
      cgroupVersion: 2,
      hasSystemd: false,
      rootSwitch: { kind: "pivot" },
      ignoredSignals: [],
      oomScoreAdj: undefined,
      pipeSize: 0,
      hooks: HOOK_RULES,
      warn: () => {},
    } as const;
    this.services = services({
      policy,
      metrics: new Metrics({
        onMissing: () => {},
        beginning: new Beginning({}),
        alarms: () => ({}),
      }),
      sandbox: new Sandbox(guest, new Hotplug({ timeoutMs: 50 }), NO_CDI),
      isInit,
      shutdown: () => void this.shutdowns++,
      onCall: (call) => void this.calls.push(call),
      onFailure: (method, error, isDefect) => void this.failures.push({ method, error, isDefect }),
    });
  }

  /** Throws what the agent refuses with. */
  async call<Method extends DescMethodUnary>(
    method: Method,
    request: MessageInitShape<Method["input"]>,
  ): Promise<MessageShape<Method["output"]>> {
    const answer = await this.send(method, toBinary(method.input, create(method.input, request)));
    return fromBinary(method.output, answer) as MessageShape<Method["output"]>;
  }

  async send(
    { parent, name }: Pick<DescMethod, "parent" | "name">,
    payload: Uint8Array,
    { signal } = new AbortController(),
  ): Promise<Uint8Array> {
    const serve = this.services.get(parent.typeName)?.get(name);
    if (serve === undefined) throw new Error(`${parent.typeName} has no ${name}`);
    return serve(payload, { signal, timeoutNano: 0n, metadata: new Map() });
  }

  /** All that has been told so far. */
  forget(): void {
    this.failures.length = 0;
    this.calls.length = 0;
  }

  /** What the agent refuses a request with; an Error if it does not. */
  async refusal<Method extends DescMethodUnary>(
    method: Method,
    request: MessageInitShape<Method["input"]>,
  ): Promise<Refusal> {
    return refusalOf(this.call(method, request));
  }
}

export async function refusalOf(answer: Promise<unknown>): Promise<Refusal> {
  try {
    await answer;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { code: error.code, message: error.message };
  }
  throw new Error("the request was served");
}
