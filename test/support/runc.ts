// Debian's runc, with the bundles of a test.
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What is there to compare with; undefined if all is. */
export const noRunc = ["runc", "script"].every((name) => Bun.which(name) !== null)
  ? undefined
  : "Debian's packages runc and bsdutils";

const NOTHING = new Uint8Array(0);

export class Runc {
  readonly #directory: string;

  /** `directory`: for its state and the bundles. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** What the container says from its start to its end. */
  run(id: string, config: unknown): string {
    return this.#output("run", "--bundle", this.#bundle(id, config), id);
  }

  /** The same with a terminal, which runc passes on to its own. */
  runInTerminal(id: string, config: unknown): string {
    const words = [...this.#command, "run", "--bundle", this.#bundle(id, config), id];
    const command = ["script", "--quiet", "--return", "--command", words.join(" "), "/dev/null"];
    // The end of its input would be typed, and echoed.
    const silence = join(this.#directory, "silence");
    spawnSync("mkfifo", [silence]);
    const input = openSync(silence, "r+");
    try {
      return output(command, input);
    } finally {
      closeSync(input);
    }
  }

  /** Have it run, do `work`, and remove it. */
  running<Result>(id: string, config: unknown, work: () => Result): Result {
    // No pipes: the container would have them, too, and keep them open.
    const stdio = ["ignore", "ignore", "inherit"] as const;
    const run = ["run", "--detach", "--bundle", this.#bundle(id, config), id];
    const { success } = Bun.spawnSync([...this.#command, ...run], { stdio: [...stdio] });
    if (!success) throw new Error(`runc cannot run ${id}`);
    try {
      return work();
    } finally {
      this.#output("delete", "--force", id);
    }
  }

  /** What a process says that is given as in config.json. */
  exec(id: string, process: unknown): string {
    const path = join(this.#directory, `${id}-process.json`);
    writeFileSync(path, JSON.stringify(process));
    return this.#output("exec", "--process", path, id);
  }

  get #command(): readonly string[] {
    return ["runc", "--root", join(this.#directory, "state")];
  }

  #output(...args: readonly string[]): string {
    return output([...this.#command, ...args]);
  }

  #bundle(id: string, config: unknown): string {
    const bundle = join(this.#directory, `bundle-${id}`);
    mkdirSync(bundle, { recursive: true });
    writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
    return bundle;
  }
}

function output(command: readonly string[], stdin: number | Uint8Array = NOTHING): string {
  const { success, stdout, stderr } = Bun.spawnSync([...command], { stdin });
  if (!success) throw new Error(`${command.join(" ")}: ${stdout}${stderr}`);
  return stdout.toString();
}
