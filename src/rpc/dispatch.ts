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
  /** Hears of each call that failed. */
  readonly onFailure: (method: string, error: unknown, isDefect: boolean) => void;
};

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
  const { sandbox, isInit, shutdown } = options;
  return async (payload, call) => {
    try {
      const request = decode(input, payload);
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

function decode(schema: DescMessage, payload: Uint8Array): unknown {
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
