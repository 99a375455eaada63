// What a guest of each architecture is made of and runs on. All of it is Debian's.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Arch } from "../../src/linux/arch.ts";
import { BUSYBOX } from "./rootfs.ts";
import { debianPackage, kernel, placeIn } from "./vm-kernel.ts";

export type Platform = {
  /** Debian's name for it. */
  readonly debian: "amd64" | "arm64";
  /** The emulator and its board. Bun's code asks for an x86_64 processor with AVX2. */
  readonly qemu: readonly [program: string, ...board: string[]];
  readonly emulatorPackage: string;
  /** The kernel's name for the board's serial port. */
  readonly serial: string;
  readonly compiler: string;
  readonly compilerPackages: string;
  /** The sealed executable, and what makes it. */
  readonly agent: string;
  readonly build: string;
};

const DIST = join(import.meta.dir, "../../dist");

export const NATIVE: Arch = process.arch === "arm64" ? "arm64" : "x86_64";

export const PLATFORMS: Readonly<Record<Arch, Platform>> = {
  x86_64: {
    debian: "amd64",
    qemu: ["qemu-system-x86_64", "-machine", "q35", "-cpu", "max"],
    emulatorPackage: "qemu-system-x86",
    serial: "ttyS0",
    compiler: "x86_64-linux-gnu-gcc",
    compilerPackages: "gcc and libc6-dev",
    ...agentOf("x86_64", "x64"),
  },
  arm64: {
    debian: "arm64",
    qemu: ["qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72"],
    emulatorPackage: "qemu-system-arm",
    serial: "ttyAMA0",
    compiler: "aarch64-linux-gnu-gcc",
    compilerPackages: "gcc-aarch64-linux-gnu and libc6-dev-arm64-cross",
    ...agentOf("arm64", "arm64"),
  },
};

function agentOf(arch: Arch, target: string): Pick<Platform, "agent" | "build"> {
  return arch === NATIVE
    ? { agent: join(DIST, "kata-agent"), build: "npm run build" }
    : { agent: join(DIST, target, "kata-agent"), build: `npm run build -- --target=${target}` };
}

/** The static one that a guest's containers run. */
export function busyboxFor(arch: Arch): string {
  if (arch === NATIVE) return BUSYBOX;
  return placeIn(debianPackage(PLATFORMS[arch].debian, "busybox-static"), "bin/busybox");
}

/** What a guest of this architecture lacks here; undefined if nothing. */
export function lackingFor(arch: Arch): string | undefined {
  const { qemu, emulatorPackage, compiler, compilerPackages, agent, build } = PLATFORMS[arch];
  if (Bun.which(qemu[0]) === null) return `Debian's package ${emulatorPackage}`;
  if (Bun.which(compiler) === null) return `Debian's packages ${compilerPackages}`;
  if (!existsSync(agent)) return `the agent: ${build}`;
  try {
    kernel(PLATFORMS[arch].debian);
    if (existsSync(busyboxFor(arch))) return undefined;
  } catch (error) {
    return `Debian's kernel: ${error instanceof Error ? error.message : error}`;
  }
  return "Debian's package busybox-static";
}
