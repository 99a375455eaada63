import { expect, test } from "bun:test";
import { homeOf } from "../../../src/oci/passwd.ts";
import { pick, seeded } from "../../support/random.ts";

const PASSWD = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
# user:x:7:7::/commented:/bin/sh
user:x:1000:1000:A. User,,,:/var/lib/user:/bin/bash
again:x:1000:1000::/var/lib/again:/bin/bash
nohome:x:1001:1001:::/bin/sh
short:x:1002:1002
wide:x:10000:10000::/var/lib/wide:/bin/sh`;

test.each([
  [0, "/root"],
  [1, "/usr/sbin"],
  [10_000, "/var/lib/wide"],
])("user %d lives where the database says", (uid, home) => {
  expect(homeOf(PASSWD, uid)).toBe(home);
});

test("the first entry of an id counts", () => {
  expect(homeOf(PASSWD, 1000)).toBe("/var/lib/user");
});

test.each([
  ["there is no entry", 2],
  ["the entry names no home", 1001],
  ["the entry is cut short", 1002],
  ["the number is only a part of another", 100],
])("nobody is at home where %s", (_, uid) => {
  expect(homeOf(PASSWD, uid)).toBeUndefined();
});

test.each(["", "\n\n", ":::::::", ":x:0:0::/nameless:/bin/sh", "root:x:00:0::/zeros:/bin/sh"])(
  "nobody is at home in %j",
  (passwd) => {
    expect(homeOf(passwd, 0)).toBeUndefined();
  },
);

test("whatever an image has there, a home is a piece of a line of it", () => {
  const random = seeded(21);
  const parts = [":", ":", ":", "\n", "0", "root", "/", "x", "\0", "é"];
  let found = 0;
  for (let round = 0; round < 20_000; round++) {
    const passwd = Array.from({ length: 24 }, () => pick(random, parts)).join("");
    const home = homeOf(passwd, 0);
    if (home === undefined) continue;
    found++;
    expect(home).toMatch(/^[^:\n]+$/);
    expect(passwd).toContain(home);
  }
  expect(found).toBeGreaterThan(10);
});
