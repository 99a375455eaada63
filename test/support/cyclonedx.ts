// CycloneDX's own judgement of a bill of materials.
import { join } from "node:path";

type Validator = { validate(text: string): Promise<unknown> };
type Library = {
  readonly Validation: { readonly JsonStrictValidator: new (version: string) => Validator };
};

const { success, stdout, stderr } = Bun.spawnSync(["bash", join(import.meta.dir, "cyclonedx.sh")]);

/** What it lacks here; undefined if nothing. */
export const noCycloneDx = success ? undefined : `CycloneDX's library: ${stderr.toString().trim()}`;

/** What is wrong with a document for its schema; null if nothing is. */
export async function complaintsOf(bill: string): Promise<unknown> {
  const { Validation }: Library = await import(stdout.toString().trimEnd());
  return new Validation.JsonStrictValidator("1.6").validate(bill);
}
