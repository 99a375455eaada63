import { expect, test } from "bun:test";
import type { Arch } from "../../../src/linux/arch.ts";
import { capset } from "../../../src/linux/credentials.ts";
import { O } from "../../../src/linux/open-flags.ts";
import {
  type StructName,
  type StructValue,
  encodeStruct,
  layoutOf,
  structOf,
} from "../../../src/linux/struct.ts";
import { linesOf, testWithC } from "../../support/c-program.ts";

const HERE: Arch = process.arch === "arm64" ? "arm64" : "x86_64";

const HEADERS = [
  "linux/openat2.h",
  "linux/mount.h",
  "linux/sched.h",
  "linux/resource.h",
  "linux/sched/types.h",
  "linux/capability.h",
  "linux/eventpoll.h",
  "linux/aio_abi.h",
  "linux/filter.h",
  "linux/signal.h",
  "linux/bpf.h",
  "asm/termios.h",
];

/** As C names them, where that is not `struct` and our name. */
const C_TYPES: Partial<Record<StructName, string>> = {
  cap_header: "struct __user_cap_header_struct",
  cap_data: "struct { struct __user_cap_data_struct word[2]; }",
  sigset: "struct { sigset_t bits; }",
  bpf_attr_load: "union bpf_attr",
  bpf_attr_attach: "union bpf_attr",
};

/** The kernel takes them up to any member; ours end at the last that is used. */
const BEGINNINGS: readonly StructName[] = ["bpf_attr_load", "bpf_attr_attach"];

/** Its size in C. */
function sizeOf(struct: StructName): string {
  const { name: last = "" } = layoutOf(struct, HERE).fields.at(-1) ?? {};
  if (!BEGINNINGS.includes(struct)) return "sizeof(it)";
  return `(__builtin_offsetof(it, ${last}) + sizeof(((it *)0)->${last}))`;
}

/** `effective_hi` is `word[1].effective`, `rw_flags` is `aio_rw_flags`. */
function memberOf(struct: StructName, field: string): string {
  const [, name, half] = /^(.*)_(lo|hi)$/.exec(field) ?? [];
  if (struct === "cap_data") return `word[${half === "lo" ? 0 : 1}].${name}`;
  if (struct === "iocb") return IOCB_MEMBERS[field] ?? `aio_${field}`;
  return field;
}

const IOCB_MEMBERS: Readonly<Record<string, string>> = { rw_flags: "aio_rw_flags" };

const STRUCTS: readonly StructName[] = [
  "open_how",
  "mount_attr",
  "clone_args",
  "rlimit64",
  "sched_attr",
  "winsize",
  "cap_header",
  "cap_data",
  "sigaction",
  "sigset",
  "epoll_event",
  "iocb",
  "sock_fprog",
  "bpf_attr_load",
  "bpf_attr_attach",
];

/** Those that the kernel's headers have under other names, or do not export. */
const LIBC_STRUCTS: readonly StructName[] = ["iovec", "msghdr"];

testWithC("every structure has the size and the field offsets that C gives it", () => {
  compare(HEADERS, STRUCTS);
  compare(["sys/socket.h"], LIBC_STRUCTS);
});

function compare(headers: readonly string[], structs: readonly StructName[]): void {
  const ours: string[] = [];
  const print: string[] = [];
  for (const struct of structs) {
    const { fields, size } = layoutOf(struct, HERE);
    ours.push(`${struct} ${size}`);
    print.push(`{ typedef ${C_TYPES[struct] ?? `struct ${struct}`} it;`);
    print.push(`printf("${struct} %d\\n", (int)${sizeOf(struct)});`);
    for (const { name, offset, width } of fields) {
      const member = memberOf(struct, name);
      ours.push(`${struct}.${name} at ${offset} is ${width}`);
      print.push(
        `printf("${struct}.${name} at %d is u%d\\n", (int)__builtin_offsetof(it, ${member}),`,
        `8 * (int)sizeof(((it *)0)->${member}));`,
      );
    }
    print.push("}");
  }
  expect(ours).toEqual([...linesOf(headers, print.join("\n"))]);
}

test("an epoll event is packed on x86_64 only", () => {
  const x86_64 = layoutOf("epoll_event", "x86_64");
  const arm64 = layoutOf("epoll_event", "arm64");
  expect([x86_64.size, x86_64.fields[1]?.offset]).toEqual([12, 4]);
  expect([arm64.size, arm64.fields[1]?.offset]).toEqual([16, 8]);
});

test("every other structure is the same on both architectures", () => {
  for (const struct of [...STRUCTS, ...LIBC_STRUCTS].filter((name) => name !== "epoll_event")) {
    expect(layoutOf(struct, "arm64")).toEqual(layoutOf(struct, "x86_64"));
  }
});

const VALUES: readonly (readonly [StructValue, Arch, string])[] = [
  [
    structOf("open_how", { flags: O.PATH | O.NOFOLLOW | O.CLOEXEC, mode: 0o600, resolve: 0x12 }),
    "x86_64",
    "00002a0000000000 8001000000000000 1200000000000000",
  ],
  [
    structOf("open_how", { flags: O.PATH | O.NOFOLLOW | O.CLOEXEC, mode: 0o600, resolve: 0x12 }),
    "arm64",
    "0080280000000000 8001000000000000 1200000000000000",
  ],
  [
    structOf("mount_attr", { attr_set: 0x1, attr_clr: 0x70, propagation: 1 << 18, userns_fd: -1 }),
    "x86_64",
    "0100000000000000 7000000000000000 0000040000000000 ffffffffffffffff",
  ],
  [
    structOf("clone_args", { flags: 0x3_0000_1000, pidfd: 0x7fff_1234_5678, exit_signal: 17 }),
    "arm64",
    `0010000003000000 78563412ff7f0000 ${"0000000000000000 ".repeat(2)}1100000000000000` +
      " 0000000000000000".repeat(6),
  ],
  [
    structOf("rlimit64", { rlim_cur: 1024, rlim_max: 0xffff_ffff_ffff_ffffn }),
    "x86_64",
    "0004000000000000 ffffffffffffffff",
  ],
  [
    structOf("rlimit64", { rlim_cur: -1n, rlim_max: -2n }),
    "arm64",
    "ff".repeat(8) + "fe" + "ff".repeat(7),
  ],
  [
    structOf("sched_attr", { size: 56, sched_policy: 3, sched_nice: -1, sched_runtime: 2 ** 40 }),
    "arm64",
    "38000000 03000000 0000000000000000 ffffffff 00000000 0000000000010000" +
      " 0000000000000000 0000000000000000 00000000 00000000",
  ],
  [structOf("winsize", { ws_row: 24, ws_col: 0x1_0050 }), "x86_64", "1800 5000 0000 0000"],
  [structOf("cap_header", { version: 0x20080522, pid: -1 }), "x86_64", "22050820 ffffffff"],
  [
    structOf("cap_data", { effective_lo: 0xffff_ffffn, inheritable_hi: 0x1ff }),
    "arm64",
    "ffffffff 00000000 00000000 00000000 00000000 ff010000",
  ],
  [structOf("sigaction", { sa_handler: 1 }), "x86_64", `01${"00".repeat(31)}`],
  [structOf("sigset", { bits: 1n << 63n }), "arm64", "0000000000000080"],
  [
    structOf("epoll_event", { events: 0x4000_0001, data: 7 }),
    "x86_64",
    "01000040 0700000000000000",
  ],
  [
    structOf("epoll_event", { events: 0x4000_0001, data: 7 }),
    "arm64",
    "01000040 00000000 0700000000000000",
  ],
  [
    structOf("iocb", { lio_opcode: 5, fildes: 3, buf: 1, offset: -1n, flags: 1, resfd: 4 }),
    "x86_64",
    "0000000000000000 00000000 00000000 0500 0000 03000000 0100000000000000" +
      "0000000000000000 ffffffffffffffff 0000000000000000 01000000 04000000",
  ],
];

for (const [value, arch, hex] of VALUES) {
  test(`${value.struct} {${Object.keys(value.fields).join(", ")}} is encoded for ${arch}`, () => {
    expect(encodeStruct(value, arch).toHex()).toBe(hex.replaceAll(" ", ""));
  });
}

test("bytes in a structure are their address, where there is a place for them", () => {
  const bytes = new Uint8Array(16);
  const value = structOf("sock_fprog", { len: 2, filter: bytes });
  const places: Uint8Array[] = [];
  const encoded = encodeStruct(value, "x86_64", (given) => {
    places.push(given);
    return 0x7f00_1234_5678;
  });
  expect(encoded.toHex()).toBe("0200000000000000 78563412007f0000".replace(" ", ""));
  expect(places).toEqual([bytes]);
  expect(() => encodeStruct(value, "x86_64")).toThrow("needs a place");
});

test("a number that is no integer is refused", () => {
  for (const word of [0.5, NaN, Infinity]) {
    expect(() => encodeStruct(structOf("winsize", { ws_row: word }), HERE)).toThrow(RangeError);
  }
});

test("capability sets are split into low and high words", () => {
  const sets = { effective: 1n << 40n, permitted: (1n << 41n) - 1n, inheritable: 1n };
  const [header, data] = capset(sets).args;
  expect(header).toEqual(structOf("cap_header", { version: 0x20080522, pid: 0 }));
  expect(data).toEqual(
    structOf("cap_data", {
      effective_lo: 0n,
      permitted_lo: 0xffff_ffffn,
      inheritable_lo: 1n,
      effective_hi: 0x100n,
      permitted_hi: 0x1ffn,
      inheritable_hi: 0n,
    }),
  );
});
