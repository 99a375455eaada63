import { API_VERSION, VERSION } from "../version.ts";
import type { Handler } from "./handler.ts";

export const version: Handler<"version"> = () => ({
  agentVersion: VERSION,
  grpcVersion: API_VERSION,
});
