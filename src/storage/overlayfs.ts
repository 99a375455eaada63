// A root file system of layers (storage-devices-network.md section 2.11).
import { internal } from "../error.ts";
import { readText } from "../kernel/file.ts";
import { parseMountinfo } from "../linux/mountinfo.ts";
import { InvalidSpec } from "../oci/invalid-spec.ts";
import { makeDirectories, removeTree } from "./directories.ts";
import type { AttachContext, Driver } from "./driver.ts";
import { mount } from "./mount.ts";
import { mountStorage, planMount } from "./mount-storage.ts";
import { optionValue } from "./options.ts";
import { MOST_DIRECTORIES, checkedTarget } from "./target.ts";

/** The layers are read-only: have what is written kept in the guest. */
const READ_WRITE = "io.katacontainers.fs-opt.overlay-rw";
const CREATE_DIRECTORY = "io.katacontainers.volume.overlayfs.create_directory";

export const overlayfs: Driver = {
  name: "overlayfs",
  plan: (storage) => {
    const directories = storage.driverOptions
      .filter((option) => option.startsWith(`${CREATE_DIRECTORY}=`))
      .map((option) => option.slice(CREATE_DIRECTORY.length + 1))
      .map((path) => checkedTarget(`the storage ${storage.mountPoint}: create_directory`, path));
    if (directories.length > MOST_DIRECTORIES)
      throw new InvalidSpec(`the storage ${storage.mountPoint}: ${directories.length} directories`);
    const isWritable = storage.options.some(
      (it) => it === READ_WRITE || it.startsWith(`${READ_WRITE}=`),
    );
    if (isWritable && optionValue(storage.options, "upperdir") !== undefined)
      throw new InvalidSpec(`the storage ${storage.mountPoint}: overlay-rw and an upperdir`);
    planMount(storage);
    return async (context) => {
      for (const path of directories) context.undo.defer(() => removeOwn(path, context));
      await makeDirectories(directories, context);
      const options = isWritable ? await writtenTo(context) : [];
      const fstype = isWritable ? "overlay" : storage.fstype;
      await mountStorage(
        { ...storage, fstype, options: [...storage.options, ...options] },
        context,
      );
    };
  },
};

/**
 * What is written to the container's own directory is in the guest's memory, and nobody's after it. What
 * is mounted there may be a disk of the host's, and is left alone.
 */
async function removeOwn(path: string, { containerId }: AttachContext): Promise<void> {
  const own = `/run/kata-containers/${containerId}`;
  const isBelow = (below: string, above: string) => `${below}/`.startsWith(`${above}/`);
  if (containerId === undefined || !isBelow(path, own)) return;
  const mounts = parseMountinfo(readText("/proc/self/mountinfo"));
  const isMounted = mounts.some(
    ({ mountPoint }) => isBelow(mountPoint, own) && isBelow(path, mountPoint),
  );
  if (!isMounted) await removeTree(path);
}

/** Where the container's own layer is: in memory, and gone with the mount. The options that say so. */
async function writtenTo(context: AttachContext): Promise<readonly string[]> {
  const { containerId } = context;
  if (containerId === undefined) throw internal("No container id in rw overlay");
  const own = `/run/kata-containers/${containerId}`;
  const target = `${own}/written`;
  await makeDirectories([own], context);
  const memory = { source: "tmpfs", fstype: "tmpfs", options: ["mode=700"] };
  await mount({ ...memory, target }, context);
  const [upper, work] = [`${target}/upper`, `${target}/work`];
  // They go with the mount.
  await makeDirectories([upper, work], { ...context, undo: new AsyncDisposableStack() });
  return [`upperdir=${upper}`, `workdir=${work}`];
}
