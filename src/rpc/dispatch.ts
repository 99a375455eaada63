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
import type { Sandbox } from "../sandbox/sandbox.ts";
import { Code } from "../ttrpc/code.ts";
import type { Method } from "../ttrpc/call.ts";
import type { Services } from "../ttrpc/connection.ts";
import { StatusError } from "../ttrpc/status.ts";
import { isExpected, toStatus } from "./errors.ts";
import { agentHandlers, healthHandlers } from "./index.ts";

export type DispatchOptions = {
  readonly sandbox: Sandbox;
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

/** A name that is longer is none, and refused by its handler. */
const LONGEST_ID = 128;

/** Fields the agent does not know are left out, not handed back (UpdateInterface answers its request). */
const READ = { readUnknownFields: false };

export function services(options: DispatchOptions): Services {
  return new Map([
    [AgentService.typeName, methodsOf(AgentService, agentHandlers, options)],
    [Health.typeName, methodsOf(Health, healthHandlers, options)],
  ]);
}

/** A handler as dispatch sees it: the types of its messages are held by `index.ts`. */
type AnyHandler = (request: never, context: never) => unknown;

function methodsOf(
  service: DescService,
  handlers: Readonly<Record<string, AnyHandler | null>>,
  options: DispatchOptions,
): ReadonlyMap<string, Method> {
  const served = service.methods.map((method) => {
    const handler = handlers[method.localName] ?? unserved(method);
    return [method.name, serve(method, handler, options)] as const;
  });
  return new Map(served);
}

function serve(method: DescMethod, handler: AnyHandler, options: DispatchOptions): Method {
  const { input, output, name } = method;
  const { sandbox, isInit, shutdown, onCall } = options;
  const isTold = !COME_ALL_THE_TIME.has(name);
  return async (payload, call) => {
    try {
      const request = decode(input, payload);
      if (isTold) onCall?.(callOf(name, request));
      const context = {
        sandbox,
        isInit,
        shutdown,
        // Made on demand: most calls never look at it.
        get signal() {
          return call.signal;
        },
      };
      const response = await handler(request as never, context as never);
      return toBinary(output, create(output, response as MessageInitShape<DescMessage>));
    } catch (error) {
      options.onFailure(name, error, !isExpected(error));
      throw toStatus(error);
    }
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

function unserved({ name }: DescMethod): AnyHandler {
  return () => {
    throw new StatusError(Code.UNIMPLEMENTED, `${name} is not implemented`);
  };
}
