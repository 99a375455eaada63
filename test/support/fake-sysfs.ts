// A machine's devices that are not there: a sysfs and a /dev of files, and what the kernel would tell.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { Hotplug, type UeventSource } from "../../src/device/hotplug.ts";
import type { OVERRUN } from "../../src/kernel/uevent-socket.ts";

export class FakeDevices implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), "kata-devices-"));
  readonly sys = join(this.directory, "sys");
  readonly dev = join(this.directory, "dev");
  readonly uevents = new FakeUevents();
  readonly hotplug: Hotplug;

  constructor(timeoutMs = 60_000) {
    mkdirSync(this.sys);
    mkdirSync(this.dev);
    const open = () => this.uevents.open();
    this.hotplug = new Hotplug({ timeoutMs, sys: this.sys, dev: this.dev, open });
  }

  /** A file of sysfs, or of a device in it. */
  file(path: string, text = ""): string {
    const file = join(this.sys, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  device(devpath: string): void {
    mkdirSync(join(this.sys, devpath), { recursive: true });
  }

  /** As the kernel makes them: they begin at the directory they stand in. */
  link(path: string, target: string): void {
    const link = join(this.sys, path);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(relative(dirname(link), join(this.sys, target)), link);
  }

  /** A node, which is that of /dev/null: nobody but root can make another. */
  node(name: string): void {
    const path = join(this.dev, name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync("/dev/null", path);
  }

  /** In sysfs and in /dev. */
  disk(devpath: string): void {
    this.device(devpath);
    this.link(`class/block/${basename(devpath)}`, devpath);
    this.node(basename(devpath));
  }

  interface(devpath: string): void {
    this.device(devpath);
    this.link(`class/net/${basename(devpath)}`, devpath);
  }

  /** What the kernel tells of a disk that comes. */
  tellOfDisk(devpath: string, action = "add"): void {
    this.uevents.tell(action, devpath, ["SUBSYSTEM=block", `DEVNAME=${basename(devpath)}`]);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

type Message = Uint8Array | typeof OVERRUN;

/** What the kernel tells; it is heard by whoever listens at the time. */
class FakeUevents {
  /** How often somebody has begun to listen, and how many do now. */
  opened = 0;
  listeners = 0;
  #heard: ((message: Message | undefined) => void) | undefined;

  open(): UeventSource {
    this.opened++;
    this.listeners++;
    const queue: (Message | undefined)[] = [];
    let wake = () => {};
    this.#heard = (message) => {
      queue.push(message);
      wake();
    };
    async function* messages(): AsyncGenerator<Message> {
      for (;;) {
        const message = queue.shift();
        if (message !== undefined) yield message;
        else if (queue.length === 0) await new Promise<void>((resolve) => void (wake = resolve));
        else return;
      }
    }
    const end = () => {
      this.listeners--;
      this.#heard?.(undefined);
      this.#heard = undefined;
    };
    return { messages, [Symbol.dispose]: end };
  }

  tell(action: string, devpath: string, words: readonly string[] = []): void {
    const all = [`${action}@${devpath}`, `ACTION=${action}`, `DEVPATH=${devpath}`, ...words, ""];
    this.send(new TextEncoder().encode(all.join("\0")));
  }

  send(message: Message): void {
    this.#heard?.(message);
  }
}
