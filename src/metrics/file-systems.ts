// How full the guest's own disks are, as Kata's own agent tells: process.md section 3.1.
import { type Space, spaceOf } from "../kernel/space.ts";
import { type MountinfoEntry, parseMountinfo } from "../linux/mountinfo.ts";
import { type Family, type Labels, items } from "./family.ts";

const TYPES = new Set(["ext4", "xfs", "btrfs", "vfat", "overlay"]);
/** What a container mounts for others to see must fit into an answer, as must its names. */
const MOST = 128;
const LONGEST_PATH = 1024;

/** Devices that have not answered yet. Each takes a thread: of one that never does, no second one. */
const asked = new Set<string>();

type Measured = { readonly labels: Labels; readonly space: Space };

/** `mountinfo` as proc_pid_mountinfo(5) has it. One that cannot be asked is left out. */
export async function fileSystems(mountinfo: string): Promise<readonly Family[]> {
  const measured = await Promise.all(writable(mountinfo).map(measure));
  const rows = (unit: keyof Space) =>
    measured.flatMap((each) => each ?? []).map(({ labels, space }) => row(labels, space[unit]));
  return [
    items("kata_guest_filesystem_bytes", "Guest filesystem space usage in bytes.", rows("bytes")),
    items("kata_guest_filesystem_inodes", "Guest filesystem inode usage.", rows("inodes")),
  ];
}

/** Each file system once, where it was mounted first and can be seen. */
function writable(mountinfo: string): readonly MountinfoEntry[] {
  const mounts = parseMountinfo(mountinfo);
  const visible = new Map(mounts.map((mount) => [mount.mountPoint, mount]));
  const wanted = [...visible.values()].filter(
    ({ fstype, superOptions, mountPoint }) =>
      TYPES.has(fstype) && !superOptions.includes("ro") && mountPoint.length <= LONGEST_PATH,
  );
  const byDevice = new Map(wanted.toReversed().map((mount) => [mount.device, mount]));
  return wanted.filter((mount) => byDevice.get(mount.device) === mount).slice(0, MOST);
}

async function measure({
  mountPoint,
  source,
  device,
}: MountinfoEntry): Promise<Measured | undefined> {
  if (asked.has(device)) return undefined;
  asked.add(device);
  const name = source.slice(source.lastIndexOf("/") + 1).slice(0, LONGEST_PATH);
  try {
    const labels = { mount: mountPoint, device: name || device };
    return { labels, space: await spaceOf(mountPoint) };
  } catch {
    // Unmounted meanwhile, or its disk is gone.
    return undefined;
  } finally {
    asked.delete(device);
  }
}

/** Kata counts as available what is root's alone, too. */
function row(labels: Labels, { total, free }: Space["bytes"]) {
  const available = Math.min(free, total);
  return [labels, { total, used: total - available, available }] as const;
}
