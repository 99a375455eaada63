// A guest whose host asks for anything: what the agent does as root, with a kernel that is its own.
// FUZZ_CALLS and FUZZ_SEED for more, and for others.
import { afterAll, expect, test } from "bun:test";
import { type DescMethodUnary, type Message, fromBinary, toBinary } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { AgentService, CreateContainerRequestSchema } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { IDS, perturb, randomMessage } from "../fuzz/messages.ts";
import { type Random, upTo } from "../fuzz/mutate.ts";
import { startContainer } from "../support/container.ts";
import { inParallel } from "../support/in-parallel.ts";
import { pick, seeded } from "../support/random.ts";
import { containerRequest } from "../support/spec.ts";
import type { TestVm } from "../support/vm.ts";
import { describeWithVm } from "../support/with-vm.ts";

const CALLS = Number(Bun.env["FUZZ_CALLS"] ?? 1000);
const SEED = Number(Bun.env["FUZZ_SEED"] ?? 1);
const AT_ONCE = 8;
const LONGEST_CALL_NS = 2_000_000_000n;
const PATIENCE_MS = 300_000;

/** The one that ends the guest. */
const METHODS: readonly DescMethodUnary[] = Object.values(AgentService.method).filter(
  ({ name }) => name !== "DestroySandbox",
);
const CONTAINER = toBinary(
  CreateContainerRequestSchema,
  containerRequest({ id: "c1", rootfs: "/rootfs", args: ["sleep", "1000"] }),
);

function messageFor(random: Random, { name, input }: DescMethodUnary): Message {
  if (name !== "CreateContainer") return randomMessage(random, input);
  const request = fromBinary(CreateContainerRequestSchema, CONTAINER);
  request.containerId = pick(random, IDS);
  for (let left = upTo(random, 3); left > 0; left--)
    perturb(random, reflect(CreateContainerRequestSchema, request));
  return request;
}

describeWithVm("A guest whose host asks for anything", {}, (vm) => {
  const answered = new Map<string, number>();
  afterAll(() => console.log(`served: ${JSON.stringify(Object.fromEntries(answered))}`));

  test(
    `serves after ${CALLS} calls as before, and none of them was a defect's`,
    async () => {
      await vm().client.call(AgentService.method.createSandbox, { sandboxId: "pod" });
      await inParallel(AT_ONCE, [...Array(CALLS).keys()], (number) => callAnything(vm(), number));
      await vm().client.call(Health.method.check, {});
      const log = vm().console.text;
      expect(log.split("\n").filter((line) => /"stack":|"level":"CRIT"/.test(line))).toEqual([]);
      await using container = await startContainer(vm(), ["sh", "-c", "echo alive; exit 3"], {
        id: "alive",
      });
      expect(await container.outcome()).toEqual({ status: 3, stdout: "alive\n", stderr: "" });
    },
    PATIENCE_MS,
  );

  async function callAnything({ client }: TestVm, number: number): Promise<void> {
    const random = seeded(Math.imul(SEED, 0x9e3779b1) + number);
    const method = pick(random, METHODS);
    const payload = toBinary(method.input, messageFor(random, method));
    try {
      await client.client.call(method.parent.typeName, method.name, payload, {
        timeoutNano: LONGEST_CALL_NS,
      });
      answered.set(method.name, (answered.get(method.name) ?? 0) + 1);
    } catch {
      // A refusal; what it says is the business of other tests.
    }
  }
});
