// From the power switch to a guest that serves, or that says why it cannot.
import { expect, test } from "bun:test";
import { configurationMarkdown, readConfig } from "../../src/config.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { TestVm } from "../support/vm.ts";
import { Machine } from "../support/vm-machine.ts";
import { describeGuests } from "../support/with-vm.ts";

/** What would change Bun's own behaviour, or the loader's, were it heard. */
const HOSTILE = [
  "BUN_BE_BUN=1",
  "BUN_OPTIONS=--version",
  "BUN_JSC_useJIT=0",
  "LD_PRELOAD=/nowhere.so",
  "LD_LIBRARY_PATH=/nowhere",
  "GLIBC_TUNABLES=glibc.malloc.check=3",
  "MALLOC_ARENA_MAX=0",
];

describeGuests("A guest whose root file system is the agent and nothing else", () => {
  test("serves, and has a console of its own for whoever debugs it", async () => {
    const words = ["agent.server_addr=unix:///run/agent.sock", "agent.debug_console", ...HOSTILE];
    await using machine = await Machine.start({ root: "agent", words });
    await machine.shows('"msg":"ttRPC server started"');
    await machine.shows("kata-agent> ");
    machine.type("mounts\n");
    await machine.shows(" /sys/fs/cgroup");
    expect(machine.console.text).not.toContain("Kernel panic");
  });

  test("says that it has no vsock, and powers itself off", async () => {
    await using machine = await Machine.start({ root: "agent", words: HOSTILE });
    expect(await machine.exited).toBe(0);
    expect(machine.console.text).toContain("open a socket for vsock://-1:1024: EAFNOSUPPORT");
    expect(machine.console.text).toContain("reboot: Power down");
    expect(machine.console.text).not.toContain("Kernel panic");
  });
});

describeGuests("A guest that is told nonsense", () => {
  /** Every option that there is, with a value that is none for most of them. */
  const commandLine = [...new Set(configurationMarkdown().match(/(?<=`)agent\.\w+(?=`)/g))]
    .filter((name) => name !== "agent.config_file")
    .map((name) => `${name}=%`)
    .concat("agent.config_file=/", "agent.unheard_of=1", "agent.log", "agent.", "agent.=");
  const environment = { KATA_AGENT_LOG_LEVEL: "loud", KATA_AGENT_TRACING: "perhaps" };
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);

  test("warns of each word, and serves all the same", async () => {
    const { warnings } = readConfig({ commandLine: commandLine.join(" "), environment });
    expect(warnings.length).toBeGreaterThan(commandLine.length / 2);
    const words = [...commandLine, ...variables, ...HOSTILE];
    await using vm = await TestVm.boot({ words });
    await vm.client.call(Health.method.check, {});
    const warned = vm.console.text.matchAll(/^\{"msg":("(?:[^"\\]|\\.)*"),"level":"WARN"/gm);
    const heard = [...warned].map(([, text = ""]): unknown => JSON.parse(text));
    expect(heard).toEqual(expect.arrayContaining([...warnings]));
    expect(heard).toContainEqual("read /: not a file");
  });
});
