import { growVolume } from "../guest/volume-growth.ts";
import type { Handler } from "./handler.ts";

/** Have a volume take all of its disk, which the host has made larger. */
export const resizeVolume: Handler<"resizeVolume"> = async (request, { signal }) => {
  await growVolume(request.volumeGuestPath, request.size, signal);
};
