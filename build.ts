// Compile the agent into one executable that needs nothing outside itself:
// `bun build.ts [--target=x64|arm64] [DIRECTORY]`. The target is this machine's architecture and
// DIRECTORY is dist unless given; with a target, DIRECTORY is the folder of its name in dist.
import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import manifest from "./package.json" with { type: "json" };
import { GLIBC } from "./src/seal/glibc.ts";
import { seal } from "./src/seal/seal.ts";

const { values, positionals } = parseArgs({
  options: { target: { type: "string" } },
  allowPositionals: true,
});
const target = targetOf(values.target ?? process.arch);
const [directory = join(import.meta.dir, "dist", values.target ?? "")] = positionals;
const outfile = join(directory, "kata-agent");

await mkdir(directory, { recursive: true });
// An executable that is there stays whole until the new one is, also while it runs.
const scratch = await mkdtemp(join(directory, ".build-"));
try {
  // This name becomes part of the executable.
  const compiled = join(scratch, "kata-agent");
  const { bun, root } = target === process.arch ? { bun: process.execPath, root: "/" } : fetched();
  await compile(compiled, bun);
  await Bun.write(`${compiled}-sealed`, await sealed(compiled, root));
  await chmod(`${compiled}-sealed`, 0o755);
  await rename(`${compiled}-sealed`, outfile);
} finally {
  await rm(scratch, { recursive: true });
}
const megabytes = Bun.file(outfile).size / 1e6;
console.log(`${relative(".", outfile)}: version ${manifest.version}, ${megabytes.toFixed(1)} MB`);

/** A word that is npm's for an architecture, and Bun's. */
function targetOf(word: string): "x64" | "arm64" {
  if (word === "x64" || word === "arm64") return word;
  throw new Error(`target ${word}: want x64 or arm64`);
}

async function compile(to: string, executablePath: string): Promise<void> {
  await Bun.build({
    entrypoints: [join(import.meta.dir, "src/main.ts")],
    compile: {
      target: `bun-linux-${target}`,
      executablePath,
      outfile: to,
      // No text that reaches the agent can ever become code.
      execArgv: ["--disallow-code-generation-from-strings=strict"],
      // What lies in the directory that the agent is started from is none of its business.
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
    format: "esm",
    bytecode: true,
    minify: true,
    // A stack trace in the log of a guest then names files and lines of src.
    sourcemap: "linked",
    define: { KATA_AGENT_VERSION: JSON.stringify(manifest.version) },
  });
}

/** The executable with glibc folded in, which is Debian's libc6 below `root`. */
async function sealed(executable: string, root: string): Promise<Uint8Array> {
  const arch = target === "x64" ? "x86_64" : "arm64";
  const { folder, loader, libraries } = GLIBC[arch];
  const bytes = (name: string) => Bun.file(join(root, folder, name)).bytes();
  return seal(await Bun.file(executable).bytes(), {
    arch,
    loader: await bytes(loader),
    libraries: await Promise.all(
      libraries.map(async (name) => ({ name, bytes: await bytes(name) })),
    ),
  });
}

/** For another architecture: Bun and glibc, got once and kept beside what is built from them. */
function fetched() {
  const inputs = join(import.meta.dir, "dist", `${target}-inputs`);
  const script = join(import.meta.dir, "src/seal/fetch.sh");
  const { success } = Bun.spawnSync(["bash", script, target, inputs], {
    stdout: "inherit",
    stderr: "inherit",
  });
  if (!success) throw new Error(`${script} ${target}`);
  return { bun: join(inputs, "bun"), root: inputs };
}
