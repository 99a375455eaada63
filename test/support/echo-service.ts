/** The service that the ttRPC tests call. Payloads are UTF-8 text, which says enough here. */

import type { CallContext, Method } from "../../src/ttrpc/call.ts";
import { codeFrom, Code } from "../../src/ttrpc/code.ts";
import type { Services } from "../../src/ttrpc/connection.ts";
import { ProtoReader } from "../../src/ttrpc/protobuf.ts";
import { StatusError } from "../../src/ttrpc/status.ts";

export const ECHO = "test.Echo";
export const OTHER = "test.Other";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const bytes = (value: string): Uint8Array => encoder.encode(value);
export const text = (value: Uint8Array): string => decoder.decode(value);

export type EchoService = {
  readonly services: Services;
  /** Payloads of Sleep calls whose signal fired, with the reason. */
  readonly aborted: { readonly payload: string; readonly reason: unknown }[];
  /** Payloads that Append took, in order of arrival. */
  readonly appended: string[];
  /** Calls of Echo and BigLater so far. */
  echoes: number;
};

export function echoService(): EchoService {
  const service: EchoService = { services: new Map(), aborted: [], appended: [], echoes: 0 };
  const methods: Record<string, Method> = {
    Echo(payload) {
      service.echoes++;
      return payload;
    },
    EchoLater: async (payload) => payload,
    /** Answers after so many milliseconds, or fails with the reason of its signal. */
    Sleep: (payload, context) => sleep(payload, context, service),
    /** The same without looking at its signal. */
    SleepDeaf: (payload) =>
      new Promise((resolve) => setTimeout(resolve, milliseconds(payload), payload)),
    /** Ends only with its signal. */
    Never: (payload, { signal }) =>
      new Promise((_, reject) => {
        const end = () => {
          service.aborted.push({ payload: text(payload), reason: signal.reason });
          reject(signal.reason);
        };
        if (signal.aborted) end();
        else signal.addEventListener("abort", end);
      }),
    /** As many bytes as asked for. */
    Big: (payload) => new Uint8Array(Number(text(payload))).fill(7),
    /** The same, after as many turns of the event loop as it takes to read all that has come. */
    BigLater: async (payload) => {
      service.echoes++;
      for (let turns = 0; turns < 30; turns++) await new Promise(setImmediate);
      return new Uint8Array(Number(text(payload))).fill(7);
    },
    Err: async (payload) => {
      throw new Error(text(payload));
    },
    /** "5 text" is refused with code 5 and the text. */
    Status: async (payload) => {
      const [, code = "", message = ""] = /^(\d+) (.*)$/s.exec(text(payload)) ?? [];
      throw statusError(Number(code), message);
    },
    /** Throws before it has returned a promise. */
    Throw(payload) {
      throw new Error(text(payload));
    },
    /** Throws what is no error at all. */
    ThrowOddity() {
      throw Object.create(null);
    },
    Empty: () => new Uint8Array(0),
    /** The values of a metadata key, as JSON. */
    Meta: async (payload, { metadata }) => bytes(JSON.stringify(metadata.get(text(payload)) ?? [])),
    Deadline: (_, { timeoutNano }) => bytes(String(timeoutNano)),
    /** Decodes a message with one string field, as a generated method would, and returns its value. */
    Decode(payload) {
      const reader = new ProtoReader(payload, 0, payload.length);
      let value = "";
      while (!reader.done) {
        const tag = reader.tag();
        if (tag === 0x0a) value = reader.string();
        else reader.skip(tag);
      }
      service.appended.push(value);
      return bytes(value);
    },
    Append(payload) {
      service.appended.push(text(payload));
      return new Uint8Array(0);
    },
  };
  const other: Record<string, Method> = { Echo: (payload) => bytes(`other ${text(payload)}`) };
  const services = new Map([
    [ECHO, new Map(Object.entries(methods))],
    [OTHER, new Map(Object.entries(other))],
  ]);
  return Object.assign(service, { services });
}

function milliseconds(payload: Uint8Array): number {
  return Number(text(payload));
}

function sleep(payload: Uint8Array, { signal }: CallContext, service: EchoService) {
  return new Promise<Uint8Array>((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds(payload), payload);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      service.aborted.push({ payload: text(payload), reason: signal.reason });
      reject(signal.reason);
    });
  });
}

function statusError(number: number, message: string): Error {
  const code = codeFrom(number);
  return code === Code.OK ? new Error("status OK") : new StatusError(code, message);
}
