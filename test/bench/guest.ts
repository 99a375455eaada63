// Create, start and exec on cgroup v2, in a guest whose processor QEMU plays: `bun test/bench/guest.ts`.
// Its milliseconds mean nothing, the ratio to runc beside it does.
import { REPOSITORY } from "../support/vm-root.ts";
import { TestVm } from "../support/vm.ts";

const DIRECTORY = "/tmp/bench";

await using vm = await TestVm.boot({ root: "tests" });
await vm.sh(`mount -t tmpfs tmpfs /tmp; mkdir ${DIRECTORY}`);
const measure = `bun test/bench/guest-rows.ts ${DIRECTORY}`;
const command = `PATH=/usr/bin:/usr/sbin bash test/support/namespaces.sh ${measure}`;
console.log(await vm.sh(`cd ${REPOSITORY}; ${command}`));
