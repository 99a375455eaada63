// A disk that comes empty gets a file system first: storage-devices-network.md section 2.8.
import { runProgram } from "../child/program.ts";
import { internal, unimplemented } from "../error.ts";
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import type { Storage } from "./storage.ts";

const CREATE = "create_filesystem";
const ENCRYPT = "encryption_key=ephemeral";

const PROGRAM = ["/sbin/mkfs.ext4", "/usr/sbin/mkfs.ext4", "/bin/mkfs.ext4", "/usr/bin/mkfs.ext4"];

/**
 * For a volume that ends with its pod: no journal, nothing set aside for root, and inodes enough for one
 * file in 160 KiB.
 */
const ARGUMENTS = ["-F", "-O", "^has_journal", "-m", "0", "-i", "163840", "-I", "128"];

/** For a large disk, on a host that is busy. */
const LONGEST_MS = 300_000;

type MakeFilesystem = (device: string, signal: AbortSignal) => Promise<void>;

/** undefined: the disk has what is to be mounted. Throws InvalidSpec or an AgentError. */
export function planFilesystem({ driverOptions, fstype }: Storage): MakeFilesystem | undefined {
  const isCreated = driverOptions.includes(CREATE);
  const isEncrypted = driverOptions.includes(ENCRYPT);
  if (isEncrypted && !isCreated) throw new InvalidSpec(`${ENCRYPT} is of no use without ${CREATE}`);
  // Without it what is meant to be secret would be written to the host's disk.
  if (isEncrypted) throw unimplemented(`${ENCRYPT}: there is no confidential data hub`);
  if (!isCreated) return undefined;
  if (fstype !== "ext4") {
    throw new InvalidSpec(`creating filesystem ${quote(fstype)} for block storage is unsupported`);
  }
  return makeExt4;
}

/** What is on the device is lost. Throws an AgentError, and what `signal` says. */
async function makeExt4(device: string, signal: AbortSignal): Promise<void> {
  const { status, stdout, stderr } = await runProgram({
    paths: PROGRAM,
    args: [...ARGUMENTS, device],
    timeoutMs: LONGEST_MS,
    signal,
  });
  if (status === 0) return;
  const said = [stdout, stderr].map((text) => text.trim()).filter((text) => text !== "");
  throw internal(`mkfs.ext4 ${device}: status ${status}: ${said.join("; ")}`);
}
