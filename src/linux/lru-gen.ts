// How long memory has not been used: the file lru_gen of debugfs (Documentation/admin-guide/mm/
// multigen_lru.rst), and what is written to it.

/** A cgroup's memory on one node of the machine, in generations: from the oldest, `minSeq`, on. */
export type Generations = {
  readonly memcg: number;
  /** Below the root of cgroup v2; begins with a slash. */
  readonly path: string;
  readonly node: number;
  readonly minSeq: number;
  readonly maxSeq: number;
  /** Of the youngest generation, in milliseconds. */
  readonly ageMs: number;
  /** Pages of the oldest generation. */
  readonly anon: number;
  readonly file: number;
};

/** What is not as the manual says is passed over. */
export function parseLruGen(text: string): Generations[] {
  const found: Generations[] = [];
  let memcg = -1;
  let path = "";
  let node = -1;
  let lines: (readonly number[])[] = [];
  const flush = () => {
    const [oldest, youngest] = [lines[0], lines.at(-1)];
    lines = [];
    if (oldest === undefined || youngest === undefined || memcg < 0 || node < 0) return;
    const [minSeq = 0, , anon = 0, file = 0] = oldest;
    const [maxSeq = 0, ageMs = 0] = youngest;
    found.push({
      memcg,
      path,
      node,
      minSeq,
      maxSeq,
      ageMs,
      anon: atLeast0(anon),
      file: atLeast0(file),
    });
  };
  for (const line of text.split("\n")) {
    const [, id, name] = /^memcg\s+(\d+) (.*)$/.exec(line) ?? [];
    const [, number] = /^\s*node\s+(\d+)$/.exec(line) ?? [];
    if (id !== undefined || number !== undefined) flush();
    if (id !== undefined) [memcg, path, node] = [Number(id), name ?? "", -1];
    else if (number !== undefined) node = Number(number);
    else if (/^\s+\d/.test(line)) lines.push((line.match(/-?\d+/g) ?? []).map(Number));
  }
  flush();
  return found;
}

/** Begin a new generation: what is used from now on is in it. */
export function agingCommand({ memcg, node, maxSeq }: Generations, swap: boolean): string {
  return `+ ${memcg} ${node} ${maxSeq} ${swap ? 1 : 0} 1`;
}

/** Give back pages of the oldest generation. */
export function evictionCommand({ memcg, node, minSeq }: Generations, swappiness: number): string {
  return `- ${memcg} ${node} ${minSeq} ${swappiness} 1`;
}

/** They are counted apart and may not agree for a moment. */
function atLeast0(count: number): number {
  return Math.max(count, 0);
}
