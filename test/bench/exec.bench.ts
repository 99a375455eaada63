// A static program more in a container that runs, from the request to the exit status.
import { type Bench, type Benchmark, runs } from "./bench.ts";
import { request, startContainer, writeBundle } from "./containers.ts";
import { OciRuntime } from "./oci-runtime.ts";
import { inTurn, milliseconds } from "./sample.ts";

const RUNS = 300;
const IDLE = ["sleep", "1000"];
const WHAT = "exec of a static program, request to status";

export const exec: Benchmark = async (bench) => {
  await using container = await startContainer(bench.agent.client, request(bench, IDLE));
  using runc = new IdleContainer(bench);
  const { ours, peer } = await inTurn(
    runs(bench, RUNS),
    () => milliseconds(async () => (await container.exec(["true"])).wait()),
    () => milliseconds(() => runc.exec("true")),
  );
  return [{ id: "exec", what: WHAT, unit: "ms", ours, peer: { name: "runc exec", samples: peer } }];
};

class IdleContainer implements Disposable {
  readonly #runc: OciRuntime;
  readonly #id: string;

  constructor(bench: Bench) {
    this.#runc = new OciRuntime(bench, "runc");
    this.#id = `idle-${++bench.serial}`;
    this.#runc.run(
      "run",
      "--detach",
      "--bundle",
      writeBundle(bench, request(bench, IDLE)),
      this.#id,
    );
  }

  exec(program: string): void {
    this.#runc.run("exec", this.#id, program);
  }

  [Symbol.dispose](): void {
    this.#runc.run("delete", "--force", this.#id);
  }
}
