// What the agent does before and after its work where it is PID 1.
import type { Config } from "./config.ts";
import { prepareGuest } from "./guest/init.ts";
import { powerOffGuest } from "./guest/power-off.ts";
import { dying, log } from "./log.ts";

/** With what `service.ts` allows for the rest, less than the 10 s of process.md section 2.10. */
const DISKS_BUDGET_MS = 3_000;

/** What systemd does where the agent is not PID 1. Never throws. */
export function prepare({ unifiedCgroupHierarchy, cgroupNoV1 }: Config): void {
  prepareGuest({
    cgroups: { unified: unifiedCgroupHierarchy, noV1: cgroupNoV1 },
    report: (error) => log.withTag("init").error("not prepared", { error: String(error) }),
  });
}

/** The guest's end. Never throws. */
export function powerOff(): void {
  try {
    powerOffGuest(DISKS_BUDGET_MS, () =>
      dying("data may be lost", new Error(`disks not written out in ${DISKS_BUDGET_MS} ms`)),
    );
  } catch (error) {
    dying("cannot power off", error);
  }
}
