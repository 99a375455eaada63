// The guest's own resolv.conf(5), as CreateSandbox says it: storage-devices-network.md section 7.6.
// Containers get theirs as mounts of their own.
import { NEVER } from "../async/never.ts";
import { work } from "../child/work.ts";
import { AgentError, internal, invalidArgument } from "../error.ts";
import { Fd } from "../kernel/fd.ts";
import { isDirectory, isRegularFile, isSameFile, makeDirectories } from "../kernel/file.ts";
import { attempt } from "../kernel/perform.ts";
import { writeAll } from "../kernel/relay.ts";
import { AT_FDCWD } from "../linux/constants.ts";
import { openat } from "../linux/fs.ts";
import { attachMount, cloneMount, detach } from "../linux/mount.ts";
import { O } from "../linux/open-flags.ts";

const GUESTS = "/etc/resolv.conf";
const DIRECTORY = "/run/kata-containers/sandbox";
const OURS = `${DIRECTORY}/resolv.conf`;

/** Far more than resolvers read of it. */
const MOST_BYTES = 64 << 10;
const TIMEOUT_MS = 5000;

/** The lines of the file, as text. Throws an AgentError for what cannot be in it. */
export function resolvConfText(lines: readonly string[]): string {
  const text = lines.map((line) => line.trim()).join("\n");
  if (text.includes("\0")) throw invalidArgument("dns contains NUL");
  const { length } = new TextEncoder().encode(text);
  if (length > MOST_BYTES)
    throw invalidArgument(`dns: ${length} are more than ${MOST_BYTES} bytes`);
  return text;
}

/** Where nobody may write to the guest's image, another file takes the place of its own. */
export class ResolvConf {
  /** False: whoever made the guest knows better where it finds names. */
  readonly #isToBeSet: boolean;
  #isMounted = false;

  constructor(isToBeSet: boolean) {
    this.#isToBeSet = isToBeSet;
  }

  /**
   * Nothing for an empty text, and where the guest has no such file: it does not look there for names.
   * Again only writes the text. Throws a KernelError, a TapeError, an AgentError, or what `signal` says.
   */
  async set(text: string, signal: AbortSignal): Promise<void> {
    if (text === "" || !this.#isToBeSet) return;
    try {
      await this.#set(text, signal);
    } catch (error) {
      throw error instanceof Error && error !== signal.reason
        ? new AgentError("INTERNAL", "set up the guest's DNS", { cause: error })
        : error;
    }
  }

  /** Give the guest its own file back. Throws a TapeError. */
  async restore(): Promise<void> {
    if (!this.#isMounted) return;
    this.#isMounted = false;
    const limits = { timeoutMs: TIMEOUT_MS, signal: NEVER };
    await work((tape) => tape.do(`unmount ${GUESTS}`, detach(GUESTS)), limits);
  }

  async #set(text: string, signal: AbortSignal): Promise<void> {
    const number = attempt(openat(AT_FDCWD, GUESTS, O.PATH));
    if (number < 0) return;
    using guests = new Fd(number);
    if (isDirectory(guests)) throw internal(`${GUESTS} is a directory`);
    if (!isRegularFile(guests)) throw internal(`${GUESTS} is not a file`);
    makeDirectories(DIRECTORY);
    const flags = O.WRONLY | O.CREAT | O.TRUNC | O.NOFOLLOW;
    using ours = Fd.of(`open ${OURS}`, openat(AT_FDCWD, OURS, flags, 0o644));
    if (!(await writeAll(ours, new TextEncoder().encode(text)))) {
      throw internal(`write ${OURS}: not all of it was taken`);
    }
    if (isSameFile(guests, ours)) return;
    const limits = { keep: [guests.number], timeoutMs: TIMEOUT_MS, signal };
    await work((tape) => {
      const mount = tape.fd(`clone the mount of ${OURS}`, cloneMount(AT_FDCWD, OURS, false));
      tape.do(`bind ${OURS} over ${GUESTS}`, attachMount(mount, guests.number));
    }, limits);
    this.#isMounted = true;
  }
}
