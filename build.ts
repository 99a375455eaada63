// Compile the agent into one executable that needs nothing outside itself:
// `bun build.ts [--target=x64|arm64] [DIRECTORY]`. The target is this machine's architecture and
// DIRECTORY is dist unless given; with a target, DIRECTORY is the folder of its name in dist.
// With --release: all that is released, for both architectures or for the one of the target.
import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import lock from "./package-lock.json" with { type: "json" };
import manifest from "./package.json" with { type: "json" };
import type { NpmPackage } from "./src/release/bill-of-materials.ts";
import { type ReleaseFile, digestOf, releaseFiles, sumsOf } from "./src/release/release.ts";
import { GLIBC } from "./src/seal/glibc.ts";
import { seal } from "./src/seal/seal.ts";

type Target = "x64" | "arm64";

/** npm's words for an architecture, and Bun's. */
const TARGETS: readonly Target[] = ["x64", "arm64"];
const ARCH = { x64: "x86_64", arm64: "arm64" } as const;
const BUN = { x64: "@oven/bun-linux-x64", arm64: "@oven/bun-linux-aarch64" } as const;

const { values, positionals } = parseArgs({
  options: { target: { type: "string" }, release: { type: "boolean", default: false } },
  allowPositionals: true,
});
const folder = values.release ? "" : (values.target ?? "");
const [directory = join(import.meta.dir, "dist", folder)] = positionals;
const commit = gitCommit();
const commitVersion = [manifest.version, ...(commit === undefined ? [] : [commit])].join("-");

await mkdir(directory, { recursive: true });
// An executable that is there stays whole until the new one is, also while it runs.
const scratch = await mkdtemp(join(directory, ".build-"));
try {
  for (const file of values.release ? await release() : [await executable()]) await place(file);
} finally {
  await rm(scratch, { recursive: true });
}

async function executable(): Promise<ReleaseFile> {
  const { agent } = await build(targetOf(values.target ?? process.arch));
  return { name: "kata-agent", permissions: 0o755, bytes: agent };
}

async function release(): Promise<readonly ReleaseFile[]> {
  const names = [...new Bun.Glob("*").scanSync(join(import.meta.dir, "docs/systemd"))].toSorted();
  const units = await Promise.all(
    names.map(async (name) => ({
      name,
      bytes: await Bun.file(join(import.meta.dir, "docs/systemd", name)).bytes(),
    })),
  );
  const targets = values.target === undefined ? TARGETS : [targetOf(values.target)];
  const made: Promise<readonly ReleaseFile[]>[] = [];
  for (const target of targets) {
    const { agent, contents } = await build(target);
    made.push(releaseFiles(agent, contents, units));
  }
  const files = (await Promise.all(made)).flat();
  return [...files, sumsOf(files)];
}

async function place({ name, permissions, bytes }: ReleaseFile): Promise<void> {
  const to = join(directory, name);
  await Bun.write(join(scratch, name), bytes);
  await chmod(join(scratch, name), permissions);
  await rename(join(scratch, name), to);
  console.log(
    `${relative(".", to)}: ${Math.ceil(bytes.length / 1000)} kB, version ${commitVersion}`,
  );
}

function targetOf(word: string): Target {
  const target = TARGETS.find((each) => each === word);
  if (target === undefined) throw new Error(`target ${word}: want ${TARGETS.join(" or ")}`);
  return target;
}

/** The executable with glibc folded in, and what else is in it. */
async function build(target: Target) {
  const { bun, root, libc6 } = target === process.arch ? installed() : fetched(target);
  // This name becomes part of the executable.
  const compiled = join(scratch, "kata-agent");
  const packages = await compile(compiled, target, bun);
  const arch = ARCH[target];
  const { loader, libraries, ...glibc } = GLIBC[arch];
  const read = async (name: string) => ({
    name,
    bytes: await Bun.file(join(root, glibc.folder, name)).bytes(),
  });
  const given = {
    arch,
    loader: (await read(loader)).bytes,
    libraries: await Promise.all(libraries.map(read)),
  };
  const files = [{ name: loader, bytes: given.loader }, ...given.libraries];
  return {
    agent: seal(await Bun.file(compiled).bytes(), given),
    contents: {
      arch,
      version: manifest.version,
      commit,
      packages,
      bun: {
        package: locked(BUN[target]),
        sha256: digestOf("bun", await Bun.file(bun).bytes()).sha256,
        parts: process.versions,
      },
      glibc: { version: libc6, files: files.map(({ name, bytes }) => digestOf(name, bytes)) },
    },
  };
}

/** Gives the packages of which a file became part of the program. */
async function compile(to: string, target: Target, bun: string): Promise<readonly NpmPackage[]> {
  const { metafile } = await Bun.build({
    entrypoints: [join(import.meta.dir, "src/main.ts")],
    compile: {
      target: `bun-linux-${target}`,
      executablePath: bun,
      outfile: to,
      // No text that reaches the agent can ever become code.
      execArgv: ["--disallow-code-generation-from-strings=strict"],
      // What lies in the directory that the agent is started from is none of its business.
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
    format: "esm",
    bytecode: true,
    // What is imported later is loaded later, with its bytecode: a runtime is waiting for the agent to listen.
    splitting: true,
    minify: true,
    // A stack trace in the log of a guest then names files and lines of src.
    sourcemap: "linked",
    metafile: true,
    define: {
      KATA_AGENT_VERSION: JSON.stringify(manifest.version),
      KATA_AGENT_COMMIT_VERSION: JSON.stringify(commitVersion),
    },
  });
  if (metafile === undefined) throw new Error("Bun does not say what it has compiled");
  const names = Object.keys(metafile.inputs).flatMap(
    (path) =>
      /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(path)?.[1] ?? [],
  );
  return [...new Set(names)].toSorted().map(locked);
}

type Locked = Readonly<Partial<Record<"version" | "license" | "integrity", string>>>;

function locked(name: string): NpmPackage {
  const packages: Readonly<Record<string, Locked>> = lock.packages;
  const { version, license, integrity } = packages[`node_modules/${name}`] ?? {};
  if (version === undefined || license === undefined || integrity === undefined) {
    throw new Error(`package-lock.json: ${name}: want a version, a licence and a digest`);
  }
  return { name, version, license, integrity };
}

/** Bun and Debian's libc6, for this machine's architecture. */
function installed() {
  const format = ["--show", "--showformat", "${Version}"];
  return { bun: process.execPath, root: "/", libc6: run("dpkg-query", ...format, "libc6") };
}

/** For another architecture they are got once, and kept beside what is built from them. */
function fetched(target: Target) {
  const inputs = join(import.meta.dir, "dist", `${target}-inputs`);
  run("bash", join(import.meta.dir, "src/seal/fetch.sh"), target, inputs);
  const libc6 = run("cat", join(inputs, "libc6.version"));
  return { bun: join(inputs, "bun"), root: inputs, libc6 };
}

/** Of the tree that this file is in, with "-dirty" behind it where what git keeps was changed. */
function gitCommit(): string | undefined {
  const git = ["git", "--no-optional-locks", "-C", import.meta.dir];
  if (Bun.which("git") === null) return undefined;
  const { success, stdout } = Bun.spawnSync([...git, "rev-parse", "--show-prefix", "HEAD"]);
  // A tree without one of its own may lie inside of somebody else's.
  const [prefix, head] = stdout.toString().split("\n");
  if (!success || prefix !== "" || head === undefined) return undefined;
  const changed = run(...git, "status", "--porcelain", "--untracked-files=no");
  return changed === "" ? head : `${head}-dirty`;
}

/** What it prints, without the end of the line. */
function run(...command: readonly string[]): string {
  const { success, stdout } = Bun.spawnSync([...command], { stderr: "inherit" });
  if (!success) throw new Error(command.join(" "));
  return stdout.toString().trimEnd();
}
