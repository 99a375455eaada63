/** The status codes that travel in a response: google.rpc.Code, names and numbers. */

export const Code = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type CodeName = keyof typeof Code;
export type Code = (typeof Code)[CodeName];

/** What a refusal may carry: a Rust client reads any code it does not know as OK, so none but these. */
export type ErrorCode = Exclude<Code, typeof Code.OK>;

const byNumber: ReadonlyMap<number, Code> = new Map(
  Object.values(Code).map((code) => [code, code] as const),
);
const names: ReadonlyMap<number, string> = new Map(
  Object.entries(Code).map(([name, code]) => [code, name] as const),
);

/** The code with this number; a number that google.rpc.Code lacks is UNKNOWN, never OK. */
export function codeFrom(number: number): Code {
  return byNumber.get(number) ?? Code.UNKNOWN;
}

/** `NOT_FOUND` for 5; the bare number for what is no code. */
export function codeName(number: number): string {
  return names.get(number) ?? String(number);
}
