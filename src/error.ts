// What a request can be refused for. `rpc/errors.ts` turns it into a status.

/** Names of google.rpc.Code. INTERNAL is what Kata answers for most refusals; hosts expect it. */
export type AgentErrorCode =
  | "INVALID_ARGUMENT"
  | "NOT_FOUND"
  | "PERMISSION_DENIED"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE";

export class AgentError extends Error {
  readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AgentError";
    this.code = code;
  }
}

export function invalidArgument(message: string): AgentError {
  return new AgentError("INVALID_ARGUMENT", message);
}

export function notFound(message: string): AgentError {
  return new AgentError("NOT_FOUND", message);
}

export function permissionDenied(message: string): AgentError {
  return new AgentError("PERMISSION_DENIED", message);
}

/** Asked for, understood, and not served. */
export function unimplemented(message: string): AgentError {
  return new AgentError("UNIMPLEMENTED", message);
}

export function internal(message: string): AgentError {
  return new AgentError("INTERNAL", message);
}

export function unavailable(message: string): AgentError {
  return new AgentError("UNAVAILABLE", message);
}
