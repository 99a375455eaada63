// What is released, made as it is made for a release, and what image builders do with it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { GLIBC } from "../../src/seal/glibc.ts";
import { complaintsOf, noCycloneDx } from "../support/cyclonedx.ts";
import { POWERED_OFF } from "../support/init-agent.ts";
import { SealedInit } from "../support/sealed-init.ts";
import { librariesIn } from "../support/sealed-libraries.ts";
import { noSystemd, verifyUnits } from "../support/systemd.ts";

const ROOT = join(import.meta.dir, "../..");
const UNITS = ["kata-agent.service", "kata-containers.target"];

const MACHINES = [
  { machine: "x86_64", arch: "x86_64", target: "x64" },
  { machine: "aarch64", arch: "arm64", target: "arm64" },
] as const;
const own = MACHINES.find(({ target }) => target === process.arch);

const missing = [
  process.getuid?.() === 0 && own !== undefined ? [] : ["root on x86_64 or arm64"],
  ...["zstd", "strip"].map((name) => (Bun.which(name) === null ? [`the program ${name}`] : [])),
].flat();
const needs = missing.length === 0 ? "" : ` (needs ${missing.join(", ")})`;

/** Both architectures, and one once more, each packed as small as it gets. */
const LIMIT_MS = 600_000;

const scratch = mkdtempSync(join(tmpdir(), "kata-agent-release-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const released = (name: string) => join(scratch, "first", name);

async function release(...args: readonly string[]): Promise<void> {
  const command = [process.execPath, "build.ts", "--release", ...args];
  const made = Bun.spawn(command, { cwd: ROOT, stdout: "ignore", stderr: "pipe" });
  if ((await made.exited) !== 0) throw new Error(await new Response(made.stderr).text());
}

function run(command: readonly string[], cwd = scratch): string {
  const { success, stdout, stderr } = Bun.spawnSync([...command], { cwd });
  if (!success) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout.toString();
}

function sha256(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

describe.skipIf(missing.length > 0)(`a release${needs}`, () => {
  beforeAll(async () => {
    const again = ["--target", process.arch, join(scratch, "second")];
    await Promise.all([release(join(scratch, "first")), release(...again)]);
  }, LIMIT_MS);

  test("is an executable, a bill and an archive for each architecture, and the sums of them", () => {
    const files = MACHINES.flatMap(({ machine }) => {
      const name = `kata-agent-${machine}`;
      return [`${name} 755`, `${name}.cdx.json 644`, `${name}.tar.zst 644`];
    });
    const mode = (name: string) => (statSync(released(name)).mode & 0o7777).toString(8);
    const there = readdirSync(join(scratch, "first")).map((name) => `${name} ${mode(name)}`);
    expect(there.toSorted()).toEqual([...files, "SHA256SUMS 644"].toSorted());
    const checked = run(["sha256sum", "--check", "--strict", "SHA256SUMS"], join(scratch, "first"));
    expect(checked.trimEnd().split("\n").toSorted()).toEqual(
      files.map((file) => `${file.slice(0, -4)}: OK`).toSorted(),
    );
  });

  test("is the same bytes when it is made again", () => {
    const sums = (directory: string) =>
      readFileSync(join(scratch, directory, "SHA256SUMS"), "utf8")
        .trimEnd()
        .split("\n");
    const again = sums("second");
    expect(again.length).toBe(3);
    expect(sums("first")).toEqual(expect.arrayContaining(again));
  });

  for (const { machine, arch } of MACHINES) {
    const name = `kata-agent-${machine}`;

    test(`packs the agent and its units where Kata's own are: ${machine}`, () => {
      const listing = run(["tar", "--zstd", "-tvf", released(`${name}.tar.zst`), "--utc"]);
      const size = statSync(released(name)).size;
      const sizes = UNITS.map((unit) => statSync(join(ROOT, "docs/systemd", unit)).size);
      const units = UNITS.map((unit, at) => [
        "-rw-r--r--",
        `${sizes[at]}`,
        `usr/lib/systemd/system/${unit}`,
      ]);
      expect(listing.trimEnd().replace(/ +/g, " ").split("\n")).toEqual(
        [["-rwxr-xr-x", `${size}`, "usr/bin/kata-agent"], ...units].map(
          ([mode, bytes, path]) => `${mode} root/root ${bytes} 1980-01-01 00:00 ${path}`,
        ),
      );
      const packed = ["tar", "--zstd", "-xOf", released(`${name}.tar.zst`), "usr/bin/kata-agent"];
      const { stdout } = Bun.spawnSync(packed);
      expect(sha256(stdout)).toBe(sha256(readFileSync(released(name))));
    });

    test(`lists what is in the executable, and nothing else: ${machine}`, () => {
      const executable = readFileSync(released(name));
      const { metadata, components } = billOf(name);
      expect(metadata.component).toMatchObject({
        name: "kata-agent",
        version: manifest.version,
        hashes: [{ alg: "SHA-256", content: sha256(executable) }],
      });
      const names = components.map((each) => [each.group ?? [], each.name].flat().join("/"));
      const bun = `@oven/bun-linux-${machine === "x86_64" ? "x64" : machine}`;
      expect(names).toEqual([...Object.keys(manifest.dependencies), bun, "libc6"]);
      const [loader, ...libraries] = components.at(-1)?.components ?? [];
      expect(loader?.name).toBe(GLIBC[arch].loader);
      const digests = libraries.map((each) => [each.name, each.hashes?.[0]?.content ?? ""]);
      const folded = librariesIn(executable, arch);
      expect(folded.length).toBe(GLIBC[arch].libraries.length);
      expect(digests).toEqual(folded.map((each) => [each.name, sha256(each.bytes)]));
    });

    const lacks = noCycloneDx === undefined ? "" : ` (needs ${noCycloneDx})`;
    test.skipIf(lacks !== "")(
      `has a bill that CycloneDX's schema allows: ${machine}${lacks}`,
      async () => {
        const bill = readFileSync(released(`${name}.cdx.json`), "utf8");
        expect(await complaintsOf(bill)).toBeNull();
        // It does complain where there is reason to.
        expect(await complaintsOf(bill.replace('"library"', '"libary"'))).not.toBeNull();
      },
    );
  }
});

type Component = {
  readonly group?: string;
  readonly name: string;
  readonly version?: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly components?: readonly Component[];
};
type Bill = {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
};

function billOf(name: string): Bill {
  return JSON.parse(readFileSync(released(`${name}.cdx.json`), "utf8"));
}

describe.skipIf(missing.length > 0)(
  `an image that osbuilder makes with the archive${needs}`,
  () => {
    const image = join(scratch, "image");
    const version = () => run([released(`kata-agent-${own?.machine}`), "--version"]);

    /** The steps of rootfs.sh, in its words. */
    beforeAll(() => {
      mkdirSync(image);
      const archive = released(`kata-agent-${own?.machine}.tar.zst`);
      run(["tar", "--zstd", "-xvf", archive, "-C", image]);
      run(["strip", join(image, "usr/bin/kata-agent")]);
      run(["test", "-x", join(image, "usr/bin/kata-agent")]);
    }, LIMIT_MS);

    const lacks = noSystemd === undefined ? "" : ` (needs ${noSystemd})`;
    test.skipIf(lacks !== "")(`has units that systemd finds and understands${lacks}`, () => {
      expect(verifyUnits(image, UNITS)).toBe("");
    });

    test("has the agent that was released", () => {
      expect(run(["chroot", image, "/usr/bin/kata-agent", "--version"])).toBe(version());
    });

    test("serves when that is moved to where the init is", async () => {
      mkdirSync(join(image, "sbin"), { recursive: true });
      run(["mv", "-f", join(image, "usr/bin/kata-agent"), join(image, "sbin/init")]);
      await using agent = new SealedInit(image, ["/sbin/init"]);
      using client = await agent.connect();
      const { agentVersion } = await client.call(Health.method.version, {});
      expect(agentVersion).toBe(manifest.version);
      await client.call(AgentService.method.destroySandbox, {});
      expect(await agent.ended()).toBe(POWERED_OFF);
    });
  },
);
