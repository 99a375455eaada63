// From the power switch to a guest that serves, or that says why it cannot.
import { expect, test } from "bun:test";
import { configurationMarkdown, readConfig } from "../../src/config.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { TestVm } from "../support/vm.ts";
import { Machine } from "../support/vm-machine.ts";
import { file } from "../support/cpio.ts";
import type { Transcript } from "../support/transcript.ts";
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
  const names = [...new Set(configurationMarkdown().match(/(?<=`)agent\.\w+(?=`)/g))];
  const environment = { KATA_AGENT_LOG_LEVEL: "loud", KATA_AGENT_TRACING: "perhaps" };
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);

  const files = [
    file("empty", Buffer.of()),
    file("no-toml", Buffer.from("debug_console = \n")),
    file("no-text", Buffer.of(0x61, 0xff)),
  ];

  /** A value for every option that there is, and none of most of them; a file, and what it is called. */
  const NONSENSE = [
    { value: "%", configFile: "/", complaint: /^read \/: not a file$/ },
    { value: "-1", configFile: "/absent", complaint: /^read \/absent: ENOENT/ },
    { value: "9007199254740993", configFile: "/no-toml", complaint: /^read \/no-toml: TOML/ },
    { value: "0x", configFile: "/no-text", complaint: /^read \/no-text: / },
  ] as const;

  for (const { value, configFile, complaint } of NONSENSE) {
    test(`warns of each word, and serves all the same: ${value}, ${configFile}`, async () => {
      const commandLine = names
        .filter((name) => name !== "agent.config_file")
        .map((name) => `${name}=${value}`)
        .concat(`agent.config_file=${configFile}`, "agent.unheard_of=1", "agent.log", "agent.=");
      const { warnings } = readConfig({ commandLine: commandLine.join(" "), environment });
      expect(warnings.length).toBeGreaterThan(commandLine.length / 2);
      await using vm = await TestVm.boot({ words: [...commandLine, ...variables], files });
      await vm.client.call(Health.method.check, {});
      const heard = warned(vm.console);
      expect(heard).toEqual(expect.arrayContaining([...warnings]));
      expect(heard).toContainEqual(expect.stringMatching(complaint));
    });
  }

  test("heeds a file that says nothing, and passes over the words beside it", async () => {
    const words = ["agent.config_file=/empty", "agent.log_vport=1", ...variables];
    await using vm = await TestVm.boot({ words, files });
    await vm.client.call(Health.method.check, {});
    const passedOver = "is passed over: what counts is /empty";
    expect(warned(vm.console)).toContain(`agent.log_vport ${passedOver}`);
  });

  test("is not stopped by what would be orders to a program that somebody starts", async () => {
    const orders = ["--version", "-v", "--help", "-h", "help", "explain", "-c", "--config", "init"];
    const words = ["agent.server_addr=unix:///run/agent.sock", ...orders];
    await using machine = await Machine.start({ root: "agent", words });
    await machine.shows('"msg":"ttRPC server started"');
    const ignored = machine.console.text.matchAll(/"argument ignored".*"argument":"(.*?)"/g);
    expect([...ignored].map(([, word]) => word)).toEqual(expect.arrayContaining(["--version"]));
  });
});

describeGuests("A guest that has next to nothing", () => {
  test("serves without /dev and without a descriptor, and finds the console", async () => {
    await using vm = await TestVm.boot({ words: ["BARE=1"] });
    await vm.console.until('"msg":"ttRPC server started"');
  });

  test("serves where /dev is absent and cannot be made, and says so", async () => {
    const words = ["BARE=1"];
    await using machine = await Machine.start({ root: "disk", without: ["dev"], words });
    // It listens before it says anything.
    await machine.dial(1024);
    await machine.shows('"msg":"ttRPC server started"');
    expect(failed(machine.console)).toContainEqual(
      expect.stringContaining("make directory /dev: EROFS"),
    );
  });

  test("is switched off, and says why, where /proc is absent and cannot be made", async () => {
    const words = ["BARE=1"];
    await using machine = await Machine.start({ root: "disk", without: ["dev", "proc"], words });
    expect(await machine.exited).toBe(0);
    expect(machine.console.text).toContain("kata-agent: /proc is not mounted");
    expect(machine.console.text).toContain("reboot: Power down");
    expect(machine.console.text).not.toContain("Kernel panic");
  });
});

/** The messages of the warnings on a console. */
function warned({ text }: Transcript): unknown[] {
  const lines = text.matchAll(/^\{"msg":("(?:[^"\\]|\\.)*"),"level":"WARN"/gm);
  return [...lines].map(([, message = ""]): unknown => JSON.parse(message));
}

/** The reasons of the errors on a console. */
function failed({ text }: Transcript): string[] {
  return [...text.matchAll(/"level":"ERRO".*"error":"(.*?)"/g)].map(([, reason = ""]) => reason);
}
