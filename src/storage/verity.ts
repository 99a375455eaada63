// A layer whose every block is checked against a tree of hashes: what the host says of it, and the
// table of the device mapper that this comes to. storage-devices-network.md section 2.14.
import { invalidArgument } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";
import type { DmTarget } from "../linux/device-mapper.ts";

export type Verity = {
  /** Lower-case hexadecimal. */
  readonly rootHash: string;
  /** In bytes from the start of the partition; what is before it is the data. */
  readonly hashOffset: number;
  /** In bytes. */
  readonly blockSize: number;
  readonly hashSize: number;
  readonly algorithm: string;
  /** Hexadecimal, or `-` for none. */
  readonly salt: string;
  readonly hashType: number;
  /** The tree begins at `hashOffset` itself, without a block that describes it. */
  readonly noSuperblock: boolean;
};

const PREFIX = "X-kata.dmverity.";
const SECTOR = 512;
const SMALLEST_BLOCK = 512;
/** dm-verity takes no block that is larger than a page, and no host makes any. */
const LARGEST_BLOCK = 65_536;
/** DM_NAME_LEN, with the NUL. */
const LONGEST_NAME = 127;
/** superblock of cryptsetup's veritysetup(8) */
const SUPERBLOCK = 512;

/** From the options of a layer. Throws an AgentError that names the option. */
export function verityOf(options: readonly string[]): Verity {
  const word = (key: string): string | undefined =>
    options
      .findLast((option) => option.startsWith(`${PREFIX}${key}=`))
      ?.slice(PREFIX.length + key.length + 1);
  const refuse = (key: string): never => {
    throw invalidArgument(`${PREFIX}${key}: ${quote(word(key) ?? "")} is not valid`);
  };
  const matching = (key: string, pattern: RegExp, otherwise: string): string => {
    const text = word(key) ?? otherwise;
    return pattern.test(text) ? text : refuse(key);
  };
  const number = (key: string, isValid: (value: number) => boolean, otherwise = 0): number => {
    const text = word(key) ?? String(otherwise);
    return /^\d{1,15}$/.test(text) && isValid(Number(text)) ? Number(text) : refuse(key);
  };
  const blockSize = number("blocksize", isBlockSize, 4096);
  return {
    rootHash: matching("roothash", /^([0-9a-f]{2}){16,64}$/i, "").toLowerCase(),
    blockSize,
    hashSize: number("hashsize", isBlockSize, 4096),
    hashOffset: number("hashoffset", (value) => value > 0 && value % blockSize === 0),
    // It becomes a word among others, and the name of one of the kernel's algorithms.
    algorithm: matching("algorithm", /^[a-z0-9-]{1,64}$/, "sha256"),
    salt: matching("salt", /^(-|([0-9a-f]{2}){0,256})$/i, "-") || "-",
    hashType: number("hashtype", (value) => value <= 1, 1),
    noSuperblock: matching("no-superblock", /^(true|false)$/, "false") === "true",
  };
}

function isBlockSize(value: number): boolean {
  return value >= SMALLEST_BLOCK && value <= LARGEST_BLOCK && (value & (value - 1)) === 0;
}

/** One name for one set of data, so that two pods' agents would call it the same. */
export function verityName(partition: string, { hashOffset, rootHash }: Verity): string {
  const base = partition.slice(partition.lastIndexOf("/") + 1);
  return `kata-verity-${base}-off${hashOffset}-${rootHash.slice(0, 32)}`.slice(0, LONGEST_NAME);
}

/** Table of Documentation/admin-guide/device-mapper/verity.rst; data and hashes are on one device. */
export function verityTarget(partition: string, verity: Verity): DmTarget {
  const { hashOffset, blockSize, hashSize, noSuperblock } = verity;
  const blocks = hashOffset / blockSize;
  const hashStart = hashOffset / hashSize + (noSuperblock ? 0 : Math.ceil(SUPERBLOCK / hashSize));
  const words = [
    verity.hashType,
    partition,
    partition,
    blockSize,
    hashSize,
    blocks,
    Math.floor(hashStart),
    verity.algorithm,
    verity.rootHash,
    verity.salt,
  ];
  return { length: (blocks * blockSize) / SECTOR, type: "verity", parameters: words.join(" ") };
}
