// A tape that hands a descriptor over.
import { expect, test } from "bun:test";
import { readlinkSync } from "node:fs";
import type { Fd } from "../../../src/kernel/fd.ts";
import { memfd_create } from "../../../src/linux/io.ts";
import { type Take, launch, openControl } from "../../../src/tape/player.ts";
import { Tape } from "../../../src/tape/tape.ts";
import { reapInThisFile, shell } from "../../support/child.ts";

reapInThisFile();

function handing(take?: Take) {
  const tape = new Tape();
  const made = tape.fd("make a file", memfd_create("given"));
  tape.hand("hand it over", made);
  shell(tape, "exit 7");
  return launch({ tape, control: openControl(), take });
}

test("the agent has a copy of it while it is taken, and the tape goes on by itself", async () => {
  let seen = "";
  let taken: Fd | undefined;
  using child = handing(async (given, from) => {
    expect(from.pid).toBe(child.pid);
    seen = readlinkSync(`/proc/self/fd/${given.number}`);
    taken = given;
    // It has gone on already: to wait for its end here would wait for ever if it had not.
    expect(await from.exit).toBe(7);
  });
  await child.played();
  expect(seen).toStartWith("/memfd:given");
  expect(taken?.isOpen).toBe(false);
});

test("what taking it throws is what played throws", async () => {
  using child = handing(() => Promise.reject(new Error("nobody wants it")));
  await expect(child.played()).rejects.toThrow("nobody wants it");
  expect(await child.exit).toBe(7);
});

test("nobody need take it", async () => {
  using child = handing();
  await child.played();
  expect(await child.exit).toBe(7);
});
