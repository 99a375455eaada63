import { describe, expect, test } from "bun:test";
import {
  MalformedNetlink,
  acknowledgementIn,
  decodeAttributes,
  decodeMessages,
  encodeAttributes,
  encodeMessage,
  text,
  textIn,
  word,
  wordIn,
} from "../../../src/linux/netlink.ts";
import { type BodyName, LAYOUTS, decodeBody, encodeBody } from "../../../src/linux/rtnetlink.ts";
import { linesOf, testWithC } from "../../support/c-program.ts";
import { goldenOf } from "../../support/golden-hex.ts";
import { seeded } from "../../support/random.ts";

const golden = goldenOf(`${import.meta.dir}/golden/netlink.hex`);

const NAMES: readonly BodyName[] = ["ifinfomsg", "ifaddrmsg", "rtmsg", "ndmsg", "rtnexthop"];

describe("A message", () => {
  test("is written with its length and number", () => {
    const body = encodeBody("ifinfomsg", {}, [[29, word(8)]]);
    const message = { type: 18, flags: 0x301, sequence: 7, body };
    expect(encodeMessage(message).toHex()).toBe(golden("list of links").toHex());
    expect(decodeMessages(golden("list of links"))).toEqual([message]);
  });

  test("is read with those behind it", () => {
    const messages = decodeMessages(golden("two links and the end"));
    expect(messages.map(({ type, flags, sequence }) => [type, flags, sequence])).toEqual([
      [16, 2, 7],
      [16, 0x12, 7],
      [3, 2, 7],
    ]);
    expect(messages.map(({ body }) => body.length)).toEqual([17, 16, 4]);
  });

  test("is refused when it is cut off, wherever that is", () => {
    const whole = golden("list of links");
    for (let length = 1; length < whole.length; length++) {
      expect(() => decodeMessages(whole.subarray(0, length))).toThrow(MalformedNetlink);
    }
    expect(decodeMessages(whole.subarray(0, 0))).toEqual([]);
  });

  test.each([0, 15, 41, 0xffff_ffff])("that says to be %d long is refused", (length) => {
    const bytes = golden("list of links").slice();
    new DataView(bytes.buffer).setUint32(0, length, true);
    expect(() => decodeMessages(bytes)).toThrow("malformed netlink message: length");
  });
});

describe("An answer", () => {
  const said = (name: string) => decodeMessages(golden(name)).map(acknowledgementIn);

  test("says that it is done, or why not, in the kernel's own words", () => {
    expect(said("done")).toEqual([{ errno: 0, text: "" }]);
    expect(said("refused with a reason")).toEqual([
      { errno: 101, text: "Nexthop has invalid gate" },
    ]);
    expect(said("end of a list that broke off")).toEqual([{ errno: 4, text: "" }]);
    expect(said("two links and the end")).toEqual([undefined, undefined, { errno: 0, text: "" }]);
  });

  test("without an errno is refused", () => {
    const message = { type: 2, flags: 0, sequence: 1, body: new Uint8Array(3) };
    expect(() => acknowledgementIn(message)).toThrow("malformed netlink message: no errno");
  });
});

describe("Attributes", () => {
  test("are read by their type, whatever bits it has beside", () => {
    const found = decodeAttributes(golden("attributes"));
    expect([...found.keys()]).toEqual([1, 2, 3 + 1, 5]);
    expect(textIn(found.get(1))).toBe("a");
    expect(wordIn(decodeAttributes(found.get(2) ?? new Uint8Array(0)).get(3))).toBe(0x01020304);
    expect(found.get(4)?.length).toBe(0);
    expect(found.get(5)?.toHex()).toBe("0a000001");
  });

  test("are written where the next begins at a multiple of 4", () => {
    const written = encodeAttributes([
      [1, Uint8Array.of(0x61)],
      [2, [[3, word(0x01020304)]]],
      [4, new Uint8Array(0)],
      [5 | 0x4000, Uint8Array.of(10, 0, 0, 1)],
    ]);
    expect(written.toHex()).toBe(golden("attributes").toHex());
  });

  test("hold text with the NUL that ends it, and words of 4 bytes", () => {
    expect(text("lo").toHex()).toBe("6c6f00");
    expect(textIn(Uint8Array.fromHex("6c6f00ff"))).toBe("lo");
    expect(textIn(undefined)).toBe("");
    expect(wordIn(undefined)).toBeUndefined();
    expect(() => wordIn(new Uint8Array(2))).toThrow(MalformedNetlink);
  });

  test.each([0, 3, 9, 0xffff])("of a length of %d are refused", (length) => {
    const bytes = encodeAttributes([[1, word(0)]]);
    new DataView(bytes.buffer).setUint16(0, length, true);
    expect(() => decodeAttributes(bytes)).toThrow(MalformedNetlink);
  });
});

describe("A body", () => {
  test.each(NAMES)("of struct %s is read as it was written", (name) => {
    const members = Object.fromEntries(
      LAYOUTS[name].map(([member, width], index) => [member, 2 ** (8 * width) - 1 - index]),
    );
    const decoded = decodeBody(name, encodeBody(name, members, [[1, word(5)]]));
    expect(decoded.members).toEqual(members as typeof decoded.members);
    expect(wordIn(decoded.attributes.get(1))).toBe(5);
  });

  test("that is shorter than its structure is refused", () => {
    expect(() => decodeBody("rtmsg", new Uint8Array(11))).toThrow("no whole rtmsg");
  });

  testWithC("is laid out as the kernel's headers say", () => {
    const ours: string[] = [];
    const print: string[] = [];
    for (const name of NAMES) {
      let at = 0;
      for (const [member, width] of LAYOUTS[name]) {
        ours.push(`${name}.${member} ${at} ${width}`);
        const place = `__builtin_offsetof(struct ${name}, ${member})`;
        const size = `sizeof(((struct ${name} *)0)->${member})`;
        print.push(`printf("${name}.${member} %d %d\\n", (int)${place}, (int)${size});`);
        at += width;
      }
      ours.push(`${name} ${at}`);
      print.push(`printf("${name} %d\\n", (int)sizeof(struct ${name}));`);
    }
    const headers = ["linux/rtnetlink.h", "linux/neighbour.h", "linux/if_addr.h"];
    expect(ours).toEqual([...linesOf(headers, print.join("\n"))]);
  });
});

test("any bytes are understood or refused, and read no further than they go", () => {
  const random = seeded(29);
  const seeds = ["two links and the end", "refused with a reason", "attributes"].map(golden);
  const read = (bytes: Uint8Array) => {
    for (const message of decodeMessages(bytes)) {
      acknowledgementIn(message);
      for (const name of NAMES) {
        const { attributes } = decodeBody(name, message.body);
        for (const value of attributes.values()) expect(value.length).toBeLessThan(bytes.length);
      }
    }
  };
  for (let round = 0; round < 30_000; round++) {
    const bytes = (seeds[round % seeds.length] ?? new Uint8Array(0)).slice();
    for (let change = 0; change <= round % 5; change++) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    try {
      read(bytes.subarray(0, Math.floor(random() * (bytes.length + 1))));
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedNetlink);
    }
  }
});
