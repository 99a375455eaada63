// Spans leave a guest by vsock.
import { expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { describeWithVm } from "../support/with-vm.ts";

/** The agent itself: it takes connections, and answers in another language than HTTP. */
const ADDRESS = "vsock://1:1024";
const words = ["agent.trace", `agent.trace_address=${ADDRESS}`];

describeWithVm("A guest that is traced", { words }, (vm) => {
  test("gives its spans to who listens on a vsock port, and hears what that says of them", async () => {
    await vm().client.call(AgentService.method.createSandbox, { sandboxId: "pod" });
    const line = await vm().console.until(/.*spans are lost.*\r?\n/);
    expect(line).toContain(`${ADDRESS} answers nothing`);
  });
});
