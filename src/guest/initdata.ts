// What the owner of a confidential pod gives its guest, on a disk of its own: process.md section 4.4. The
// policy that is to hold comes with it, so a guest that does not heed it must not serve.
import { within } from "../async/timeout.ts";
import { internal } from "../error.ts";
import { readDiskStart } from "../kernel/file-start.ts";
import { namesIn } from "../kernel/listing.ts";

const MAGIC = "initdata";
/** Disks of virtio and SCSI, and what is on them. */
const DISK = /^(vd|sd)[a-z]+\d*$/;
/** A disk that is lost may never answer. */
const ANSWERED_IN_MS = 2000;

/** Throws an AgentError where a disk has it. What cannot be read has none. */
export async function refuseInitdata(dev = "/dev"): Promise<void> {
  const disks = (await namesIn(dev)).filter((name) => DISK.test(name));
  const found = await Promise.all(disks.map((name) => hasInitdata(`${dev}/${name}`)));
  const index = found.indexOf(true);
  if (index >= 0) throw internal(`initdata is not served yet, and ${dev}/${disks[index]} has it`);
}

async function hasInitdata(path: string): Promise<boolean> {
  let start: Uint8Array | undefined;
  const look = async () => {
    start = await readDiskStart(path, MAGIC.length);
  };
  await within(look(), ANSWERED_IN_MS).catch(() => false);
  return new TextDecoder().decode(start) === MAGIC;
}
