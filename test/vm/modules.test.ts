// Modules of the kernel that CreateSandbox asks for, loaded by a real modprobe (BusyBox's).
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { type Entry, file } from "../support/cpio.ts";
import { refusalOf } from "../support/refusal.ts";
import { kernel } from "../support/vm-kernel.ts";
import { modulesFor } from "../support/vm-modules.ts";
import { NATIVE, PLATFORMS, busyboxFor } from "../support/vm-platform.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { createSandbox } = AgentService.method;

/** Takes a parameter, needs no other, and shows in /sys/class/net what it was told. */
const MODULE = "dummy";

function modprobeAnd(name: string): Entry[] {
  const { modules } = kernel(PLATFORMS[NATIVE].debian);
  const at = `lib/modules/${basename(modules)}`;
  const [module] = modulesFor([name], modules);
  if (module === undefined) throw new Error(`${name} is built in`);
  return [
    file("sbin/modprobe", readFileSync(busyboxFor(NATIVE)), 0o755),
    file(`${at}/${name}.ko`, module.bytes),
    // depmod(8): what each needs.
    file(`${at}/modules.dep`, Buffer.from(`${name}.ko:\n`)),
  ];
}

describeWithVm("A guest with modules", { files: modprobeAnd(MODULE) }, (vm) => {
  test("loads those that the pod needs, with their parameters, and a second time does nothing", async () => {
    const request = { kernelModules: [{ name: MODULE, parameters: ["numdummies=3"] }] };
    await vm().client.call(createSandbox, request);
    expect(await vm().sh("cd /sys/class/net; echo dummy*")).toBe("dummy0 dummy1 dummy2\n");
    await vm().client.call(createSandbox, request);
    expect(await vm().sh("cd /sys/class/net; echo dummy*")).toBe("dummy0 dummy1 dummy2\n");
  });

  test("says which one it does not have", async () => {
    const request = { kernelModules: [{ name: "no_such_module" }] };
    const { code, message } = await refusalOf(vm().client.call(createSandbox, request));
    expect(code).toBe(Code.INTERNAL);
    expect(message).toMatch(/^kernel module no_such_module: .* not found/);
  });
});
