// What options take and what they do not, by kind.

export type Values = {
  /** What to write, and what comes of it; without text the name stands alone. */
  readonly good: readonly (readonly [text: string | undefined, value: unknown])[];
  readonly bad: readonly (string | undefined)[];
  readonly goodToml: readonly (readonly [given: unknown, value: unknown])[];
  readonly badToml: readonly unknown[];
};

export const I32 = 2_147_483_647;
export const U64 = 18_446_744_073_709_551_615n;
export const I64 = 9_223_372_036_854_775_807n;

export const FLAG: Values = {
  good: [[undefined, true]],
  bad: ["true", "1", ""],
  goodToml: [
    [true, true],
    [false, false],
  ],
  badToml: ["true", 1, [], {}],
};
export const BOOL: Values = {
  good: [
    ["true", true],
    ["false", false],
    ["1", true],
    ["0", false],
    ["18446744073709551615", true],
  ],
  bad: [undefined, "", "yes", "TRUE", "-1", "18446744073709551616", "true=true"],
  goodToml: FLAG.goodToml,
  badToml: FLAG.badToml,
};
export const PORT: Values = {
  good: [
    ["1026", 1026],
    ["+1026", 1026],
    [String(I32), I32],
    ["0", 0],
  ],
  bad: [undefined, "", "-1", "2147483648", "0x10", "1 ", "1.0", "1e3", "9".repeat(1000)],
  goodToml: [
    [1026, 1026],
    [0, 0],
  ],
  badToml: [-1, I32 + 1, 1.5, Number.NaN, "1026", true],
};
export const SECONDS: Values = {
  good: [
    ["7", 7_000],
    ["+7", 7_000],
    // setTimeout takes no more.
    [String(U64), I32],
  ],
  bad: [undefined, "", "0", "-3", "3.5", "3s", String(U64 + 1n)],
  goodToml: [
    [7, 7_000],
    [{ secs: 1, nanos: 500_000_000 }, 1_500],
    [[2, 0], 2_000],
    [{ secs: 0, nanos: 1 }, 1],
    [Number.MAX_SAFE_INTEGER, I32],
  ],
  badToml: [0, -1, 1.5, "3", {}, { secs: 3 }, [3], [3, -1], [3, 0, 0], { secs: "3", nanos: 0 }],
};
export const TEXT: Values = {
  good: [
    ["a", "a"],
    ["a=b=c", "a=b=c"],
  ],
  bad: [undefined, ""],
  goodToml: [["a b", "a b"]],
  badToml: ["", 1, true, ["a"]],
};
export const BYTE: Values = {
  good: [
    ["0", 0],
    ["255", 255],
  ],
  bad: [undefined, "", "256", "-1", "x"],
  goodToml: [[255, 255]],
  badToml: [256, -1, "1"],
};

export function big(most: bigint): Values {
  return {
    good: [
      ["0", 0n],
      [String(most), most],
    ],
    bad: [undefined, "", String(most + 1n), "-1", "x"],
    goodToml: [[7, 7n]],
    badToml: [-1, 1.5, "7", Number.MAX_VALUE],
  };
}

export function words(...pairs: readonly (readonly [string, string])[]): Values {
  return {
    good: pairs,
    bad: [undefined, "", "All", "x"],
    goodToml: pairs,
    badToml: ["", "x", 1, true],
  };
}

export const same = (word: string) => [word, word] as const;
