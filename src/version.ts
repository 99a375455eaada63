// What the agent calls itself. The host shows both, and Kata's own agent has the same name.

/** Put in their places by build.ts: from package.json, and with the commit behind it that git knows. */
declare const KATA_AGENT_VERSION: string | undefined;
declare const KATA_AGENT_COMMIT_VERSION: string | undefined;

export const NAME = "kata-agent";

/** `development` where the agent runs from its sources instead of a build. */
export const VERSION: string =
  typeof KATA_AGENT_VERSION === "string" ? KATA_AGENT_VERSION : "development";

/** `VERSION-COMMIT`, with `-dirty` behind it for a changed tree; the version where there was no git. */
export const COMMIT_VERSION: string =
  typeof KATA_AGENT_COMMIT_VERSION === "string" ? KATA_AGENT_COMMIT_VERSION : VERSION;

/** The version of the API, which has been the same since Kata's first release of it. */
export const API_VERSION = "0.0.1";

/** Of the features that Kata's own agent can be built without, those that are here. */
export const FEATURES: readonly string[] = ["agent-policy", "seccomp"];

/** As Kata prints a list. */
export const FEATURE_LIST = `[${FEATURES.map((name) => `"${name}"`).join(", ")}]`;

/** What `--version` prints: process.md section 1.1. */
export function versionLine(): string {
  const build = `api version: ${API_VERSION}, commit version: ${COMMIT_VERSION}, type: typescript`;
  return `${NAME} version ${VERSION} (${build}, extra-features: ${FEATURE_LIST})\n`;
}
