// An attack on the agent's own file, which is all of the agent: loader and libraries are in it, so that
// it runs in any root. Here it lies in an initramfs, which the guest's root may write to.
import { beforeAll, expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { startContainer } from "../support/container.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

const rootfs = "/run/hostile";
const AGENT = "/usr/bin/kata-agent";

/** Until execve the agent's file is what a process of the container executes. */
const SNARE = "#!/proc/self/exe";

/** Get hold of a program that is none of the image's, and write to it as long as it runs and after. */
const CATCH = `echo ready
while :; do
  for process in /proc/[0-9]*; do
    case $(readlink $process/exe) in
      "" | */busybox) ;;
      *) (: <$process/exe) 2>/dev/null && exec 9<$process/exe && break 2 ;;
    esac
  done
done
readlink /proc/self/fd/9
(echo x >/proc/self/fd/9) 2>&1
read line
(echo x >/proc/self/fd/9) 2>&1; (echo x >>/proc/self/fd/9) 2>&1`;

describeWithVm("A guest whose container has the agent's file executed", {}, (vm) => {
  beforeAll(async () => {
    await vm().client.call(method.createSandbox, { sandboxId: "pod", hostname: "the-pod" });
    await vm().sh(`mkdir -p ${rootfs} && cp -a /rootfs/. ${rootfs}`);
    await vm().sh(`printf '${SNARE}\\n' >${rootfs}/bin/snare && chmod +x ${rootfs}/bin/snare`);
  });

  test("gives it no rights that the container has not, nor lets it write there (CVE-2019-5736)", async () => {
    const state = () => vm().sh(`stat -c '%s %Y %Z' ${AGENT}; ls -A /run`);
    await using container = await startContainer(vm(), ["sh", "-c", CATCH], { rootfs });
    await container.readUntil("ready\n");
    const before = await state();
    const exec = await container.exec(["snare"]);
    const { status } = await exec.outcome();
    expect(status).not.toBe(0);
    await container.write("\n");
    const { stdout } = await container.outcome();
    expect(stdout.split("\n").filter((line) => line !== "")).toEqual([
      AGENT,
      ...Array.from({ length: 3 }, () => expect.stringContaining("Text file busy")),
    ]);
    expect(await state()).toBe(before);
  });
});
