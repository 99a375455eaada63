// The rows of the memory agent: process.md section 5.2. All are alike, and there are many.
import { type Kind, big, bool, integer } from "./kind.ts";
import type { Read } from "./option.ts";

const MAX_I64 = 0x7fff_ffff_ffff_ffffn;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;

const byte = integer(0, 255);

/** They count when `agent.mem_agent_enable` is on, wherever it stands. */
export function readMemAgent(read: Read) {
  const row = <Value>(name: string, kind: Kind<Value>, unlessTold: Value, says: string): Value =>
    read({ parameter: `agent.mem_agent_${name}`, kind, default: unlessTold, says, acts: true });
  return {
    enable: row("enable", bool, false, "Run the memory agent."),
    memcgDisable: row("memcg_disable", bool, false, "Reclaim nothing from cgroups."),
    memcgSwap: row("memcg_swap", bool, false, "Reclaim anonymous memory, too."),
    memcgSwappinessMax: row("memcg_swappiness_max", byte, 50, "The most of anonymous memory."),
    memcgPeriodSecs: row("memcg_period_secs", big(MAX_U64), 600n, "Seconds between two looks."),
    memcgPeriodPsiPercentLimit: row(
      "memcg_period_psi_percent_limit",
      byte,
      1,
      "Skip a look above this much memory pressure.",
    ),
    memcgEvictionPsiPercentLimit: row(
      "memcg_eviction_psi_percent_limit",
      byte,
      1,
      "Stop reclaiming above this much memory pressure.",
    ),
    memcgEvictionRunAgingCountMin: row(
      "memcg_eviction_run_aging_count_min",
      big(MAX_U64),
      3n,
      "Looks that memory stays unused before it is reclaimed.",
    ),
    compactDisable: row("compact_disable", bool, false, "Compact no memory."),
    compactPeriodSecs: row("compact_period_secs", big(MAX_U64), 600n, "Seconds between two looks."),
    compactPeriodPsiPercentLimit: row(
      "compact_period_psi_percent_limit",
      byte,
      1,
      "Skip a look above this much memory pressure.",
    ),
    compactPsiPercentLimit: row(
      "compact_psi_percent_limit",
      byte,
      5,
      "Stop compacting above this much memory pressure.",
    ),
    compactSecMax: row("compact_sec_max", big(MAX_I64), 300n, "Seconds for one compaction."),
    compactOrder: row("compact_order", byte, 9, "The order of pages to make."),
    compactThreshold: row(
      "compact_threshold",
      big(MAX_U64),
      1024n,
      "Free pages more than last time that make it worth it.",
    ),
    compactForceTimes: row(
      "compact_force_times",
      big(MAX_U64),
      MAX_I64,
      "Looks without need after which it is done anyway.",
    ),
  };
}
