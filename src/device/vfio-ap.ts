// Queues of crypto adapters, which s390x has: storage-devices-network.md sections 4.2 and 4.8.
import { internal, invalidArgument, unimplemented } from "../error.ts";
import { writeTextAsync } from "../kernel/file-async.ts";
import { tryReadText } from "../kernel/file.ts";
import { type ApQueue, parseApQueue } from "./ap-queue.ts";
import type { DeviceDriver, DeviceRequest, FoundDevice } from "./driver.ts";
import { type Hotplug, knownDevice } from "./hotplug.ts";
import { deviceAt } from "./node.ts";

/** One node for all queues. */
const NODE = "/dev/z90crypt";

/** Queues that come while the guest runs. */
export const hotApDriver: DeviceDriver = (request) => {
  const queues = parseQueues(request);
  return async (hotplug, signal) => {
    checkSupport(hotplug);
    await writeTextAsync(`${hotplug.sys}/bus/ap/scans`, "1");
    for (const queue of queues) {
      const wanted = knownDevice(devpathOf(queue), `of the AP queue ${queue.name}`);
      await hotplug.find(wanted, signal);
    }
    return found(hotplug);
  };
};

/** Queues that the guest was started with. */
export const coldApDriver: DeviceDriver = (request) => {
  const queues = parseQueues(request);
  return async (hotplug) => {
    checkSupport(hotplug);
    const absent = queues.find((queue) => !hotplug.has(devpathOf(queue)));
    if (absent !== undefined) throw internal(`the guest has no AP queue ${absent.name}`);
    const isSecure = tryReadText(`${hotplug.sys}/firmware/uv/prot_virt_guest`)?.trim() === "1";
    // A queue is of no use there before a secret of the owner's is bound to it.
    if (isSecure) throw unimplemented("AP queues of a guest under Secure Execution");
    return found(hotplug);
  };
};

function parseQueues({ options }: DeviceRequest): readonly ApQueue[] {
  if (options.length === 0) throw invalidArgument("a VFIO-AP device without queues");
  return options.map(parseApQueue);
}

function checkSupport(hotplug: Hotplug): void {
  if (!hotplug.has("/bus/ap")) throw internal("VFIO-AP is only supported on s390x");
}

function devpathOf({ adapter, name }: ApQueue): string {
  return `/devices/ap/card${adapter}/${name}`;
}

function found({ dev }: Hotplug): FoundDevice {
  return { node: deviceAt(NODE.replace("/dev", dev)), path: NODE };
}
