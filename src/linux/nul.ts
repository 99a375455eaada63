/** The kernel reads text up to its first NUL: what is behind it would be lost without a word. */
export function refuseNul(text: string): void {
  if (text.includes("\0")) throw new TypeError("an argument of a system call contains NUL");
}
