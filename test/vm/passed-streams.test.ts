// Streams that a host connects itself, over vsock: rpc.md 6.35.
import { expect, test } from "bun:test";
import { until } from "../../src/async/until.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { idleContainer, startContainer } from "../support/container.ts";
import { refusalOf } from "../support/refusal.ts";
import { processMessage } from "../support/spec.ts";
import { Transcript } from "../support/transcript.ts";
import type { TestVm } from "../support/vm.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

const PORT = 1027;
const SETTLED_IN_MS = 10_000;
const words = [`agent.passfd_listener_port=${PORT}`];

describeWithVm("A guest that takes streams of the host", { words }, (vm) => {
  test("gives a container its input and takes both its outputs, all before the end is told", async () => {
    const [stdin, stdout, stderr] = [await dial(vm()), await dial(vm()), await dial(vm())];
    const request = {
      stdinPort: stdin.port,
      stdoutPort: stdout.port,
      stderrPort: stderr.port,
    };
    const script = "cat; echo error >&2; head -c 300000 /dev/zero | tr '\\0' x; exit 7";
    const container = await startContainer(vm(), ["sh", "-c", script], { request });
    stdin.write("from the host\n");
    await stdout.screen.until("from the host\n");
    const end = container.wait();
    stdin.hangUp();
    expect(await end).toBe(7);
    await stderr.screen.until("error\n");
    await stdout.screen.until(/x{300000}$/);
    await container.remove();
  });

  test("gives an exec a terminal, and goes without a stream that does not come", async () => {
    await using container = await idleContainer(vm());
    const { containerId } = container;
    const [stdin, stdout] = [await dial(vm()), await dial(vm())];
    const exec = { containerId, execId: "shell" };
    await vm().client.call(method.execProcess, {
      ...exec,
      process: processMessage(["sh"], { Terminal: true }),
      stdinPort: stdin.port,
      stdoutPort: stdout.port,
      stderrPort: 1,
    });
    stdin.write("echo this is $((6 * 7)); exit 5\n");
    await stdout.screen.until("this is 42");
    expect((await vm().client.call(method.waitProcess, exec)).status).toBe(5);
    await vm().console.until('"stream":"stderr"');
  });

  test("closes the streams of a request that it refuses", async () => {
    const held = () => vm().sh("ls -l /proc/1/fd | grep -c socket");
    const before = await held();
    const { port: stdoutPort } = await dial(vm());
    expect(await until(async () => (await held()) !== before, SETTLED_IN_MS)).toBe(true);
    const asked = { containerId: "nobody", execId: "e", stdoutPort };
    await refusalOf(vm().client.call(method.execProcess, asked));
    expect(await held()).toBe(before);
  });
});

async function dial(vm: TestVm) {
  const channel = await vm.dial(PORT);
  const screen = new Transcript("a stream");
  channel.attach(screen);
  return {
    port: channel.ownPort,
    screen,
    write: (text: string) => void channel.socket.write(text),
    hangUp: () => channel.socket.terminate(),
  };
}
