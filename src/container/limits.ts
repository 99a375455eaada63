// Limits and scheduling of a process in a user namespace. Its own root may not give more, so the tape
// parks for them.
import { perform } from "../kernel/perform.ts";
import type { IdMaps } from "../oci/id-mapping.ts";
import type { Process } from "../oci/process.ts";
import { privilegedCalls } from "../program/identity.ts";
import type { Stop } from "../child/end-of.ts";

/** None where the tape does it itself. */
export function limitStops(ids: IdMaps | undefined, process: Process): readonly Stop[] {
  if (ids === undefined) return [];
  return [
    ({ pid }) => {
      for (const { label, call } of privilegedCalls(pid, process)) perform(label, call);
    },
  ];
}
