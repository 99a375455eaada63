// The one place where an error becomes a status.
import { AgentError } from "../error.ts";
import { KernelError } from "../linux/error.ts";
import { InvalidSpec } from "../oci/invalid-spec.ts";
import { TapeTooLong } from "../tape/tape.ts";
import { Code, type ErrorCode } from "../ttrpc/code.ts";
import { StatusError } from "../ttrpc/status.ts";

export function toStatus(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  return new StatusError(codeOf(error), textOf(error), { cause: error });
}

/** False for what no request should be able to cause: a defect of ours, to be logged with its stack. */
export function isExpected(error: unknown): boolean {
  return [StatusError, AgentError, InvalidSpec, KernelError, TapeTooLong].some(
    (type) => error instanceof type,
  );
}

/** What is not said to be anything else is INTERNAL, as Kata's hosts expect. */
function codeOf(error: unknown): ErrorCode {
  if (error instanceof AgentError) return Code[error.code];
  if (error instanceof InvalidSpec || error instanceof TapeTooLong) return Code.INVALID_ARGUMENT;
  return Code.INTERNAL;
}

/** The text, then the causes, outermost first. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof SuppressedError) {
    return `${textOf(error.suppressed)} (and undoing it: ${textOf(error.error)})`;
  }
  return error.cause === undefined ? error.message : `${error.message}: ${textOf(error.cause)}`;
}
