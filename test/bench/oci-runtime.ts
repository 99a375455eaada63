// runc, or another of its kind: a process for each operation, as its callers run it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "./bench.ts";

export class OciRuntime {
  readonly name: string;
  readonly #log: string;
  readonly #command: readonly string[];

  constructor(bench: Bench, name: string) {
    this.name = name;
    this.#log = join(bench.directory, `${name}.log`);
    const state = join(bench.directory, name);
    this.#command = [name, "--root", state, "--log", this.#log];
  }

  /** Throws with what it logs if it does not succeed. */
  run(...args: readonly string[]): void {
    // No pipes: a container would have them, too, and keep them open.
    const { exitCode } = Bun.spawnSync([...this.#command, ...args], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    if (exitCode === 0) return;
    const words = readFileSync(this.#log, "utf8").trim().split("\n").at(-1);
    throw new Error(`${this.name} ${args[0]}: ${words}`);
  }
}
