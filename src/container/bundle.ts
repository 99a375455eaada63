// The directory of a container below /run/kata-containers, whose names host programs know:
// `rootfs`, where its root is mounted, and `config.json`, the spec it was created from.
import { NEVER } from "../async/never.ts";
import { work } from "../child/work.ts";
import { Fd } from "../kernel/fd.ts";
import { makeDirectory, removeDirectory } from "../kernel/file.ts";
import { attempt, perform } from "../kernel/perform.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat, unlinkat } from "../linux/fs.ts";
import { writeText } from "../linux/io.ts";
import { detach } from "../linux/mount.ts";
import { O } from "../linux/open-flags.ts";
import { InvalidSpec, quote } from "../oci/invalid-spec.ts";
import { isAbsolute } from "../oci/path-components.ts";
import { specToJson } from "../oci/to-json.ts";
import type { ContainerSpec } from "../oci/valid-spec.ts";
import type { Rootfs } from "../program/rootfs.ts";
import { skip } from "../tape/tape.ts";

const DETACH_MS = 10_000;

export const STATE_DIRECTORY = "/run/kata-containers";

export class Bundle {
  readonly path: string;
  readonly rootfs: Rootfs;
  /** False where a storage made the directory, which then is not ours to remove. */
  readonly #isOurs: boolean;
  #isRootGone = false;

  private constructor(path: string, rootfs: Rootfs, isOurs: boolean) {
    this.path = path;
    this.rootfs = rootfs;
    this.#isOurs = isOurs;
  }

  /** `id` has been verified: it is one plain file name. Throws InvalidSpec or a KernelError; then nothing is left. */
  static create(id: string, spec: ContainerSpec): Bundle {
    // In a config.json a relative path starts from its own directory; none comes over the wire.
    if (!isAbsolute(spec.root.path)) {
      throw new InvalidSpec(`Path from ${quote(spec.root.path)} does not exist or is not absolute`);
    }
    const path = `${STATE_DIRECTORY}/${id}`;
    const target = `${path}/rootfs`;
    makeDirectory(STATE_DIRECTORY);
    using undo = new DisposableStack();
    const isOurs = makeDirectory(path);
    if (isOurs) undo.defer(() => void removeDirectory(path));
    const bind = makeDirectory(target);
    if (bind) undo.defer(() => void removeDirectory(target));
    const bundle = new Bundle(path, { source: spec.root.path, target, bind }, isOurs);
    undo.move();
    return bundle;
  }

  /** Throws a KernelError. */
  saveSpec(spec: ContainerSpec): void {
    const label = `write ${this.#config}`;
    const flags = O.WRONLY | O.CREAT | O.TRUNC | O.NOFOLLOW;
    using file = Fd.of(label, openat(AT_FDCWD, this.#config, flags, 0o600));
    // Where hooks find the root that is being made, as they do under Kata's own agent.
    const root = { ...spec.root, path: this.rootfs.target };
    perform(label, writeText(file.number, specToJson({ ...spec, root })));
  }

  /**
   * The root is gone; the spec can still be read, as poststop hooks do. In a child: the last user of a file
   * system waits for whoever serves it. Throws a TapeError.
   */
  async removeRootfs(): Promise<void> {
    if (!this.rootfs.bind || this.#isRootGone) return;
    const { target } = this.rootfs;
    await work(
      (tape) => tape.do(`detach ${target}`, detach(target), { EINVAL: skip, ENOENT: skip }),
      {
        signal: NEVER,
        timeoutMs: DETACH_MS,
      },
    );
    removeDirectory(target);
    this.#isRootGone = true;
  }

  /** Takes away what `create` made and the tape mounted, and nothing else. */
  async remove(): Promise<void> {
    await this.removeRootfs();
    attempt(unlinkat(AT_FDCWD, this.#config));
    if (this.#isOurs) removeDirectory(this.path);
  }

  get #config(): string {
    return `${this.path}/config.json`;
  }
}
