// Under which name a policy finds each RPC: that of its request's message. An RPC without a name here
// does not compile, nor does one with another's. The calls of grpc.Health are not a policy's business.
import type { AgentMethods } from "./handler.ts";

type Unqualified<Name extends string> = Name extends `${string}.${infer Last}` ? Last : Name;

type PolicyNames = {
  readonly [Name in keyof AgentMethods]: Unqualified<AgentMethods[Name]["input"]["typeName"]>;
};

export const policyNames: PolicyNames = {
  createContainer: "CreateContainerRequest",
  startContainer: "StartContainerRequest",
  removeContainer: "RemoveContainerRequest",
  execProcess: "ExecProcessRequest",
  signalProcess: "SignalProcessRequest",
  waitProcess: "WaitProcessRequest",
  updateContainer: "UpdateContainerRequest",
  updateEphemeralMounts: "UpdateEphemeralMountsRequest",
  statsContainer: "StatsContainerRequest",
  pauseContainer: "PauseContainerRequest",
  resumeContainer: "ResumeContainerRequest",
  removeStaleVirtiofsShareMounts: "RemoveStaleVirtiofsShareMountsRequest",
  getDiagnosticData: "GetDiagnosticDataRequest",
  writeStdin: "WriteStreamRequest",
  readStdout: "ReadStreamRequest",
  readStderr: "ReadStreamRequest",
  closeStdin: "CloseStdinRequest",
  ttyWinResize: "TtyWinResizeRequest",
  updateInterface: "UpdateInterfaceRequest",
  updateRoutes: "UpdateRoutesRequest",
  listInterfaces: "ListInterfacesRequest",
  listRoutes: "ListRoutesRequest",
  addARPNeighbors: "AddARPNeighborsRequest",
  getIPTables: "GetIPTablesRequest",
  setIPTables: "SetIPTablesRequest",
  getMetrics: "GetMetricsRequest",
  memAgentMemcgSet: "MemAgentMemcgConfig",
  memAgentCompactSet: "MemAgentCompactConfig",
  createSandbox: "CreateSandboxRequest",
  destroySandbox: "DestroySandboxRequest",
  onlineCPUMem: "OnlineCPUMemRequest",
  reseedRandomDev: "ReseedRandomDevRequest",
  getGuestDetails: "GuestDetailsRequest",
  memHotplugByProbe: "MemHotplugByProbeRequest",
  setGuestDateTime: "SetGuestDateTimeRequest",
  copyFile: "CopyFileRequest",
  getOOMEvent: "GetOOMEventRequest",
  addSwap: "AddSwapRequest",
  addSwapPath: "AddSwapPathRequest",
  getVolumeStats: "VolumeStatsRequest",
  resizeVolume: "ResizeVolumeRequest",
  setPolicy: "SetPolicyRequest",
};
