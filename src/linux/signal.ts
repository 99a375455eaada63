// Signals: sigaction(2), sigprocmask(2).
import { type Call, call } from "./call.ts";
import { SIG_DISPOSITION, SIG_HOW } from "./constants.ts";
import { structOf } from "./struct.ts";

export function resetSignal(signal: number): Call {
  const action = structOf("sigaction", { sa_handler: SIG_DISPOSITION.DFL });
  return call("rt_sigaction", signal, action, null, 8);
}

export function unblockAllSignals(): Call {
  return call("rt_sigprocmask", SIG_HOW.SETMASK, structOf("sigset", { bits: 0 }), null, 8);
}
