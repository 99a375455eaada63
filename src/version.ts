// What the agent calls itself. The host shows both, and Kata's own agent has the same name.

/** Put in its place by build.ts, from package.json. */
declare const KATA_AGENT_VERSION: string | undefined;

export const NAME = "kata-agent";

/** `development` where the agent runs from its sources instead of a build. */
export const VERSION: string =
  typeof KATA_AGENT_VERSION === "string" ? KATA_AGENT_VERSION : "development";
