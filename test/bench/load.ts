// The load generator: a process that makes one call many times and knows only frames, so that both
// servers meet the same client.
import type { DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import { create, toBinary } from "@bufbuild/protobuf";
import type { Bench } from "./bench.ts";

export type Load = {
  readonly service: string;
  readonly method: string;
  readonly payload: Uint8Array;
  readonly calls: number;
  /** Calls on their way at any time. */
  readonly window: number;
};

export type Loaded = {
  readonly seconds: number;
  /** Of all answers, without the frames. */
  readonly bytes: number;
  /** One for each call. */
  readonly microseconds: readonly number[];
};

export function callOf<Method extends DescMethodUnary>(
  { parent, name, input }: Method,
  message: MessageInitShape<Method["input"]>,
) {
  return {
    service: parent.typeName,
    method: name,
    payload: toBinary(input, create(input, message)),
  };
}

/** Throws with the answer that is a refusal. */
export async function load({ peer }: Bench, socket: string, wanted: Load): Promise<Loaded> {
  const { service, method, payload, calls, window } = wanted;
  const numbers = ["-calls", calls, "-warm-up", Math.ceil(calls / 10), "-window", window];
  const call = ["-service", service, "-method", method];
  const generator = Bun.spawn([peer, "-socket", socket, ...call, ...numbers.map(String), "load"], {
    stdio: [payload, "pipe", "inherit"],
  });
  const output = await new Response(generator.stdout).text();
  if ((await generator.exited) !== 0) throw new Error(`load of ${method} at ${socket}`);
  return JSON.parse(output);
}
