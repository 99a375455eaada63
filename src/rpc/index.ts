// All RPCs. A method of the protocol that is missing here does not compile.
import type { AgentMethods, Handler, HealthMethods } from "./handler.ts";
import { addARPNeighbors } from "./add-arp-neighbors.ts";
import { addSwap } from "./add-swap.ts";
import { addSwapPath } from "./add-swap-path.ts";
import { check } from "./check.ts";
import { closeStdin } from "./close-stdin.ts";
import { copyFile } from "./copy-file.ts";
import { createContainer } from "./create-container.ts";
import { createSandbox } from "./create-sandbox.ts";
import { destroySandbox } from "./destroy-sandbox.ts";
import { execProcess } from "./exec-process.ts";
import { getDiagnosticData } from "./get-diagnostic-data.ts";
import { getGuestDetails } from "./get-guest-details.ts";
import { getMetrics } from "./get-metrics.ts";
import { getIPTables } from "./get-ip-tables.ts";
import { getOOMEvent } from "./get-oom-event.ts";
import { getVolumeStats } from "./get-volume-stats.ts";
import { memAgentCompactSet } from "./mem-agent-compact-set.ts";
import { memAgentMemcgSet } from "./mem-agent-memcg-set.ts";
import { memHotplugByProbe } from "./mem-hotplug-by-probe.ts";
import { onlineCPUMem } from "./online-cpu-mem.ts";
import { listInterfaces } from "./list-interfaces.ts";
import { listRoutes } from "./list-routes.ts";
import { pauseContainer } from "./pause-container.ts";
import { readStderr } from "./read-stderr.ts";
import { readStdout } from "./read-stdout.ts";
import { removeContainer } from "./remove-container.ts";
import { removeStaleVirtiofsShareMounts } from "./remove-stale-virtiofs-share-mounts.ts";
import { reseedRandomDev } from "./reseed-random-dev.ts";
import { resizeVolume } from "./resize-volume.ts";
import { resumeContainer } from "./resume-container.ts";
import { setGuestDateTime } from "./set-guest-date-time.ts";
import { setPolicy } from "./set-policy.ts";
import { setIPTables } from "./set-ip-tables.ts";
import { signalProcess } from "./signal-process.ts";
import { startContainer } from "./start-container.ts";
import { statsContainer } from "./stats-container.ts";
import { ttyWinResize } from "./tty-win-resize.ts";
import { updateContainer } from "./update-container.ts";
import { updateEphemeralMounts } from "./update-ephemeral-mounts.ts";
import { updateInterface } from "./update-interface.ts";
import { updateRoutes } from "./update-routes.ts";
import { version } from "./version.ts";
import { waitProcess } from "./wait-process.ts";
import { writeStdin } from "./write-stdin.ts";

type Handlers<Methods> = {
  readonly [Name in keyof Methods]: Name extends keyof AgentMethods | keyof HealthMethods
    ? Handler<Name>
    : never;
};

export const agentHandlers: Handlers<AgentMethods> = {
  createContainer: createContainer,
  startContainer: startContainer,
  removeContainer: removeContainer,
  execProcess: execProcess,
  signalProcess: signalProcess,
  waitProcess: waitProcess,
  updateContainer: updateContainer,
  updateEphemeralMounts: updateEphemeralMounts,
  statsContainer: statsContainer,
  pauseContainer: pauseContainer,
  resumeContainer: resumeContainer,
  removeStaleVirtiofsShareMounts: removeStaleVirtiofsShareMounts,
  getDiagnosticData: getDiagnosticData,
  writeStdin: writeStdin,
  readStdout: readStdout,
  readStderr: readStderr,
  closeStdin: closeStdin,
  ttyWinResize: ttyWinResize,
  getMetrics: getMetrics,
  updateInterface: updateInterface,
  updateRoutes: updateRoutes,
  listInterfaces: listInterfaces,
  listRoutes: listRoutes,
  addARPNeighbors: addARPNeighbors,
  getIPTables: getIPTables,
  setIPTables: setIPTables,
  memAgentMemcgSet: memAgentMemcgSet,
  memAgentCompactSet: memAgentCompactSet,
  createSandbox: createSandbox,
  destroySandbox: destroySandbox,
  onlineCPUMem: onlineCPUMem,
  reseedRandomDev: reseedRandomDev,
  getGuestDetails: getGuestDetails,
  memHotplugByProbe: memHotplugByProbe,
  setGuestDateTime: setGuestDateTime,
  copyFile: copyFile,
  getOOMEvent: getOOMEvent,
  addSwap: addSwap,
  addSwapPath: addSwapPath,
  getVolumeStats: getVolumeStats,
  resizeVolume: resizeVolume,
  setPolicy: setPolicy,
};

export const healthHandlers: Handlers<HealthMethods> = { check, version };
