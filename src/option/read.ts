// A table of options and what was told, made into values; and what to say about all that was told in
// vain. Nothing that is told is an error: a pod starts with the default rather than not at all.
import { quote } from "../oci/invalid-spec.ts";
import type { Kind } from "./kind.ts";
import { CONFIG_FILE, type Named, type Option, PREFIX, type Read, keyOf } from "./option.ts";
import type { Parameter } from "./parameters.ts";
import { type Given, type Sources, select } from "./sources.ts";

/** What the names of our variables begin with. */
const VARIABLE_PREFIX = "KATA_AGENT_";

/** A file can be long, and each of its lines wrong. */
const MOST_WARNINGS = 64;

export type Reading<Values> = { readonly values: Values; readonly warnings: readonly string[] };

export function readOptions<Values>(
  table: (read: Read) => Values,
  sources: Sources,
): Reading<Values> {
  const { counts, passedOver } = select(sources);
  const warnings: string[] = [];
  const known: Named[] = [];
  const values = table((option) => {
    known.push(option);
    return valueOf(option, counts, warnings);
  });
  warnings.push(...unknown(counts, known), ...inVain(passedOver, known, sources));
  const rest = warnings.splice(MOST_WARNINGS).length;
  return { values, warnings: rest === 0 ? warnings : [...warnings, `and ${rest} more like these`] };
}

/** The last of what was told that is a value of this kind, or the default. */
function valueOf<Value>(option: Option<Value>, given: Given, warnings: string[]): Value {
  const { kind, acts } = option;
  let value = option.default;
  let name = "";
  for (const told of toldOf(option, given)) {
    const read = told.read(kind);
    if (read === undefined) {
      const shown = kind.isSecret === true ? told.name : told.shown;
      warnings.push(`${shown} is ignored: want ${kind.wants.replaceAll("`", "")}`);
    } else {
      value = read;
      name = told.name;
    }
  }
  if (!acts && value !== option.default) warnings.push(`${name} has no effect in this version`);
  return value;
}

/** One time that an option was told. */
type Told = {
  readonly name: string;
  /** With what it was told. */
  readonly shown: string;
  readonly read: <Value>(kind: Kind<Value>) => Value | undefined;
};

/** In the order in which one overrules the other. */
function toldOf(option: Named, { file, parameters, variables }: Given): Told[] {
  const key = keyOf(option);
  const { variable = "" } = option;
  const text = variables.get(variable);
  return [
    ...(file !== undefined && key !== undefined && Object.hasOwn(file.content, key)
      ? [toldByKey(key, file.path, file.content[key])]
      : []),
    ...parameters.filter(({ name }) => name === option.parameter).map(toldByParameter),
    ...(text === undefined ? [] : [toldByVariable(variable, text)]),
  ];
}

function toldByKey(key: string, path: string, value: unknown): Told {
  const name = `${key} of ${path}`;
  return { name, shown: `${name}, ${inToml(value)},`, read: (kind) => kind.fromToml(value) };
}

function toldByParameter({ name, value }: Parameter): Told {
  return {
    name,
    shown: shownParameter({ name, value }),
    read: (kind) => (value === undefined ? kind.bare : kind.fromText(value)),
  };
}

function toldByVariable(name: string, value: string): Told {
  return { name, shown: `${name}=${quote(value)}`, read: (kind) => kind.fromText(value) };
}

function shownParameter({ name, value }: Parameter): string {
  return value === undefined ? name : `${name}=${quote(value)}`;
}

function inToml(value: unknown): string {
  return typeof value === "string" ? quote(value) : isPlain(value) ? String(value) : "a table";
}

function isPlain(value: unknown): value is number | boolean {
  return typeof value === "number" || typeof value === "boolean";
}

/** Names that look like ours. The rest of the command line is the kernel's, systemd's or anybody's. */
function unknown(given: Given, known: readonly Named[]): string[] {
  const keys = new Set(known.map(keyOf));
  const content = given.file?.content ?? {};
  return [
    ...Object.keys(content)
      .filter((key) => !keys.has(key))
      .map((key) => `${quote(key)} of ${given.file?.path}`),
    ...namesIn(given).filter((name) => isOurs(name) && !isKnown(name, known)),
  ].map((name) => `${name} is unknown`);
}

/** What stands beside a file that is the only one to count. */
function inVain(passedOver: Given, known: readonly Named[], { file }: Sources): string[] {
  const names = namesIn(passedOver).filter((name) => name !== CONFIG_FILE);
  const ours = names.filter((name) => isOurs(name) || isKnown(name, known));
  return ours.map((name) => `${name} is passed over: what counts is ${file?.path}`);
}

function namesIn({ parameters, variables }: Given): string[] {
  return [...parameters.map(({ name }) => name), ...variables.keys()];
}

function isOurs(name: string): boolean {
  return name.startsWith(PREFIX) || name.startsWith(VARIABLE_PREFIX);
}

function isKnown(name: string, known: readonly Named[]): boolean {
  return known.some(({ parameter, variable }) => name === parameter || name === variable);
}
