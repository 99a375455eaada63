// What a host asks to have mounted in the guest: storage-devices-network.md section 2.1. The fields are
// those of the protocol's message, which can be handed in as it is.

export type Storage = {
  /** Who mounts it: a key of `DRIVERS`. */
  readonly driver: string;
  readonly driverOptions: readonly string[];
  /** Its meaning is the driver's. */
  readonly source: string;
  readonly fstype: string;
  /** As mount(8) takes them after `-o`, one each, and words of the driver's. */
  readonly options: readonly string[];
  /** In the guest. Who names the same place shares the mount. */
  readonly mountPoint: string;
  readonly fsGroup?: FsGroup | undefined;
  /** Stays when the last container that uses it goes. */
  readonly shared: boolean;
};

/** Kubernetes' fsGroup: the group that all files are to be given to. */
export type FsGroup = {
  readonly groupId: number;
  /** 0: always; 1: only if the root has another group, or not the modes. */
  readonly groupChangePolicy: number;
};
