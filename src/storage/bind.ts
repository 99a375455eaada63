// What is in the guest already, at one more place.
import type { Driver } from "./driver.ts";
import { planMount } from "./mount-storage.ts";

export const bind: Driver = {
  name: "bind",
  plan: (storage) => planMount({ ...storage, fstype: "bind" }),
};
