// Files of /proc that a mount may cover, to show a container its own share: lxcfs, and runc's list.
const COVERABLE = new Set([
  "cpuinfo",
  "diskstats",
  "loadavg",
  "meminfo",
  "net/dev",
  "slabinfo",
  "stat",
  "swaps",
  "sys/crypto/fips_enabled",
  "sys/kernel/ns_last_pid",
  "uptime",
]);

/** `name` is what follows `/proc/`. */
export function isCoverable(name: string): boolean {
  return COVERABLE.has(name);
}
