import { getIpTables } from "../network/ip-tables.ts";
import type { Handler } from "./handler.ts";

/** The packet filter's tables, as iptables-save(8) prints them. */
export const getIPTables: Handler<"getIPTables"> = async ({ isIpv6 }, { signal }) => ({
  data: await getIpTables(isIpv6, signal),
});
