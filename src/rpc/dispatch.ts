// From bytes to a handler and back: decoding, encoding and errors of all RPCs, so that none of them
// does these things itself.
import {
  type DescMessage,
  type DescMethod,
  type DescService,
  type MessageInitShape,
  create,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import { AgentService } from "../gen/agent_pb.ts";
import { Health } from "../gen/health_pb.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Policy } from "../policy/policy.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { Code } from "../ttrpc/code.ts";
import type { CallContext, Method } from "../ttrpc/call.ts";
import type { Services } from "../ttrpc/connection.ts";
import { StatusError } from "../ttrpc/status.ts";
import { parseTraceparent } from "../tracing/trace-context.ts";
import { type Server, isTracing, traced } from "../tracing/tracer.ts";
import { isExpected, toStatus } from "./errors.ts";
import { agentHandlers, healthHandlers } from "./index.ts";
import { policyNames } from "./policy-names.ts";
import { spanName } from "./span-name.ts";
import { type StreamData, streamMessage } from "./stream-message.ts";

export type DispatchOptions = {
  readonly sandbox: Sandbox;
  readonly policy: Policy;
  readonly metrics: Metrics;
  readonly isInit: boolean;
  readonly shutdown: () => void;
  /** Hears of each call that can be read, before it is handled; not of those that come all the time. */
  readonly onCall?: (call: Call) => void;
  /** Hears of each call that failed. */
  readonly onFailure: (method: string, error: unknown, isDefect: boolean) => void;
};

/** What is told of a call: no more, for the rest may be a secret. */
export type Call = {
  readonly method: string;
  /** Empty where the request has none. */
  readonly containerId: string;
  readonly execId: string;
};

/** Calls that come with the data of a stream, in a loop, or by the clock: rpc.md section 6.0. */
const COME_ALL_THE_TIME = new Set([
  "WriteStdin",
  "ReadStdout",
  "ReadStderr",
  "GetOOMEvent",
  "MemAgentMemcgSet",
  "MemAgentCompactSet",
  "Check",
]);

/**
 * What a policy does not allow of these is read all the same and left out of the answer, for a host takes
 * that for the end of the output: rpc.md section 10.1.
 */
const READS = new Set(["ReadStdout", "ReadStderr"]);

/** A name that is longer is none, and refused by its handler. */
const LONGEST_ID = 128;

/** Fields the agent does not know are left out, not handed back (UpdateInterface answers its request). */
const READ = { readUnknownFields: false };

export function services(options: DispatchOptions): Services {
  return new Map([
    [AgentService.typeName, methodsOf(AgentService, agentHandlers, policyNames, options)],
    [Health.typeName, methodsOf(Health, healthHandlers, {}, options)],
  ]);
}

/** A handler as dispatch sees it: the types of its messages are held by `index.ts`. */
type AnyHandler = (request: never, context: never) => unknown;

function methodsOf(
  service: DescService,
  handlers: Readonly<Record<string, AnyHandler>>,
  names: Readonly<Record<string, string>>,
  options: DispatchOptions,
): ReadonlyMap<string, Method> {
  const served = service.methods.flatMap((method) => {
    const handler = handlers[method.localName];
    if (handler === undefined) return [];
    const name = names[method.localName];
    const check = () => void (name === undefined || options.policy.check(name));
    return [[method.name, serve(method, handler, check, options)] as const];
  });
  return new Map(served);
}

/** `check` throws what the policy refuses with. */
function serve(
  method: DescMethod,
  handler: AnyHandler,
  check: () => void,
  options: DispatchOptions,
): Method {
  const { input, output, name } = method;
  const { sandbox, policy, metrics, isInit, shutdown, onCall } = options;
  const isTold = !COME_ALL_THE_TIME.has(name);
  const isRead = READS.has(name);
  return async (payload, call) => {
    const from = performance.now();
    metrics.called(name);
    try {
      const request = decode(input, payload);
      if (isTold) onCall?.(callOf(name, request));
      if (!isRead) check();
      const context = {
        sandbox,
        policy,
        metrics,
        isInit,
        shutdown,
        // Made on demand: most calls never look at it.
        get signal() {
          return call.signal;
        },
      };
      const ask = () => handler(request as never, context as never);
      const answer =
        isTold && isTracing()
          ? await traced(serverOf(method, request, call), async () => await ask())
          : await ask();
      const response = isRead && !passes(check) ? {} : answer;
      if (isRead) return streamMessage(response as StreamData);
      return toBinary(output, create(output, response as MessageInitShape<DescMessage>));
    } catch (error) {
      options.onFailure(name, error, !isExpected(error));
      throw toStatus(error);
    } finally {
      metrics.answered(name, (performance.now() - from) / 1000);
    }
  };
}

function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

/** No word of the request but for the names in it: the rest may be a secret. */
function serverOf(
  { parent, name }: DescMethod,
  request: object,
  { metadata }: CallContext,
): Server {
  const { containerId, execId } = callOf(name, request);
  return {
    parent: parseTraceparent(metadata.get("traceparent")?.join(",") ?? ""),
    name: spanName(name),
    attributes: {
      "rpc.system": "ttrpc",
      "rpc.service": parent.typeName,
      "rpc.method": name,
      ...(containerId === "" ? {} : { "container.id": containerId }),
      ...(execId === "" ? {} : { "exec.id": execId }),
    },
  };
}

function callOf(method: string, request: object): Call {
  const id = (key: string) => String(Reflect.get(request, key) ?? "").slice(0, LONGEST_ID);
  return { method, containerId: id("containerId"), execId: id("execId") };
}

function decode(schema: DescMessage, payload: Uint8Array): object {
  try {
    return fromBinary(schema, payload, READ);
  } catch (error) {
    throw new StatusError(
      Code.UNKNOWN,
      `ttrpc err: ${error instanceof Error ? error.message : error}`,
    );
  }
}
