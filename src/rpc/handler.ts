// What an RPC is to the code that implements it: a function from its request to its response.
import type { MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { AgentService } from "../gen/agent_pb.ts";
import type { Health } from "../gen/health_pb.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Policy } from "../policy/policy.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";

export type AgentMethods = (typeof AgentService)["method"];
export type HealthMethods = (typeof Health)["method"];
type Methods = AgentMethods & HealthMethods;
export type MethodName = keyof Methods;

export type RpcContext = {
  readonly sandbox: Sandbox;
  readonly policy: Policy;
  readonly metrics: Metrics;
  /** The agent is PID 1 of the guest. */
  readonly isInit: boolean;
  /** Aborted when nobody waits for the answer any more. What a call has begun it still finishes. */
  readonly signal: AbortSignal;
  /** End the agent once the answers on their way have left. */
  readonly shutdown: () => void;
};

/** Nothing returned is an empty response. */
export type Handler<Name extends MethodName> = (
  request: MessageShape<Methods[Name]["input"]>,
  context: RpcContext,
) => Response<Name> | Promise<Response<Name>>;

type Response<Name extends MethodName> =
  Methods[Name]["output"]["typeName"] extends "google.protobuf.Empty"
    ? void
    : MessageInitShape<Methods[Name]["output"]>;
