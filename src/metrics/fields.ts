// Tables of numbers as files of procfs have them.

/** Lines `Name:   12 kB` or `name 12`, by name: the first number of each. */
export function fieldsOf(text: string): ReadonlyMap<string, number> {
  const found = text.matchAll(/^([^\s:]+)(?::|[ \t])[ \t]*(\d+)/gm);
  return new Map(Array.from(found, ([, name = "", digits]) => [name, numberIn(digits)] as const));
}

/** The words of each line. What else Unicode takes for a space may be in the name of an interface. */
export function rowsOf(text: string): readonly (readonly string[])[] {
  return text
    .split("\n")
    .map((line) => line.split(/[ \t:]+/).filter((word) => word !== ""))
    .filter((words) => words.length > 0);
}

/** Words from `first` on by the names given; 0 for what an older kernel has not. */
export function columns(
  names: readonly string[],
  words: readonly string[],
  first: number,
  times = 1,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    names.map((name, index) => [name, numberIn(words[first + index]) * times]),
  );
}

/** 0 for what is none. */
export function numberIn(word: string | undefined): number {
  return word !== undefined && /^\d+(\.\d+)?$/.test(word) ? Number(word) : 0;
}
