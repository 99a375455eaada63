// Memory of the guest as a volume: a tmpfs, which /dev/shm is too, or huge pages. Unlike Kata's own agent it
// is mounted with all that was asked for, its size and flags among it.
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import type { Driver } from "./driver.ts";
import { mountStorage, planMount } from "./mount-storage.ts";
import { idOption, modeOption, optionValue } from "./options.ts";
import type { Storage } from "./storage.ts";

const SET_GID = 0o2000;
/** Of a new tmpfs: tmpfs(5). */
const TMPFS_MODE = 0o1777;

export const ephemeral: Driver = {
  name: "ephemeral",
  lasts: true,
  plan: (storage) => {
    if (storage.fstype !== "hugetlbfs") return planMount(ownedByGroup(storage));
    const { size, count } = pagesOf(storage);
    planMount(storage);
    return async (context) => {
      const { services, undo, signal } = context;
      undo.use(await services.hugePages.add(size, count, signal));
      await mountStorage(storage, context);
    };
  },
};

/** The group of its root, which new files have too, said in the words of tmpfs. */
function ownedByGroup(storage: Storage): Storage {
  const gid = idOption(storage.options, "fsgid");
  if (gid === undefined) return storage;
  const mode = (modeOption(storage.options) ?? TMPFS_MODE) | SET_GID;
  const others = storage.options.filter((option) => !/^(fsgid|mode)=/.test(option));
  return { ...storage, options: [...others, `gid=${gid}`, `mode=${mode.toString(8)}`] };
}

/** Throws InvalidSpec. */
function pagesOf({ options, mountPoint }: Storage): { size: number; count: number } {
  const words = options.flatMap((option) => option.trim().split(","));
  const [page, total] = ["pagesize", "size"].map((name) => optionValue(words, name));
  if (page === undefined || total === undefined)
    throw new InvalidSpec(`the storage ${mountPoint}: no pagesize/size options found`);
  const [size, bytes] = [page, total].map((value) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && Number.isSafeInteger(number)) return number;
    throw new InvalidSpec(`the storage ${mountPoint}: ${quote(value)} is no number of bytes`);
  });
  const count = Math.floor((bytes ?? 0) / (size || 1));
  if (!size || size % 1024 !== 0 || count === 0)
    throw new InvalidSpec(`the storage ${mountPoint}: ${bytes} bytes in pages of ${size}`);
  return { size, count };
}
