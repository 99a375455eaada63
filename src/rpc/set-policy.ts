import type { Handler } from "./handler.ts";

/** The policy of now has been asked already whether it may be replaced. */
export const setPolicy: Handler<"setPolicy"> = (request, { policy }) => {
  policy.replace(request.policy);
};
