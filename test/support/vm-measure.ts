// What the agent of a guest takes while nobody asks anything of it.
import { statSync } from "node:fs";
import type { TestVm } from "./vm.ts";
import { PLATFORMS } from "./vm-platform.ts";

/** For who reads it. Times are far from what they are where the guest's code runs by itself. */
export async function measure(vm: TestVm): Promise<string> {
  const status = await vm.sh(`cat /proc/${await agentPid(vm)}/status`);
  const kilobytes = (name: string) => {
    const [, number] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status) ?? [];
    return Number(number) * 1024;
  };
  const { size } = statSync(PLATFORMS[vm.machine.arch].agent);
  return [
    `first answer ${(vm.bootMs / 1000).toFixed(1)} s after power-on`,
    `${megabytes(kilobytes("VmRSS"))} resident`,
    `${megabytes(kilobytes("RssAnon"))} of it anonymous`,
    `the file ${megabytes(size)}`,
  ].join(", ");
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Where systemd is process 1, the agent is its service. */
async function agentPid(vm: TestVm): Promise<string> {
  const first = await vm.sh("cat /proc/1/comm");
  return first === "systemd\n" ? (await vm.sh("pidof kata-agent")).trim() : "1";
}
