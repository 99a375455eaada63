// A request's storages, judged as a whole before anything is done for one of them.
import { internal } from "../error.ts";
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import type { Driver, GroupDriver, Planned } from "./driver.ts";
import type { Storage } from "./storage.ts";
import { checkedTarget } from "./target.ts";

/** Of one request. A container has some volumes, and an image at most 128 layers. */
export const MOST_STORAGES = 512;
/** Of all of them: a layer of an image has some twenty. */
export const MOST_OPTIONS = 8192;
/** mount(2) takes no longer names than a page, with the NUL at its end. */
const LONGEST_NAME = 4095;

/** In the order of the request; those of a group are where its first is. Throws InvalidSpec or an AgentError. */
export function planStorages(
  storages: readonly Storage[],
  drivers: ReadonlyMap<string, Driver>,
  groups: readonly GroupDriver[],
): readonly Planned[] {
  const checked = checkStorages(storages);
  const groupOf = (storage: Storage) => groups.find((group) => group.takes(storage));
  return [...Map.groupBy(checked, (storage) => groupOf(storage) ?? storage)].map(
    ([key, members]) => ("takes" in key ? key.plan(members) : planOne(key, drivers)),
  );
}

/** What holds for storages of any driver; their mount points without what does not count in them. Throws InvalidSpec. */
export function checkStorages(storages: readonly Storage[]): readonly Storage[] {
  if (storages.length > MOST_STORAGES)
    throw new InvalidSpec(`storages: ${storages.length} of them, at most ${MOST_STORAGES}`);
  const options = storages.reduce((sum, each) => sum + each.options.length, 0);
  const driverOptions = storages.reduce((sum, each) => sum + each.driverOptions.length, 0);
  if (options + driverOptions > MOST_OPTIONS)
    throw new InvalidSpec(`storages: more than ${MOST_OPTIONS} options`);
  return storages.map(check);
}

function planOne(storage: Storage, drivers: ReadonlyMap<string, Driver>): Planned {
  const driver = drivers.get(storage.driver);
  if (driver === undefined) throw internal(`Failed to find the storage handler ${storage.driver}`);
  const lasts = storage.shared || driver.lasts === true;
  return { target: storage.mountPoint, lasts, attach: driver.plan(storage) };
}

function check(storage: Storage): Storage {
  const mountPoint = checkedTarget("storages: the mount point", storage.mountPoint);
  const { options, driverOptions, driver, source, fstype } = storage;
  for (const [what, { length }] of Object.entries({ driver, source, fstype }))
    if (length > LONGEST_NAME)
      throw new InvalidSpec(`the storage ${mountPoint}: ${what} has ${length} characters`);
  const wrong = [...options, ...driverOptions].find((option) => /\p{Cc}/u.test(option));
  if (wrong !== undefined)
    throw new InvalidSpec(
      `the storage ${mountPoint}: the option ${quote(wrong)} has control characters`,
    );
  return { ...storage, mountPoint };
}
