/** Text that JSON.stringify takes over as it is (ECMAScript 2026), which TypeScript does not declare yet. */
interface JSON {
  rawJSON(text: string): object;
}
