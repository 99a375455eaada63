import { HealthCheckResponse_ServingStatus } from "../gen/health_pb.ts";
import type { Handler } from "./handler.ts";

/** Answers whatever else goes on: the runtime kills the pod when it does not. */
export const check: Handler<"check"> = () => ({
  status: HealthCheckResponse_ServingStatus.SERVING,
});
