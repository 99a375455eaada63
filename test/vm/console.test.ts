// The debug console of a guest, on vsock.
import { beforeAll, expect, test } from "bun:test";
import { until } from "../../src/async/until.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { idleContainer } from "../support/container.ts";
import { Transcript } from "../support/transcript.ts";
import type { TestVm } from "../support/vm.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

const CONSOLE_PORT = 1026;
const ENDS_IN_MS = 10_000;

const words = ["agent.debug_console", `agent.debug_console_vport=${CONSOLE_PORT}`];

describeWithVm("A guest with a debug console", { words }, (vm) => {
  beforeAll(async () => {
    await vm().client.call(method.createSandbox, { sandboxId: "pod" });
  });

  test("answers by itself where there is no shell", async () => {
    await using container = await idleContainer(vm());
    const { screen, type } = await openConsole(vm());
    await screen.until("kata-agent> ");
    type("containers\n");
    await screen.until(new RegExp(`^${container.containerId}\\b`, "m"));
    type("mounts\n");
    await screen.until(/^\S*.*\/sys\/fs\/cgroup/m);
    type("cat /proc/1/comm\n");
    await screen.until(/^kata-agent\r$/m);
  });

  test("gives a shell where there is one, and ends it when the host hangs up", async () => {
    await vm().sh("mkdir -p /bin && ln -s /rootfs/bin/busybox /bin/sh");
    const { screen, type, hangUp } = await openConsole(vm());
    type("echo shell $$ on $(tty)\n");
    // What was typed is there as well: the terminal echoes.
    const [, pid = ""] =
      /shell (\d+)/.exec(await screen.until(/^shell \d+ on \/dev\/pts\/\d+\r$/m)) ?? [];
    await screen.until("echo shell $$ on");
    expect(await isRunning(vm(), pid)).toBe(true);
    hangUp();
    expect(await until(async () => !(await isRunning(vm(), pid)), ENDS_IN_MS)).toBe(true);
  });

  test("gives one to each who comes, at the same time", async () => {
    const consoles = [await openConsole(vm()), await openConsole(vm()), await openConsole(vm())];
    for (const [index, { type }] of consoles.entries()) type(`echo this is $((${index} + 7))\n`);
    for (const [index, { screen }] of consoles.entries())
      await screen.until(`this is ${index + 7}`);
    for (const { hangUp } of consoles) hangUp();
  });
});

async function openConsole(vm: TestVm) {
  const channel = await vm.dial(CONSOLE_PORT);
  const screen = new Transcript("the debug console");
  channel.attach(screen);
  return {
    screen,
    type: (text: string) => void channel.socket.write(text),
    hangUp: () => channel.socket.terminate(),
  };
}

async function isRunning(vm: TestVm, pid: string): Promise<boolean> {
  return (await vm.sh(`[ -e /proc/${pid} ] && echo yes || echo no`)) === "yes\n";
}
