import { StatusError } from "../../src/ttrpc/status.ts";

export type Refusal = { readonly code: number; readonly message: string };

/** What the agent refuses a call with. Fails if it does not. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call;
  } catch (error) {
    if (error instanceof StatusError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("the call was not refused");
}
