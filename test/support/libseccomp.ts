// Filters by libseccomp, which runc and Kata's other agent use: what ours are held against.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dlopen } from "bun:ffi";
import { answerOf } from "../../src/seccomp/action.ts";
import { AUDIT_ARCH, X32_SYSCALL_BIT } from "../../src/linux/seccomp.ts";
import type { Seccomp, SeccompArg, SeccompArchitecture } from "../../src/oci/seccomp.ts";

const library = open();

/** What the tests with libseccomp lack here; undefined if nothing. */
export const missing = library === undefined ? "libseccomp: Debian package libseccomp2" : undefined;

function open() {
  try {
    return dlopen("libseccomp.so.2", {
      seccomp_init: { args: ["u32"], returns: "ptr" },
      seccomp_release: { args: ["ptr"], returns: "void" },
      seccomp_arch_add: { args: ["ptr", "u32"], returns: "i32" },
      seccomp_arch_remove: { args: ["ptr", "u32"], returns: "i32" },
      seccomp_rule_add_array: { args: ["ptr", "u32", "i32", "u32", "ptr"], returns: "i32" },
      seccomp_export_bpf: { args: ["ptr", "i32"], returns: "i32" },
      seccomp_syscall_resolve_name: { args: ["cstring"], returns: "i32" },
      seccomp_syscall_resolve_name_arch: { args: ["u32", "cstring"], returns: "i32" },
    }).symbols;
  } catch {
    return undefined;
  }
}

function symbols() {
  if (library === undefined) throw new Error("no libseccomp");
  return library;
}

/** include/seccomp.h: SCMP_ARCH_* */
const TOKENS: Partial<Record<SeccompArchitecture, number>> = {
  SCMP_ARCH_X86_64: AUDIT_ARCH.X86_64,
  SCMP_ARCH_X86: AUDIT_ARCH.I386,
  SCMP_ARCH_X32: 0x4000_003e,
  SCMP_ARCH_AARCH64: AUDIT_ARCH.AARCH64,
  SCMP_ARCH_ARM: AUDIT_ARCH.ARM,
};

/** include/seccomp.h: enum scmp_compare */
const OPERATORS: Readonly<Record<SeccompArg["op"], number>> = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
};

function tokenOf(architecture: SeccompArchitecture): number {
  const token = TOKENS[architecture];
  if (token === undefined) throw new Error(`no token for ${architecture}`);
  return token;
}

const cstring = (text: string) => Buffer.from(`${text}\0`);

/** Whether this libseccomp is new enough to know the call. */
export function knows(name: string): boolean {
  return symbols().seccomp_syscall_resolve_name(cstring(name)) !== -1;
}

/** The number of a call; undefined where the architecture has none of its own. x32 without its bit. */
export function numberOf(name: string, architecture: SeccompArchitecture): number | undefined {
  const token = tokenOf(architecture);
  const number = symbols().seccomp_syscall_resolve_name_arch(token, cstring(name));
  if (number < 0) return undefined;
  return architecture === "SCMP_ARCH_X32" ? number - X32_SYSCALL_BIT : number;
}

/** For a machine of the first architecture listed. Every name must be known to libseccomp. */
export function compileWithLibseccomp(profile: Seccomp): Uint8Array {
  const lib = symbols();
  const { architectures = [] } = profile;
  const fallback = answerOf(profile.defaultAction, profile.defaultErrnoRet);
  const context = lib.seccomp_init(fallback);
  const done = (result: number, what: string) => {
    if (result < 0) throw new Error(`libseccomp: ${what}: ${result}`);
  };
  try {
    const native = process.arch === "arm64" ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64";
    if (!architectures.includes(native)) {
      // Two byte orders would be refused: there is one here.
      done(lib.seccomp_arch_add(context, tokenOf(architectures[0] ?? native)), "arch");
      done(lib.seccomp_arch_remove(context, tokenOf(native)), "remove the native arch");
    }
    for (const architecture of architectures.slice(architectures.includes(native) ? 0 : 1)) {
      if (architecture !== native)
        done(lib.seccomp_arch_add(context, tokenOf(architecture)), "arch");
    }
    for (const { names, action, errnoRet, args = [] } of profile.syscalls ?? []) {
      const answer = answerOf(action, errnoRet);
      if (answer === fallback) continue;
      for (const name of names) {
        const number = lib.seccomp_syscall_resolve_name(cstring(name));
        const encoded = encodeArgs(args);
        const pointer = args.length === 0 ? null : encoded;
        const result = lib.seccomp_rule_add_array(context, answer, number, args.length, pointer);
        done(result, `${name} ${JSON.stringify(args, (_, value) => String(value))}`);
      }
    }
    return exported(context);
  } finally {
    lib.seccomp_release(context);
  }
}

/** An array of struct scmp_arg_cmp. */
function encodeArgs(args: readonly SeccompArg[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(Math.max(1, args.length) * 24));
  for (const [i, { index, op, value, valueTwo }] of args.entries()) {
    view.setUint32(24 * i, index, true);
    view.setUint32(24 * i + 4, OPERATORS[op], true);
    view.setBigUint64(24 * i + 8, value, true);
    view.setBigUint64(24 * i + 16, valueTwo, true);
  }
  return new Uint8Array(view.buffer);
}

function exported(context: ReturnType<ReturnType<typeof symbols>["seccomp_init"]>): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), "kata-agent-seccomp-"));
  try {
    const path = join(directory, "filter");
    const file = openSync(path, "w");
    const result = symbols().seccomp_export_bpf(context, file);
    closeSync(file);
    if (result < 0) throw new Error(`libseccomp: export: ${result}`);
    return new Uint8Array(readFileSync(path));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
