// Limits that v1 and v2 have alike, but for the names of the files: cpusets, numbers of processes, huge pages and RDMA.
import type { Cpu, Resources } from "../oci/resources.ts";
import { bytesOfPage, orMax } from "./conversion.ts";
import { type CgroupFiles, type LimitWrite, isUnlimited } from "./limit-write.ts";

/** cpus, mems, and the idle class, which comes before a weight: the kernel refuses one for it. */
export function placeWrites({ cpus, mems, idle }: Cpu): LimitWrite[] {
  const list = (field: string, file: string, value: string | undefined): LimitWrite[] =>
    value === undefined || value === "" ? [] : [{ field, file, value, readBack: { kind: "list" } }];
  return [
    ...list("cpu.cpus", "cpuset.cpus", cpus),
    ...list("cpu.mems", "cpuset.mems", mems),
    ...(idle === undefined ? [] : [{ field: "cpu.idle", file: "cpu.idle", value: String(idle) }]),
  ];
}

/** pids.max, on v1 as on v2. */
export function pidsWrites({ pids }: Resources, { read }: CgroupFiles): LimitWrite[] {
  if (pids === undefined) return [];
  const value = pids.limit === 0 ? "max" : orMax(pids.limit);
  if (value === "max" && read("pids.max") === undefined) return [];
  return [{ field: "pids.limit", file: "pids.max", value }];
}

/**
 * A limit for pages of a size that the kernel does not have is kept without a file. The reservation
 * has a limit of its own since Linux 5.7; without it a process is killed at the page fault instead.
 */
export function hugepageWrites(
  { hugepageLimits = [] }: Resources,
  files: CgroupFiles,
  suffix: "max" | "limit_in_bytes",
  unlimited: string,
): LimitWrite[] {
  if (hugepageLimits.length === 0) return [];
  const { read, pageSizes } = files;
  return hugepageLimits.flatMap(({ pageSize, limit }, index) => {
    if (!pageSizes.includes(pageSize)) return [];
    const write = (file: string): LimitWrite => ({
      field: `hugepageLimits[${index}]`,
      file,
      value: isUnlimited(limit) ? unlimited : String(limit),
      readBack: { kind: "size", page: bytesOfPage(pageSize) },
    });
    const file = `hugetlb.${pageSize}.${suffix}`;
    const reserved = `hugetlb.${pageSize}.rsvd.${suffix}`;
    // Without the controller there is no limit to lift; runtimes send 0 for every size they know.
    if (read(file) === undefined && (limit === 0 || isUnlimited(limit))) return [];
    return read(reserved) === undefined ? [write(file)] : [write(file), write(reserved)];
  });
}

/** Documentation/admin-guide/cgroup-v2.rst, rdma.max; v1 has the same file. */
export function rdmaWrites({ rdma = {} }: Resources): LimitWrite[] {
  return Object.entries(rdma).flatMap(([adapter, { hcaHandles, hcaObjects }]) => {
    const limits = [
      ...(hcaHandles === undefined ? [] : [`hca_handle=${hcaHandles}`]),
      ...(hcaObjects === undefined ? [] : [`hca_object=${hcaObjects}`]),
    ];
    if (limits.length === 0) return [];
    const value = [adapter, ...limits].join(" ");
    return [{ field: `rdma[${JSON.stringify(adapter)}]`, file: "rdma.max", value }];
  });
}
