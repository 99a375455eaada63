// One pod with one of each kind of volume and device, and two containers that use all of them: what is left
// of it in the guest. The agent is a service there, so that the guest is still there when it ends.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { type AgentUnderTest, type TestContainer, idleContainer } from "../support/container.ts";
import { KINDS, MADE, NET_PORT, NIC, SHARE, TAG, pathOf } from "../support/every-kind.ts";
import { EveryKindHardware } from "../support/every-kind-hardware.ts";
import { ACCELERATOR, ENV, startBoth } from "../support/every-kind-pod.ts";
import { updateInterface } from "../support/network.ts";
import { STATE } from "../support/storages.ts";
import type { TestVm } from "../support/vm.ts";
import { isListening, waiting } from "../support/vm-plug.ts";
import { VmService } from "../support/vm-service.ts";
import { type GuestState, stateOf } from "../support/vm-state.ts";
import { missingForVirtioFs } from "../support/vm-virtio-fs.ts";
import { describeWithVm } from "../support/with-vm.ts";

const { method } = AgentService;

const kinds = Object.entries(KINDS);

const HUGE_PAGES = "cat /proc/sys/vm/nr_hugepages";

const why = missingForVirtioFs === undefined ? "" : ` (skipped: needs ${missingForVirtioFs})`;

describe.skipIf(why !== "")(`One of each kind of volume and device${why}`, () => {
  const stack = new AsyncDisposableStack();
  afterAll(() => stack.disposeAsync());
  let hardware: EveryKindHardware;

  describeWithVm(
    "in one guest",
    () => {
      hardware = stack.use(new EveryKindHardware());
      return hardware.start();
    },
    (vm) => {
      let agent: VmService;
      let empty: GuestState;
      let before: Awaited<ReturnType<typeof heldBy>>;

      beforeAll(async () => {
        await hardware.plug(vm());
        await vm().sh("mkdir -p /var/run/cdi");
        await vm().sh(`echo '${JSON.stringify(ACCELERATOR)}' >/var/run/cdi/accelerator.json`);
        await warmUp(vm());
        empty = await stateOf(vm());
        agent = await VmService.start(vm());
        const share = { driver: "virtio-fs", source: TAG, fstype: "virtiofs", mountPoint: SHARE };
        const pod = { sandboxId: "pod", hostname: "guest", storages: [share] };
        await agent.client.call(method.createSandbox, pod);
        const { name, mac: hwAddr, address } = NIC;
        const devicePath = NET_PORT.path;
        await updateInterface(agent, { name, hwAddr, devicePath, addresses: [address] });
        await warmUp(agent);
        before = await heldBy(vm(), agent);
      });

      test("is used by two containers, and nothing but the pod's memory is left after them", async () => {
        const both = startBoth(agent, hardware);
        await waiting(vm());
        await hardware.plugLate(vm());
        const [one, two] = await both;
        expect(await usedBy(one, "first")).toEqual(printed("first"));
        writeFileSync(hardware.shared("watched/marker"), "changed\n");
        expect(await usedBy(two, "second")).toEqual(printed("second"));
        await one.remove();
        expect(await usedBy(two, "second")).toEqual(printed("second"));
        await two.remove();
        expect(await heldBy(vm(), agent)).toEqual({
          ...before,
          mounts: [
            ...before.mounts,
            expect.stringContaining(`tmpfs ${STATE}/sandbox/storage/ephemeral `),
            expect.stringContaining(`hugetlbfs ${STATE}/sandbox/storage/hugepages `),
          ],
          hugePages: "2\n",
          bundles: ["sandbox", "shared"],
        });
        const made = hardware.made();
        expect(made).toEqual(Object.fromEntries(Object.keys(made).map((name) => [name, MADE])));
      });

      test("goes with the pod, whatever is using it", async () => {
        const [one, two] = await startBoth(agent, hardware);
        await hold(one, kinds.length);
        // Who has opened a group of the IOMMU has it alone.
        await hold(two, kinds.length - 1);
        await agent.client.call(method.destroySandbox, {});
        expect(await agent.ended()).toBe(0);
        // What its mounts were in goes with the guest.
        expect(await stateOf(vm())).toEqual({ ...empty, bundles: ["sandbox", "shared"] });
        expect(await vm().sh(HUGE_PAGES)).toBe("0\n");
        expect(await isListening(vm())).toBe(false);
        // All of them throw who is still in use.
        hardware.made();
        await hardware.unplug();
      });
    },
  );
});

/** The cgroup that all containers share stays, and so does what an agent opens for its first exec. */
async function warmUp(agent: AgentUnderTest): Promise<void> {
  await using container = await idleContainer(agent);
  await container.run(["true"]);
}

/** What the container prints of each. */
async function usedBy(container: TestContainer, turn: "first" | "second") {
  const uses = kinds.map(
    ([name, kind]) => `echo "= ${name}"; (at=${pathOf(name, kind)}; ${kind[turn].runs})`,
  );
  const script = ["exec 2>&1", ...uses].join("\n");
  const { stdout } = await container.run(["sh", "-c", script], { Env: ENV });
  return Object.fromEntries(
    stdout
      .split(/^= /m)
      .slice(1)
      .map((text) => {
        const end = text.indexOf("\n");
        return [text.slice(0, end), text.slice(end + 1)];
      }),
  );
}

function printed(turn: "first" | "second") {
  return Object.fromEntries(kinds.map(([name, kind]) => [name, kind[turn].prints]));
}

/** Processes of the container that are in its volumes, and have its devices open: `count` of them. */
async function hold(container: TestContainer, count: number): Promise<void> {
  const paths = kinds.map(([name, kind]) => pathOf(name, kind)).join(" ");
  const script = `
    for at in ${paths}; do
      if [ -d $at ]; then { cd $at && echo held && exec sleep 1000; } &
      else { echo held; exec sleep 1000; } <$at &
      fi
    done
    wait`;
  const holding = await container.exec(["sh", "-c", script]);
  await holding.readUntil("held\n".repeat(count));
}

/** With what the agent has open, as the kinds of it. */
async function heldBy(vm: TestVm, { pid }: VmService) {
  const kindsOf = "for file in *; do readlink $file || true; done | sed 's/[0-9].*//' | sort";
  const descriptors = await vm.sh(`cd /proc/${pid}/fd; ${kindsOf}; cd /`);
  const hugePages = await vm.sh(HUGE_PAGES);
  return { ...(await stateOf(vm, pid)), descriptors: descriptors.split("\n"), hugePages };
}
