/** Several steps may fail one after the other, and the language hands their errors on as a chain. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof SuppressedError)) return String(error);
  return `${describeFailure(error.error)}; ${describeFailure(error.suppressed)}`;
}
