// What is known of a spec once it has passed the validator.
import type { Process } from "./process.ts";
import type { Linux, Root, Spec } from "./spec.ts";

export type ContainerProcess = Process & { readonly args: readonly [string, ...string[]] };

export type ContainerSpec = Spec & {
  readonly root: Root;
  readonly process: ContainerProcess;
  readonly linux: Linux;
};
