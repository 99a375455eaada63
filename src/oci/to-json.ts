// Spec → config.json of an OCI bundle.
import type { Spec } from "./spec.ts";

/** Numbers past 2^53 as they are: who reads them as 64 bits would take a rounded 2^64 − 1 for too large. */
export function specToJson(spec: Spec): string {
  return JSON.stringify(spec, (_, value) =>
    typeof value === "bigint" ? JSON.rawJSON(String(value)) : value,
  );
}
