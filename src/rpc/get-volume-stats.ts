import { VolumeUsage_Unit as Unit } from "../gen/csi_pb.ts";
import { volumeStats } from "../guest/volume-stats.ts";
import type { Handler } from "./handler.ts";

/** How much of a volume is in use, in the terms of the Container Storage Interface. */
export const getVolumeStats: Handler<"getVolumeStats"> = async (request, { signal }) => {
  const { bytes, inodes } = await volumeStats(request.volumeGuestPath, signal);
  return {
    usage: [
      { unit: Unit.BYTES, ...bytes },
      { unit: Unit.INODES, ...inodes },
    ],
    volumeCondition: { abnormal: false, message: "OK" },
  };
};
