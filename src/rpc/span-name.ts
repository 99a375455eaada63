// What a trace calls an RPC: as Kata's own agent does, process.md section 3.2.

/** Where it is not the RPC's name in lower case. */
const IRREGULAR: Readonly<Record<string, string>> = {
  UpdateEphemeralMounts: "update_mounts",
  GetIPTables: "get_iptables",
  SetIPTables: "set_iptables",
};

/** OnlineCPUMem → online_cpu_mem */
export function spanName(rpc: string): string {
  return (
    IRREGULAR[rpc] ??
    rpc
      .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
      .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
      .toLowerCase()
  );
}
