/** The number that up to eight hex digits of either case stand for; undefined for other text, or past `most`. */
export function hex(text: string, most: number): number | undefined {
  if (!/^[0-9a-fA-F]{1,8}$/.test(text)) return undefined;
  const number = Number.parseInt(text, 16);
  return number > most ? undefined : number;
}
