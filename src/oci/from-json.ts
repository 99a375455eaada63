// config.json of an OCI bundle → Spec: for `kata-agent explain`, for the pause container's bundle,
// and for tests. As strict about words as the conversion from the wire.
import { idMappings, linuxFromJson } from "./from-json-linux.ts";
import { processFromJson } from "./from-json-process.ts";
import { InvalidSpec } from "./invalid-spec.ts";
import {
  type Decode,
  array,
  flag,
  object,
  optional,
  record,
  text,
  texts,
  unsigned,
  given,
} from "./json-value.ts";
import type { Hook, Hooks, Mount, Root, Spec } from "./spec.ts";

const mount = object<Mount>({
  destination: text,
  type: given,
  source: given,
  options: optional(texts),
  uidMappings: optional(idMappings),
  gidMappings: optional(idMappings),
});

const hooks = optional(
  array(
    object<Hook>({
      path: text,
      args: optional(texts),
      env: optional(texts),
      timeout: optional(unsigned),
    }),
    "hooks",
  ),
);

const spec: Decode<Spec> = object<Spec>({
  ociVersion: text,
  process: optional(processFromJson),
  root: optional(object<Root>({ path: text, readonly: optional(flag) })),
  hostname: given,
  domainname: given,
  mounts: optional(array(mount, "mounts")),
  hooks: optional(
    object<Hooks>({
      prestart: hooks,
      createRuntime: hooks,
      createContainer: hooks,
      startContainer: hooks,
      poststart: hooks,
      poststop: hooks,
    }),
  ),
  annotations: optional(record(text)),
  linux: optional(linuxFromJson),
});

/** Throws InvalidSpec: not JSON, a value of the wrong type, or an unknown word. */
export function specFromJson(json: string): Spec {
  return spec(parse(json), "");
}

/** Whole numbers past 2^53 become bigints: rlimits and seccomp arguments use all 64 bits. */
function parse(json: string): unknown {
  try {
    return JSON.parse(json, (_key, value: unknown, context?: { readonly source?: string }) => {
      const digits = context?.source;
      const inexact = typeof value === "number" && !Number.isSafeInteger(value);
      return inexact && digits !== undefined && /^-?\d+$/.test(digits) ? BigInt(digits) : value;
    });
  } catch (error) {
    throw new InvalidSpec(`config: not JSON: ${error instanceof Error ? error.message : error}`);
  }
}
