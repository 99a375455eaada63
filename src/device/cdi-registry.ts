// The CDI devices that the guest knows of, from the documents in a directory.
import { type SmallFile, filesBelow } from "../kernel/small-files.ts";
import { InvalidSpec } from "../oci/invalid-spec.ts";
import { type CdiName, cdiText } from "./cdi-name.ts";
import { cdiSpecFrom } from "./cdi-document.ts";
import type { CdiEdits, CdiSpec } from "./cdi-spec.ts";

/** A device, and the document that it is in. */
type Known = { readonly spec: CdiSpec; readonly edits: CdiEdits };

const LIMITS = { files: 256, bytes: 4 << 20, depth: 8 } as const;

export class CdiRegistry {
  readonly #devices: ReadonlyMap<string, Known>;
  readonly #kinds: ReadonlySet<string>;

  private constructor(specs: readonly CdiSpec[]) {
    const devices = new Map<string, Known>();
    for (const spec of specs) {
      for (const { name, containerEdits } of spec.devices) {
        const text = cdiText({ kind: spec.kind, device: name });
        if (devices.has(text)) throw new InvalidSpec(`CDI device ${text} is in two documents`);
        devices.set(text, { spec, edits: containerEdits });
      }
    }
    this.#devices = devices;
    this.#kinds = new Set(specs.map(({ kind }) => kind));
  }

  /** Throws InvalidSpec for a document that is none, and for a device that is in two of them. */
  static async read(directory: string): Promise<CdiRegistry> {
    const files = await filesBelow(directory, /\.(json|yaml)$/i, LIMITS);
    return new CdiRegistry(files.map(parse));
  }

  /** Those that are not there although others of their kind are: no document will bring them. */
  missing(names: readonly CdiName[]): readonly CdiName[] {
    return names.filter((name) => this.#kinds.has(name.kind) && !this.#devices.has(cdiText(name)));
  }

  /**
   * What is to be done for these devices, in their order: what is for all of a document once, before what is
   * for its first device. undefined: one of them is not known.
   */
  edits(names: readonly CdiName[]): readonly CdiEdits[] | undefined {
    const known = names.map((name) => this.#devices.get(cdiText(name)));
    const found = known.filter((each) => each !== undefined);
    if (found.length < names.length) return undefined;
    const seen = new Set<CdiSpec>();
    return found.flatMap(({ spec, edits }) => {
      const isFirst = !seen.has(spec);
      seen.add(spec);
      return isFirst && spec.containerEdits !== undefined ? [spec.containerEdits, edits] : [edits];
    });
  }
}

function parse({ path, text }: SmallFile): CdiSpec {
  let value: unknown;
  try {
    // JSON is YAML, but for tabs.
    value = /json$/i.test(path) ? JSON.parse(text) : Bun.YAML.parse(text);
  } catch (error) {
    throw new InvalidSpec(`${path}: ${error instanceof Error ? error.message : error}`);
  }
  return cdiSpecFrom(value, path);
}
