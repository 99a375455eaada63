// Modules of the kernel that the pod needs, loaded by the guest's own modprobe: rpc.md section 6.2.
import { runProgram } from "../child/program.ts";
import { internal, invalidArgument } from "../error.ts";
import { quote } from "../oci/invalid-spec.ts";

export type KernelModule = { readonly name: string; readonly parameters: readonly string[] };

const MODPROBE = ["/sbin/modprobe", "/usr/sbin/modprobe", "/bin/modprobe", "/usr/bin/modprobe"];
/** A driver may look for its hardware first. */
const LONGEST_MS = 30_000;
/** modprobe(8) says with -v which files it takes, each with what it needs. */
const MOST_OUTPUT = 64 << 10;

/** include/linux/module.h: MODULE_NAME_LEN is 56 at least, with a NUL. A dash in front is an option. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,54}$/;
/** `name` or `name=value`. After white space modprobe would see another one. */
const PARAMETER = /^[A-Za-z0-9_][\x21-\x7e]{0,1023}$/;
const MOST = 64;

/** Throws an AgentError for what modprobe must not be given. */
export function refuseModules(modules: readonly KernelModule[]): void {
  if (modules.length > MOST) throw invalidArgument(`more than ${MOST} kernel modules`);
  for (const { name, parameters } of modules) {
    if (name === "") throw internal("Kernel module name is empty");
    if (!NAME.test(name)) throw invalidArgument(`kernel module ${quote(name)}: invalid name`);
    if (parameters.length > MOST)
      throw invalidArgument(`kernel module ${name}: more than ${MOST} parameters`);
    const wrong = parameters.find((parameter) => !PARAMETER.test(parameter));
    if (wrong !== undefined)
      throw invalidArgument(`kernel module ${name}: invalid parameter ${quote(wrong)}`);
  }
}

/**
 * In their order; what is loaded or built in already stays as it is. Throws an AgentError with modprobe's
 * own words, and what `signal` says. Modules that were loaded before stay: others may use them by now.
 */
export async function loadModules(
  modules: readonly KernelModule[],
  signal: AbortSignal,
  paths: readonly string[] = MODPROBE,
): Promise<void> {
  for (const { name, parameters } of modules) {
    const { status, stdout, stderr } = await runProgram({
      paths,
      args: ["-v", name, ...parameters],
      timeoutMs: LONGEST_MS,
      mostOutput: MOST_OUTPUT,
      signal,
    });
    if (status === 0) continue;
    const words = `stdout:${stdout.trim()} stderr:${stderr.trim()}`;
    throw internal(`kernel module ${name}: load_kernel_module return code: ${status} ${words}`);
  }
}
