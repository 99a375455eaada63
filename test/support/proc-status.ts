// /proc/<pid>/status as a record: `{ Name: "cat", SigIgn: "0000000000000000", … }`.

export function statusOf(text: string): Readonly<Record<string, string>> {
  const lines = text.trimEnd().split("\n");
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}
