// Disks of virtio-scsi: storage-devices-network.md sections 6.4 and 6.5.
import { writeTextAsync } from "../kernel/file-async.ts";
import { linkTarget, namesIn } from "../kernel/listing.ts";
import type { Hotplug, Wanted } from "./hotplug.ts";
import type { ScsiAddress } from "./scsi-address.ts";
import type { Uevent } from "./uevent.ts";

/** The disk, once it is there, on whichever host of virtio's. */
export async function findScsiDisk(
  hotplug: Hotplug,
  address: ScsiAddress,
  signal: AbortSignal,
): Promise<Uevent> {
  const failed = new AbortController();
  const finding = hotplug.find(diskAt(address), AbortSignal.any([signal, failed.signal]));
  // A host adapter that does not answer holds up the scan, and must not hold up the end of the wait.
  scan(hotplug, address).catch((error: unknown) => failed.abort(error));
  return await finding;
}

function diskAt({ id, lun }: ScsiAddress): Wanted {
  const place = `/virtio\\d+/host(\\d+)/target\\1:0:${id}/\\1:0:${id}:${lun}/block/([^/]+)$`;
  const pattern = new RegExp(place);
  return {
    name: `of the SCSI disk ${id}:${lun}`,
    place: { class: "block" },
    matches: ({ subsystem, devpath, devname }) =>
      subsystem === "block" && devname !== "" && pattern.exec(devpath)?.[2] === devname,
  };
}

/** Others than virtio's refuse such a scan, or have nothing that the runtime has plugged in. */
async function scan({ sys }: Hotplug, { id, lun }: ScsiAddress): Promise<void> {
  const hosts = `${sys}/class/scsi_host`;
  for (const name of await namesIn(hosts)) {
    const target = (await linkTarget(`${hosts}/${name}`)) ?? "";
    if (/\/virtio\d+\//.test(target))
      await writeTextAsync(`${hosts}/${name}/scan`, `0 ${id} ${lun}`);
  }
}
