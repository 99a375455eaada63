// What the host may ask for: rules by the name of the request's message, as Kata's policies have them.
import { internal, permissionDenied } from "../error.ts";
import { type Rules, parseRules } from "./document.ts";

/** With this rule a policy only watches: process.md section 4.1. */
const ALLOW_FAILING = "AllowRequestsFailingPolicy";

/** By which connections the host is to have the streams of a process; 0: by calls. */
type Ports = {
  readonly stdinPort: number;
  readonly stdoutPort: number;
  readonly stderrPort: number;
};

export class Policy {
  #rules: Rules | undefined;
  readonly #onForgiven: (refusal: Error) => void;

  /**
   * `text` undefined: everything is allowed. Throws an AgentError for a text that is not understood.
   * `onForgiven` hears of what the policy refuses and lets pass all the same.
   */
  constructor(text: string | undefined, onForgiven: (refusal: Error) => void) {
    this.#rules = text === undefined ? undefined : parseRules(text);
    this.#onForgiven = onForgiven;
  }

  /** Put another in its place. Throws an AgentError for one that is not understood; then this one stays. */
  replace(text: string): void {
    this.#rules = parseRules(text);
  }

  /**
   * `request`: the name of its message. Throws PERMISSION_DENIED, or INTERNAL where the policy has no such
   * rule. Hosts look for the words: rpc.md section 3.3.
   */
  check(request: string): void {
    const rule = this.#rules === undefined || this.#rules.get(request);
    if (rule === true) return;
    const refusal =
      rule === false
        ? permissionDenied(`${request} is blocked by policy`)
        : internal(`${request}: internal error policy check: the policy has no such rule`);
    if (this.#rules?.get(ALLOW_FAILING) !== true) throw refusal;
    this.#onForgiven(refusal);
  }

  /** What the host reads and writes by connections is what it would by calls. Throws as `check` does. */
  checkStreams({ stdinPort, stdoutPort, stderrPort }: Ports): void {
    if (stdinPort !== 0) this.check("WriteStreamRequest");
    if (stdoutPort !== 0 || stderrPort !== 0) this.check("ReadStreamRequest");
  }
}
