// Structures that system calls take by address, as layouts: one description serves the encoder and
// the printer.
import type { Arch } from "./arch.ts";
import { type Kind, fd, flags, hex, int, octal, openFlags, pointer, value } from "./kind.ts";
import { MOUNT_ATTR, MS } from "./mount-flags.ts";
import { openFlagsFor } from "./open-flags.ts";
import { BPF_F, CLONE, EPOLL, RESOLVE, SIG, SIG_DISPOSITION } from "./constants.ts";
import { SCHED, SCHED_FLAG } from "./scheduling-flags.ts";

type Width = "u16" | "u32" | "u64";
type Field = readonly [name: string, width: Width, kind: Kind];
type Layout = {
  readonly header: string;
  readonly packed?: Arch;
  readonly fields: readonly Field[];
};

const LAYOUTS = {
  open_how: {
    header: "linux/openat2.h",
    fields: [
      ["flags", "u64", openFlags],
      ["mode", "u64", octal],
      ["resolve", "u64", flags("RESOLVE_", RESOLVE)],
    ],
  },
  mount_attr: {
    header: "linux/mount.h",
    fields: [
      ["attr_set", "u64", flags("MOUNT_ATTR_", MOUNT_ATTR)],
      ["attr_clr", "u64", flags("MOUNT_ATTR_", MOUNT_ATTR)],
      ["propagation", "u64", flags("MS_", MS)],
      ["userns_fd", "u64", fd],
    ],
  },
  clone_args: {
    header: "linux/sched.h",
    fields: [
      ["flags", "u64", flags("CLONE_", CLONE)],
      ["pidfd", "u64", pointer],
      ["child_tid", "u64", pointer],
      ["parent_tid", "u64", pointer],
      ["exit_signal", "u64", value("SIG", SIG)],
      ["stack", "u64", pointer],
      ["stack_size", "u64", int],
      ["tls", "u64", pointer],
      ["set_tid", "u64", pointer],
      ["set_tid_size", "u64", int],
      ["cgroup", "u64", fd],
    ],
  },
  rlimit64: {
    header: "linux/resource.h",
    fields: [
      ["rlim_cur", "u64", int],
      ["rlim_max", "u64", int],
    ],
  },
  sched_attr: {
    header: "linux/sched/types.h",
    fields: [
      ["size", "u32", int],
      ["sched_policy", "u32", value("SCHED_", SCHED)],
      ["sched_flags", "u64", flags("SCHED_FLAG_", SCHED_FLAG)],
      ["sched_nice", "u32", int],
      ["sched_priority", "u32", int],
      ["sched_runtime", "u64", int],
      ["sched_deadline", "u64", int],
      ["sched_period", "u64", int],
      ["sched_util_min", "u32", int],
      ["sched_util_max", "u32", int],
    ],
  },
  winsize: {
    header: "asm-generic/termios.h",
    fields: [
      ["ws_row", "u16", int],
      ["ws_col", "u16", int],
      ["ws_xpixel", "u16", int],
      ["ws_ypixel", "u16", int],
    ],
  },
  cap_header: {
    header: "linux/capability.h",
    fields: [
      ["version", "u32", hex],
      ["pid", "u32", int],
    ],
  },
  cap_data: {
    header: "linux/capability.h",
    fields: [
      ["effective_lo", "u32", hex],
      ["permitted_lo", "u32", hex],
      ["inheritable_lo", "u32", hex],
      ["effective_hi", "u32", hex],
      ["permitted_hi", "u32", hex],
      ["inheritable_hi", "u32", hex],
    ],
  },
  sigaction: {
    header: "asm-generic/signal.h",
    fields: [
      ["sa_handler", "u64", value("SIG_", SIG_DISPOSITION)],
      ["sa_flags", "u64", hex],
      ["sa_restorer", "u64", pointer],
      ["sa_mask", "u64", hex],
    ],
  },
  sigset: { header: "asm-generic/signal.h", fields: [["bits", "u64", hex]] },
  // Packed on x86_64 only, so that 32-bit programs see the same layout (linux/eventpoll.h).
  epoll_event: {
    header: "linux/eventpoll.h",
    packed: "x86_64",
    fields: [
      ["events", "u32", flags("EPOLL", EPOLL)],
      ["data", "u64", int],
    ],
  },
  sock_fprog: {
    header: "linux/filter.h",
    fields: [
      ["len", "u16", int],
      ["filter", "u64", pointer],
    ],
  },
  // Parts of union bpf_attr, up to the last member that is used.
  bpf_attr_load: {
    header: "linux/bpf.h",
    fields: [
      ["prog_type", "u32", int],
      ["insn_cnt", "u32", int],
      ["insns", "u64", pointer],
      ["license", "u64", pointer],
      ["log_level", "u32", int],
      ["log_size", "u32", int],
      ["log_buf", "u64", pointer],
    ],
  },
  bpf_attr_attach: {
    header: "linux/bpf.h",
    fields: [
      ["target_fd", "u32", fd],
      ["attach_bpf_fd", "u32", fd],
      ["attach_type", "u32", int],
      ["attach_flags", "u32", flags("BPF_F_", BPF_F)],
      ["replace_bpf_fd", "u32", fd],
    ],
  },
  iovec: {
    header: "sys/socket.h",
    fields: [
      ["iov_base", "u64", pointer],
      ["iov_len", "u64", int],
    ],
  },
  msghdr: {
    header: "sys/socket.h",
    fields: [
      ["msg_name", "u64", pointer],
      ["msg_namelen", "u32", int],
      ["msg_iov", "u64", pointer],
      ["msg_iovlen", "u64", int],
      ["msg_control", "u64", pointer],
      ["msg_controllen", "u64", int],
      ["msg_flags", "u32", hex],
    ],
  },
  iocb: {
    header: "linux/aio_abi.h",
    fields: [
      ["data", "u64", int],
      ["key", "u32", int],
      ["rw_flags", "u32", hex],
      ["lio_opcode", "u16", int],
      ["reqprio", "u16", int],
      ["fildes", "u32", fd],
      ["buf", "u64", hex],
      ["nbytes", "u64", int],
      ["offset", "u64", int],
      ["reserved2", "u64", int],
      ["flags", "u32", hex],
      ["resfd", "u32", fd],
    ],
  },
} as const satisfies Record<string, Layout>;

export type StructName = keyof typeof LAYOUTS;

/** A field not named is 0. Bytes stand for their address. */
type Fields = Readonly<Record<string, number | bigint | Uint8Array>>;

/** A structure to pass by address. */
export type StructValue = { readonly struct: StructName; readonly fields: Fields };

export function structOf(struct: StructName, fields: Fields): StructValue {
  return { struct, fields };
}

const SIZE = { u16: 2, u32: 4, u64: 8 } as const;

type LaidOut = ReturnType<typeof layOut>;

/** Each is laid out once: a container's program has some hundred of a few kinds. */
const laidOut = { x86_64: new Map<StructName, LaidOut>(), arm64: new Map<StructName, LaidOut>() };

/** Field offsets of `struct`, with the C compiler's padding, and its total size in bytes. */
export function layoutOf(struct: StructName, arch: Arch): LaidOut {
  const known = laidOut[arch].get(struct);
  if (known !== undefined) return known;
  const made = layOut(struct, arch);
  laidOut[arch].set(struct, made);
  return made;
}

function layOut(struct: StructName, arch: Arch) {
  const layout: Layout = LAYOUTS[struct];
  const packed = layout.packed === arch;
  let at = 0;
  let widest = 1;
  const fields = layout.fields.map(([name, width, kind]) => {
    const size = SIZE[width];
    if (!packed) {
      at = Math.ceil(at / size) * size;
      widest = Math.max(widest, size);
    }
    const field = { name, width, kind, offset: at };
    at += size;
    return field;
  });
  return { fields, size: Math.ceil(at / widest) * widest };
}

/** The bytes of `given` as the kernel of `arch` reads them. `place` says where the bytes of a field are. */
export function encodeStruct(
  given: StructValue,
  arch: Arch,
  place: (bytes: Uint8Array) => number = refuseBytes,
): Uint8Array {
  const { fields, size } = layoutOf(given.struct, arch);
  const buffer = new ArrayBuffer(size);
  const view = new DataView(buffer);
  for (const { name, width, kind, offset } of fields) {
    const asked = given.fields[name] ?? 0;
    const field = asked instanceof Uint8Array ? place(asked) : asked;
    const word = kind.as === "open flags" ? openFlagsFor(arch, Number(field)) : field;
    if (typeof word === "number" && !Number.isInteger(word))
      throw new RangeError(`${given.struct}.${name} is no integer: ${word}`);
    if (width === "u16") view.setUint16(offset, halfOf(word), true);
    else if (width === "u32") view.setUint32(offset, halfOf(word), true);
    else putUint64(view, offset, word);
  }
  return new Uint8Array(buffer);
}

/** What is stored of it is cut to its width. */
function halfOf(word: number | bigint): number {
  return typeof word === "number" ? word : Number(BigInt.asUintN(32, word));
}

/** Halves of a double are far cheaper than a bigint. */
function putUint64(view: DataView, offset: number, word: number | bigint): void {
  if (typeof word === "bigint") {
    view.setBigUint64(offset, BigInt.asUintN(64, word), true);
    return;
  }
  view.setUint32(offset, word, true);
  view.setInt32(offset + 4, Math.floor(word / 0x1_0000_0000), true);
}

function refuseBytes(): never {
  throw new TypeError("a structure that points to bytes needs a place for them");
}
