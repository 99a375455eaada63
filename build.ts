// Compile the agent into one executable for this machine's architecture: `bun build.ts [DIRECTORY]`,
// DIRECTORY being dist unless given.
import { rm } from "node:fs/promises";
import { join, relative } from "node:path";
import manifest from "./package.json" with { type: "json" };

const [directory = join(import.meta.dir, "dist")] = process.argv.slice(2);
const outfile = join(directory, "kata-agent");

await Bun.build({
  entrypoints: [join(import.meta.dir, "src/main.ts")],
  compile: {
    outfile,
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
// The executable has it inside.
await rm(`${outfile}.map`);

const megabytes = Bun.file(outfile).size / 1e6;
console.log(`${relative(".", outfile)}: version ${manifest.version}, ${megabytes.toFixed(1)} MB`);
