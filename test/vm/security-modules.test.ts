// Labels in guests whose kernel has AppArmor, or SELinux: what the program of a container runs as.
import { expect, test } from "bun:test";
import { Code } from "../../src/ttrpc/code.ts";
import { createContainer, idleContainer, linesOf } from "../support/container.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestVm } from "../support/vm.ts";
import { describeWithVm } from "../support/with-vm.ts";

const CURRENT = "cat /proc/self/attr/current";
const PROFILE = "kata-test";

/** apparmorfs takes profiles as apparmor_parser(8) compiles them (security/apparmor/policy_unpack.c). */
function compiledProfile(name: string): Buffer {
  const COMPLAIN = 1;
  const u16 = (value: number) => [value & 0xff, value >> 8];
  const u32 = (value: number) => [2, ...u16(value & 0xffff), ...u16(value >> 16)];
  const text = (code: number, words: string) => [
    code,
    ...u16(words.length + 1),
    ...Buffer.from(`${words}\0`),
  ];
  const named = (words: string, value: readonly number[]) => [...text(4, words), ...value];
  const STRUCT = 7;
  const END = 8;
  return Buffer.from([
    ...named("version", u32(5)),
    ...named("profile", [STRUCT, ...text(5, name)]),
    ...named("flags", [STRUCT, ...u32(0), ...u32(COMPLAIN), ...u32(0), END]),
    // Capabilities: allowed, audited, not audited, extended.
    ...u32(0),
    ...u32(0),
    ...u32(0),
    ...u32(0),
    END,
  ]);
}

async function loadProfile(vm: TestVm, name: string): Promise<void> {
  const octal = [...compiledProfile(name)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`);
  await vm.sh("busybox mount -t securityfs securityfs /sys/kernel/security");
  await vm.sh(`printf '${octal.join("")}' >/run/profile`);
  await vm.sh("busybox cat /run/profile >/sys/kernel/security/apparmor/.load");
}

describeWithVm("A guest with AppArmor", { words: ["security=apparmor"] }, (vm) => {
  test("runs a container under the profile that it names, and its execs as well", async () => {
    await loadProfile(vm(), PROFILE);
    const process = { ApparmorProfile: PROFILE };
    expect(await linesOf(vm(), CURRENT, { process })).toEqual([`${PROFILE} (complain)`]);
    await using container = await idleContainer(vm(), { process });
    const exec = async (change: object) =>
      (await container.run(["sh", "-c", CURRENT], change)).stdout.trim();
    expect(await exec({})).toBe(`${PROFILE} (complain)`);
    expect(await exec({ ApparmorProfile: "unconfined" })).toBe("unconfined");
  });

  test("leaves a container that names none unconfined", async () => {
    expect(await linesOf(vm(), CURRENT)).toEqual(["unconfined"]);
  });

  test("refuses a profile that is not loaded by its name, and makes no container", async () => {
    const process = { ApparmorProfile: "nobody" };
    const refusal = await refusalOf(createContainer(vm(), ["true"], { process }));
    expect(refusal).toEqual({
      code: Code.INTERNAL,
      message: "set process.apparmorProfile to exec nobody: ENOENT: No such file or directory",
    });
  });
});

const LABEL = "system_u:system_r:container_t:s0:c1,c2";

describeWithVm("A guest with SELinux", { words: ["security=selinux", "selinux=1"] }, (vm) => {
  test("refuses a label until somebody has mounted what policies are loaded by", async () => {
    const process = { SelinuxLabel: LABEL };
    const refusal = await refusalOf(createContainer(vm(), ["true"], { process }));
    expect(refusal.code).toBe(Code.INVALID_ARGUMENT);
    expect(refusal.message).toContain("SELinux is not enabled on the running kernel");
  });

  test("takes the label for the program and its keys; without a policy it stands for the kernel's", async () => {
    await vm().sh("busybox mount -t selinuxfs selinuxfs /sys/fs/selinux");
    const process = { SelinuxLabel: LABEL };
    const lines = await linesOf(vm(), `${CURRENT} | tr -d '\\0'; echo`, { process });
    expect(lines).toEqual(["kernel"]);
    await using container = await idleContainer(vm(), { process });
    expect((await container.run(["true"])).status).toBe(0);
  });

  test("takes no label for mounts without a policy, and names the option", async () => {
    const linux = { MountLabel: "system_u:object_r:container_file_t:s0" };
    const { message } = await refusalOf(createContainer(vm(), ["true"], { linux }));
    expect(message).toContain("context=system_u:object_r:container_file_t:s0");
  });
});
