// A disk that is a file of this machine's: losetup(8).
import { makeDisk, makeExt4Disk } from "./vm-disk.ts";

export type LoopDisk = Disposable & {
  /** /dev/loopN */
  readonly path: string;
  readonly file: string;
};

/** With ext4 on it, or as empty as a new one. */
export function loopDisk(fstype?: "ext4", bytes?: number): LoopDisk {
  using undo = new DisposableStack();
  const file = undo.use(fstype === undefined ? makeDisk("", bytes) : makeExt4Disk({}, bytes));
  const path = run("losetup", "--find", "--show", file.path);
  undo.defer(() => void run("losetup", "--detach", path));
  const made = undo.move();
  return { path, file: file.path, [Symbol.dispose]: () => made.dispose() };
}

function run(...command: string[]): string {
  const PATH = `${Bun.env["PATH"]}:/usr/sbin:/sbin`;
  const { success, stdout, stderr } = Bun.spawnSync(command, { env: { ...Bun.env, PATH } });
  if (!success) throw new Error(stderr.toString());
  return stdout.toString().trim();
}
