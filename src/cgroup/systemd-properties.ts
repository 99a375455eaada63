// linux.resources as properties of a systemd unit (systemd.resource-control(5); container.md 2.11).
// What systemd knows it must be told: with its next reload it writes anew what it thinks is right. What
// it has no property for is written to the cgroup's files only.
import { idMask } from "../oci/id-list.ts";
import type { Cpu, Memory, Resources } from "../oci/resources.ts";
import { ioWeightOf, swapAlone, weightOfShares } from "./conversion.ts";
import type { Property } from "./dbus-message.ts";
import { given, isUnlimited } from "./limit-write.ts";

/** No limit: CGROUP_LIMIT_MAX, USEC_INFINITY. */
const INFINITY = 0xffff_ffff_ffff_ffffn;
const DEFAULT_PERIOD_US = 100_000;
const SECOND_US = 1_000_000;
/** systemd rounds a quota to whole hundredths of a processor, and down: never below what was asked. */
const QUOTA_STEP_US = 10_000;

/** Throws InvalidSpec for limits that contradict each other, and lists that are none. */
export function unitProperties(resources: Resources, version: 1 | 2): Property[] {
  const { cpu = {}, memory = {}, pids, blockIO } = resources;
  const weight = given(blockIO?.weight);
  const properties: (Property | undefined)[] = [
    ...cpuProperties(cpu, version),
    ...(version === 2 ? memoryPropertiesV2(memory) : [limit("MemoryLimit", memory.limit)]),
    pids && number("TasksMax", pids.limit <= 0 ? INFINITY : BigInt(pids.limit)),
    weight === undefined
      ? undefined
      : version === 2
        ? number("IOWeight", BigInt(ioWeightOf(weight)))
        : number("BlockIOWeight", BigInt(weight)),
  ];
  return properties.filter((property) => property !== undefined);
}

function cpuProperties(cpu: Cpu, version: 1 | 2): (Property | undefined)[] {
  const shares = given(cpu.shares);
  const places =
    version === 2
      ? [mask("AllowedCPUs", "cpus", cpu.cpus), mask("AllowedMemoryNodes", "mems", cpu.mems)]
      : [];
  return [
    shares === undefined
      ? undefined
      : version === 2
        ? number("CPUWeight", BigInt(weightOfShares(shares)))
        : number("CPUShares", BigInt(shares)),
    ...bandwidth(cpu),
    ...places,
  ];
}

function bandwidth({ quota, period }: Cpu): (Property | undefined)[] {
  const periodUs = given(period);
  const quotaUs = given(quota);
  return [
    periodUs === undefined ? undefined : number("CPUQuotaPeriodUSec", BigInt(periodUs)),
    quotaUs === undefined
      ? undefined
      : number("CPUQuotaPerSecUSec", perSecond(quotaUs, periodUs ?? DEFAULT_PERIOD_US)),
  ];
}

function perSecond(quotaUs: number, periodUs: number): bigint {
  if (isUnlimited(quotaUs)) return INFINITY;
  const exact = (quotaUs * SECOND_US) / periodUs;
  return BigInt(Math.ceil(exact / QUOTA_STEP_US) * QUOTA_STEP_US);
}

function memoryPropertiesV2(memory: Memory): (Property | undefined)[] {
  const swap = swapAlone(given(memory.limit), given(memory.swap));
  return [
    limit("MemoryMax", memory.limit),
    limit("MemoryLow", memory.reservation),
    swap === undefined ? undefined : number("MemorySwapMax", bytes(swap)),
  ];
}

function limit(name: string, value: number | undefined): Property | undefined {
  const asked = given(value);
  return asked === undefined ? undefined : number(name, bytes(asked));
}

function bytes(value: number): bigint {
  return isUnlimited(value) ? INFINITY : BigInt(value);
}

function number(name: string, value: bigint): Property {
  return [name, { type: "t", value }];
}

/** A list as `0-3,6` as bits, the lowest first. */
function mask(name: string, field: string, list: string | undefined): Property | undefined {
  if (list === undefined || list === "") return undefined;
  return [name, { type: "ay", value: idMask(`linux.resources.cpu.${field}`, list) }];
}
