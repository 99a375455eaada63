// What the memory agent goes by: process.md section 5. A host changes some of it while the agent runs.
import { invalidArgument } from "../error.ts";

export type ReclaimSettings = {
  readonly disabled: boolean;
  /** Anonymous memory may go, too. */
  readonly swap: boolean;
  readonly swappinessMax: number;
  readonly periodSecs: bigint;
  readonly periodPsiPercentLimit: number;
  readonly evictionPsiPercentLimit: number;
  readonly evictionRunAgingCountMin: bigint;
};

export type CompactSettings = {
  readonly disabled: boolean;
  readonly periodSecs: bigint;
  readonly periodPsiPercentLimit: number;
  readonly compactPsiPercentLimit: number;
  readonly compactSecMax: bigint;
  readonly compactOrder: number;
  /** kB of memory, and pages. */
  readonly compactThreshold: bigint;
  readonly compactForceTimes: bigint;
};

export type MemoryAgentSettings = {
  readonly reclaim: ReclaimSettings;
  readonly compact: CompactSettings;
};

/** What is undefined stays. */
export type Changes<Settings> = { readonly [Key in keyof Settings]?: Settings[Key] | undefined };

/** Throws an AgentError for a number that Kata's agent would cut to 8 bits. */
export function changeReclaim(now: ReclaimSettings, to: Changes<ReclaimSettings>): ReclaimSettings {
  return {
    disabled: to.disabled ?? now.disabled,
    swap: to.swap ?? now.swap,
    swappinessMax: byte("swappiness_max", to.swappinessMax) ?? now.swappinessMax,
    periodSecs: to.periodSecs ?? now.periodSecs,
    periodPsiPercentLimit:
      byte("period_psi_percent_limit", to.periodPsiPercentLimit) ?? now.periodPsiPercentLimit,
    evictionPsiPercentLimit:
      byte("eviction_psi_percent_limit", to.evictionPsiPercentLimit) ?? now.evictionPsiPercentLimit,
    evictionRunAgingCountMin: to.evictionRunAgingCountMin ?? now.evictionRunAgingCountMin,
  };
}

/** The same of the other half. */
export function changeCompact(now: CompactSettings, to: Changes<CompactSettings>): CompactSettings {
  return {
    disabled: to.disabled ?? now.disabled,
    periodSecs: to.periodSecs ?? now.periodSecs,
    periodPsiPercentLimit:
      byte("period_psi_percent_limit", to.periodPsiPercentLimit) ?? now.periodPsiPercentLimit,
    compactPsiPercentLimit:
      byte("compact_psi_percent_limit", to.compactPsiPercentLimit) ?? now.compactPsiPercentLimit,
    compactSecMax: to.compactSecMax ?? now.compactSecMax,
    compactOrder: byte("compact_order", to.compactOrder) ?? now.compactOrder,
    compactThreshold: to.compactThreshold ?? now.compactThreshold,
    compactForceTimes: to.compactForceTimes ?? now.compactForceTimes,
  };
}

function byte(name: string, value: number | undefined): number | undefined {
  if (value !== undefined && value > 255) throw invalidArgument(`${name}: ${value} is above 255`);
  return value;
}
