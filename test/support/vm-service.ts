// The agent once more in a guest, as a service beside the one that is process 1: it may end, and the guest
// is still there to be looked at.
import { Health } from "../../src/gen/health_pb.ts";
import type { AgentClient } from "./agent-client.ts";
import type { AgentUnderTest } from "./container.ts";
import type { TestVm } from "./vm.ts";

const PORT = 1025;

export class VmService implements AgentUnderTest {
  readonly pid: number;
  readonly client: AgentClient;
  readonly cgroup: string;
  readonly #vm: TestVm;

  private constructor(vm: TestVm, pid: number, client: AgentClient) {
    this.#vm = vm;
    this.pid = pid;
    this.client = client;
    this.cgroup = vm.cgroup;
  }

  /** Resolves when it has answered. */
  static async start(vm: TestVm): Promise<VmService> {
    const agent = `KATA_AGENT_SERVER_ADDR=vsock://-1:${PORT} setsid /usr/bin/kata-agent`;
    const pid = Number(await vm.sh(`${agent} >/run/agent.log 2>&1 & echo $!`));
    const client = await vm.connect(PORT);
    await client.call(Health.method.check, {});
    return new VmService(vm, pid, client);
  }

  freshId(): string {
    return this.#vm.freshId();
  }

  rootfs(): string {
    return this.#vm.rootfs();
  }

  /** Its exit status, once it has ended. */
  async ended(): Promise<number> {
    return Number(await this.#vm.sh(`wait ${this.pid}; echo $?`));
  }
}
