// Lists of processors and memory nodes as the kernel shows them: `0-3,6` (cpuset(7), list format).

/** No kernel has more processors than this (x86, MAXSMP); numbers of memory nodes are smaller. */
const MOST_NUMBERS = 8192;

/** What a list names. What is no number or range is passed over. */
export function numbersOf(list: string): ReadonlySet<number> {
  const numbers = new Set<number>();
  for (const range of list.split(",")) {
    const [, first, last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(range) ?? [];
    for (let number = Number(first); number <= Number(last) && number < MOST_NUMBERS; number++)
      numbers.add(number);
  }
  return numbers;
}
