import { VERSION } from "../version.ts";
import type { Handler } from "./handler.ts";

/** The version of the API, which has been the same since Kata's first release of it. */
const API_VERSION = "0.0.1";

export const version: Handler<"version"> = () => ({
  agentVersion: VERSION,
  grpcVersion: API_VERSION,
});
