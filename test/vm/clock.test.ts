// The guest's clock, kept by one that the host shows: test/vm/steady-clock stands for KVM's.
import { expect, test } from "bun:test";
import { until } from "../../src/async/until.ts";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { describeWithVm } from "../support/with-vm.ts";

const AHEAD = "/sys/module/steady_clock/parameters/ahead_ns";
/** When the guest was switched on, by its host's clock: 2033. */
const START = 2_000_000_000n;
const SECOND_NS = 1_000_000_000n;
const HALF_PPM = 500_000_000 / 30_000;
/** Four looks of the keeper's. */
const SOON_MS = 120_000;

const options = { ownModules: ["steady-clock"], words: ["agent.ptp_clock=/dev/ptp0"] };

describeWithVm("A guest that keeps its clock", options, (vm) => {
  const year = async () => Number(await vm().sh("date -u +%Y"));

  /** How much faster the clock runs than the processor's own, in millionths. */
  async function pacePpm(): Promise<number> {
    const text = await vm().sh("adjtimex");
    const [tick, freq] = [/ tick: +(\d+)/, / freq.adjust: +(-?\d+)/].map((field) =>
      Number(field.exec(text)?.[1]),
    );
    return ((tick ?? NaN) - 10_000) * 100 + (freq ?? NaN) / 65_536;
  }

  test("sets it before anything else", async () => {
    expect(await year()).toBe(2033);
    await vm().console.until('"msg":"clock set"');
  });

  test("gains what it has lost, without a leap", async () => {
    await vm().sh(`echo ${START * SECOND_NS + SECOND_NS / 2n} >${AHEAD}`);
    expect(await until(async () => (await pacePpm()) > HALF_PPM / 2, SOON_MS)).toBe(true);
    expect(await pacePpm()).toBeWithin(HALF_PPM - 200, HALF_PPM + 200);
    // The next look finds next to nothing lost: an emulated guest is some milliseconds late for it.
    const isSettled = async () => Math.abs(await pacePpm()) < HALF_PPM / 10;
    expect(await until(isSettled, SOON_MS)).toBe(true);
  });

  test("sets it when it is off by more", async () => {
    await vm().client.call(AgentService.method.setGuestDateTime, { Sec: 981_173_106n, Usec: 0n });
    expect(await year()).toBe(2001);
    expect(await until(async () => (await year()) === 2033, SOON_MS)).toBe(true);
    expect(await pacePpm()).toBe(0);
  });

  test("lets it run by itself when there is nothing to keep it by", async () => {
    await vm().sh(`echo ${START * SECOND_NS} >${AHEAD}; rm /dev/ptp0`);
    await vm().console.until("the clock is not kept");
    expect(await pacePpm()).toBe(0);
  });
});
