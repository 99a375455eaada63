// An image that the guest pulls by itself. It takes the confidential data hub, which the agent does not
// speak to yet.
import { unimplemented } from "../error.ts";
import type { Driver } from "./driver.ts";

export const imageGuestPull: Driver = {
  name: "image_guest_pull",
  plan: ({ source }) => {
    throw unimplemented(`image_guest_pull of ${source}: there is no confidential data hub`);
  },
};
