// A document of the Container Device Interface (cncf-tags/container-device-interface, SPEC.md): what a
// container that gets a device has to have.

export type CdiSpec = {
  readonly cdiVersion: string;
  /** `vendor.com/class` */
  readonly kind: string;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly devices: readonly CdiDevice[];
  /** For each container that gets one of the devices. */
  readonly containerEdits?: CdiEdits | undefined;
};

export type CdiDevice = {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly containerEdits: CdiEdits;
};

export type CdiEdits = {
  readonly env?: readonly string[] | undefined;
  readonly deviceNodes?: readonly CdiDeviceNode[] | undefined;
  readonly netDevices?: readonly CdiNetDevice[] | undefined;
  readonly mounts?: readonly CdiMount[] | undefined;
  readonly hooks?: readonly CdiHook[] | undefined;
  readonly intelRdt?: CdiIntelRdt | undefined;
  readonly additionalGids?: readonly number[] | undefined;
};

export type CdiDeviceNode = {
  readonly path: string;
  /** In the guest, if not at `path` as well. */
  readonly hostPath?: string | undefined;
  readonly type?: string | undefined;
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
  readonly fileMode?: number | undefined;
  /** Letters of `rwm`, or `none`. */
  readonly permissions?: string | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
};

export type CdiNetDevice = { readonly hostInterfaceName: string; readonly name: string };

export type CdiMount = {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly type?: string | undefined;
  readonly options?: readonly string[] | undefined;
};

export type CdiHook = {
  readonly hookName: string;
  readonly path: string;
  readonly args?: readonly string[] | undefined;
  readonly env?: readonly string[] | undefined;
  readonly timeout?: number | undefined;
};

export type CdiIntelRdt = {
  readonly closID?: string | undefined;
  readonly l3CacheSchema?: string | undefined;
  readonly memBwSchema?: string | undefined;
  readonly schemata?: readonly string[] | undefined;
  readonly enableCMT?: boolean | undefined;
  readonly enableMBM?: boolean | undefined;
  readonly enableMonitoring?: boolean | undefined;
};
