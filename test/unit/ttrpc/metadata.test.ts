import { expect, test } from "bun:test";
import { EchoFixture } from "../../support/echo-fixture.ts";
import { bytes, ECHO, text } from "../../support/echo-service.ts";

/** What the handler finds under `key` when it is called with `pairs`. */
async function seen(
  pairs: readonly (readonly [string, readonly string[]])[],
  key: string,
): Promise<unknown> {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  const answer = await client.call(ECHO, "Meta", bytes(key), { metadata: new Map(pairs) });
  return JSON.parse(text(answer));
}

test.each([
  ["M01 values of one key in their order", [["k", ["1", "2"]]], "k", ["1", "2"]],
  ["M01 a key in capitals as it is", [["UP", ["x"]]], "UP", ["x"]],
  ["M01 nothing under another case of the key", [["UP", ["x"]]], "up", []],
  ["M02 an empty value under an empty key", [["", [""]]], "", [""]],
  ["nothing where nothing was sent", [], "k", []],
] as const)("%s reach the handler", async (_, pairs, key, expected) => {
  expect(await seen(pairs, key)).toEqual([...expected]);
});

test("M03 a thousand pairs are accepted", async () => {
  const pairs = Array.from({ length: 1000 }, (_, index) => [`k${index}`, [`v${index}`]] as const);
  expect(await seen(pairs, "k999")).toEqual(["v999"]);
});

test("M03 a value of 1 MiB is accepted", async () => {
  const value = "v".repeat(1 << 20);
  expect(await seen([["k", [value]]], "k")).toEqual([value]);
});

test("M05 calls at the same time see their own metadata only", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  const answers = Array.from({ length: 200 }, (_, index) => {
    const metadata = index % 4 === 0 ? new Map() : new Map([["k", [String(index)]]]);
    return client.call(ECHO, "Meta", bytes("k"), { metadata });
  });
  const values = (await Promise.all(answers)).map((answer) => JSON.parse(text(answer)));
  expect(values).toEqual(values.map((_, index) => (index % 4 === 0 ? [] : [String(index)])));
});

test("M06 the pair that kata-agent-ctl adds to every call changes nothing", async () => {
  using fixture = new EchoFixture();
  const client = await fixture.client();
  const metadata = new Map([["agent-ctl-cfg", ["auto-values"]]]);
  for (const method of ["Echo", "EchoLater", "Append", "Deadline"]) {
    const plain = await client.call(ECHO, method, bytes("x"));
    expect(await client.call(ECHO, method, bytes("x"), { metadata })).toEqual(plain);
  }
});
