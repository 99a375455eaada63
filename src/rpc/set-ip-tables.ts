import { setIpTables } from "../network/ip-tables.ts";
import type { Handler } from "./handler.ts";

/** Replace tables of the packet filter by those in the data, which is iptables-restore(8)'s. */
export const setIPTables: Handler<"setIPTables"> = async ({ isIpv6, data }, { signal }) => ({
  data: await setIpTables(isIpv6, data, signal),
});
