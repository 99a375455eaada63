// /proc/meminfo, proc_meminfo(5), as Kata's own agent names it: process.md section 3.1.
import { type Family, items } from "./family.ts";

/** Kata's names, where they are not the kernel's with `_` between the words. */
const NAMES: readonly (readonly [item: string, field: string])[] = [
  ["mem_total", "MemTotal"],
  ["mem_free", "MemFree"],
  ["mem_available", "MemAvailable"],
  ["buffers", "Buffers"],
  ["cached", "Cached"],
  ["swap_cached", "SwapCached"],
  ["active", "Active"],
  ["inactive", "Inactive"],
  ["active_anon", "Active(anon)"],
  ["inactive_anon", "Inactive(anon)"],
  ["active_file", "Active(file)"],
  ["inactive_file", "Inactive(file)"],
  ["unevictable", "Unevictable"],
  ["mlocked", "Mlocked"],
  ["high_total", "HighTotal"],
  ["high_free", "HighFree"],
  ["low_total", "LowTotal"],
  ["low_free", "LowFree"],
  ["mmap_copy", "MmapCopy"],
  ["swap_total", "SwapTotal"],
  ["swap_free", "SwapFree"],
  ["dirty", "Dirty"],
  ["writeback", "Writeback"],
  ["anon_pages", "AnonPages"],
  ["mapped", "Mapped"],
  ["shmem", "Shmem"],
  ["slab", "Slab"],
  ["s_reclaimable", "SReclaimable"],
  ["s_unreclaim", "SUnreclaim"],
  ["kernel_stack", "KernelStack"],
  ["page_tables", "PageTables"],
  ["quicklists", "Quicklists"],
  ["nfs_unstable", "NFS_Unstable"],
  ["bounce", "Bounce"],
  ["writeback_tmp", "WritebackTmp"],
  ["commit_limit", "CommitLimit"],
  ["committed_as", "Committed_AS"],
  ["vmalloc_total", "VmallocTotal"],
  ["vmalloc_used", "VmallocUsed"],
  ["vmalloc_chunk", "VmallocChunk"],
  ["hardware_corrupted", "HardwareCorrupted"],
  ["anon_hugepages", "AnonHugePages"],
  ["shmem_hugepages", "ShmemHugePages"],
  ["shmem_pmd_mapped", "ShmemPmdMapped"],
  ["cma_total", "CmaTotal"],
  ["cma_free", "CmaFree"],
  ["hugepages_total", "HugePages_Total"],
  ["hugepages_free", "HugePages_Free"],
  ["hugepages_rsvd", "HugePages_Rsvd"],
  ["hugepages_surp", "HugePages_Surp"],
  ["hugepagesize", "Hugepagesize"],
  ["direct_map_4k", "DirectMap4k"],
  ["direct_map_4M", "DirectMap4M"],
  ["direct_map_2M", "DirectMap2M"],
  ["direct_map_1G", "DirectMap1G"],
  ["hugetlb", "Hugetlb"],
  ["per_cpu", "Percpu"],
  ["k_reclaimable", "KReclaimable"],
];

/** Bytes, but for numbers of pages; 0 for what the kernel does not have. */
export function memoryInfo(text: string): readonly Family[] {
  const found = Array.from(
    text.matchAll(/^([^\s:]+):[ \t]*(\d+)( kB)?$/gm),
    ([, field = "", digits, unit]) =>
      [field, Number(digits) * (unit === undefined ? 1 : 1024)] as const,
  );
  const fields = new Map(found);
  const values = NAMES.map(([item, field]) => [item, fields.get(field) ?? 0] as const);
  return [
    items("kata_guest_meminfo", "Statistics about memory usage in the system.", [
      [{}, Object.fromEntries(values)],
    ]),
  ];
}
