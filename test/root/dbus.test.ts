// Our side of D-Bus against a daemon that knows it, and refuses what is malformed.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DBus, DBusError } from "../../src/cgroup/dbus.ts";
import type { Argument, Message, MethodCall } from "../../src/cgroup/dbus-message.ts";

const DAEMON = Bun.which("dbus-daemon");
const isRoot = process.getuid?.() === 0;
const lacks = isRoot ? "Debian's package dbus-daemon" : "root: it says to be user 0";
const skipped = DAEMON === null || !isRoot ? ` (skipped: needs ${lacks})` : "";

const directory = mkdtempSync(join(tmpdir(), "kata-agent-dbus-"));
const SOCKET = join(directory, "bus");

function ofBus(member: string, ...args: readonly Argument[]): MethodCall {
  const name = "org.freedesktop.DBus";
  return {
    destination: name,
    path: "/org/freedesktop/DBus",
    interface: name,
    member,
    arguments: args,
  };
}

const text = (value: string): Argument => ({ type: "s", value });

describe.skipIf(skipped !== "")(`A D-Bus daemon${skipped}`, () => {
  let daemon: Bun.Subprocess<"ignore", "pipe", "ignore">;
  let bus: DBus;
  let ownName: string;

  beforeAll(async () => {
    const options = ["--session", "--nofork", "--nopidfile", "--print-address"];
    daemon = Bun.spawn([DAEMON ?? "", ...options, `--address=unix:path=${SOCKET}`], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    // Its address is printed once it listens.
    await daemon.stdout.getReader().read();
    bus = await DBus.connect(SOCKET);
    ownName = String((await bus.call(ofBus("Hello")))[0]);
  });

  afterAll(async () => {
    daemon.kill();
    await daemon.exited;
    rmSync(directory, { recursive: true });
  });

  test("lets us in and gives us a name", () => {
    expect(ownName).toMatch(/^:\d+\.\d+$/);
  });

  test("takes arguments and gives values back", async () => {
    expect(await bus.call(ofBus("GetNameOwner", text(ownName)))).toEqual([ownName]);
    expect(await bus.call(ofBus("NameHasOwner", text("org.example.Nobody")))).toEqual([0]);
  });

  test("answers twenty calls at once, each with its own", async () => {
    const names = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? ownName : "a.b"));
    const answers = await Promise.all(
      names.map((name) => bus.call(ofBus("NameHasOwner", text(name)))),
    );
    expect(answers.flat()).toEqual(names.map((name) => Number(name === ownName)));
  });

  test("refuses with a name and a text", async () => {
    const refusal = await bus.call(ofBus("GetNameOwner", text("a.b"))).catch((error) => error);
    expect(refusal).toBeInstanceOf(DBusError);
    expect(refusal.errorName).toBe("org.freedesktop.DBus.Error.NameHasNoOwner");
    expect(refusal.message).toStartWith("GetNameOwner: Could not get owner of name 'a.b'");
  });

  test("passes a call with values of every type on: it finds all well-formed", async () => {
    const args: readonly Argument[] = [
      text("a.scope"),
      { type: "b", value: true },
      {
        type: "a(sv)",
        value: [
          ["Text", { type: "s", value: "ü" }],
          ["Truth", { type: "b", value: true }],
          ["Number", { type: "t", value: 0xffff_ffff_ffff_ffffn }],
          ["Texts", { type: "as", value: ["a", "", "bcd"] }],
          ["Numbers", { type: "au", value: [1, 0xffff_ffff] }],
          ["Bytes", { type: "ay", value: new Uint8Array([1, 2, 3]) }],
          ["No pairs", { type: "a(ss)", value: [] }],
          [
            "Pairs",
            {
              type: "a(ss)",
              value: [
                ["a", "bc"],
                ["", "d"],
              ],
            },
          ],
        ],
      },
      { type: "a(sa(sv))" },
    ];
    // To ourselves: it comes back as a call, which nobody answers.
    const call = { ...ofBus("Echo", ...args), destination: ownName };
    const unanswered = bus.call(call).catch(() => {});
    expect(await bus.call(ofBus("GetNameOwner", text(ownName)))).toEqual([ownName]);
    bus.close();
    await unanswered;
    bus = await DBus.connect(SOCKET);
    ownName = String((await bus.call(ofBus("Hello")))[0]);
  });

  test("is heard when it signals", async () => {
    const heard = Promise.withResolvers<Message>();
    const other = await DBus.connect(SOCKET);
    using _ = other.listen((signal) => heard.resolve(signal));
    await other.call(ofBus("Hello"));
    expect((await heard.promise).member).toBe("NameAcquired");
    other.close();
  });

  test("that goes away fails what waits for it", async () => {
    const other = await DBus.connect(SOCKET);
    other.close();
    await expect(other.call(ofBus("Hello"))).rejects.toThrow("is closed");
  });
});
