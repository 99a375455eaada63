// Random sequences of CopyFile beside a model of a file system: both refuse the same, and hold the same.
import { lstatSync, readFileSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { pick, seeded } from "../support/random.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;
const SHARE = "/run/kata-containers/shared/containers";
const [FILE, DIRECTORY, LINK] = [0o100000, 0o040000, 0o120000];
const LONG_MS = 60_000;
const NAMES = ["a", "b", "..data"];
// Not set-gid: a directory hands that on to those that are made in it.
const MODES = [0o600, 0o755, 0o1750, 0];

type Asked = {
  readonly path: string;
  readonly fileMode: number;
  readonly dirMode: number;
  readonly data: string;
  readonly size: number;
  readonly offset: number;
};

type Directory = { readonly mode: number; readonly entries: Map<string, Node> };
type Node = Directory | { readonly mode: number; readonly text: string; readonly isLink: boolean };
type Upload = { readonly size: number; readonly directory: Directory; text: string };

/** Throws where the agent has to refuse. */
class Model {
  readonly root: Directory = { mode: 0o755, entries: new Map() };
  readonly #uploads = new Map<string, Upload>();

  put({ path, fileMode, dirMode, data, size, offset }: Asked): void {
    const names = path.split("/");
    const name = names.pop() ?? "";
    const mode = fileMode & 0o7777;
    const kind = fileMode - mode;
    if (kind === FILE) return this.#putPiece(path, names, name, mode, dirMode, data, size, offset);
    if (kind === LINK && data === "") throw new Error("no text");
    const { entries } = this.#directory(names, dirMode);
    const before = entries.get(name);
    if (kind === LINK) entries.set(name, { mode: 0o777, text: data, isLink: true });
    else if (before !== undefined && "entries" in before)
      entries.set(name, Object.assign(before, { mode }));
    else entries.set(name, { mode, entries: new Map() });
  }

  #putPiece(
    path: string,
    names: readonly string[],
    name: string,
    mode: number,
    dirMode: number,
    data: string,
    size: number,
    offset: number,
  ): void {
    if (size < 0 || offset < 0 || offset + data.length > size) throw new Error("sizes that lie");
    if (offset === 0) {
      this.#uploads.delete(path);
      this.#uploads.set(path, { size, directory: this.#directory(names, dirMode), text: "" });
    }
    const upload = this.#uploads.get(path);
    if (upload === undefined || size !== upload.size || offset > upload.text.length)
      throw new Error("no such piece");
    // What is not complete goes with its directory.
    if (this.#find(names) !== upload.directory) {
      this.#uploads.delete(path);
      throw new Error("the directory is gone");
    }
    const { text } = upload;
    upload.text = text.slice(0, offset) + data + text.slice(offset + data.length);
    if (upload.text.length < size) return;
    this.#uploads.delete(path);
    upload.directory.entries.set(name, { mode, text: upload.text, isLink: false });
  }

  #find(names: readonly string[]): Node | undefined {
    let node: Node | undefined = this.root;
    for (const name of names)
      node = node !== undefined && "entries" in node ? node.entries.get(name) : undefined;
    return node;
  }

  #directory(names: readonly string[], dirMode: number): Directory {
    let directory = this.root;
    for (const name of names) {
      const found: Node = directory.entries.get(name) ?? {
        mode: dirMode & 0o777,
        entries: new Map(),
      };
      if (!("entries" in found)) throw new Error("not a directory");
      directory.entries.set(name, found);
      directory = found;
    }
    return directory;
  }
}

/** All that the model holds, a line each. */
function linesOf(directory: Directory, at = ""): string[] {
  return [...directory.entries].flatMap(([name, node]) => {
    const path = `${at}/${name}`;
    if ("entries" in node) return [`${path} ${node.mode.toString(8)} d`, ...linesOf(node, path)];
    return [`${path} ${node.mode.toString(8)} ${node.isLink ? "l" : "f"} ${node.text}`];
  });
}

/** The same of what is there, but for what is not complete. */
function linesAt(top: string, at = ""): string[] {
  return readdirSync(join(top, at)).flatMap((name) => {
    if (name.startsWith(".kata-")) return [];
    const path = `${at}/${name}`;
    const { mode } = lstatSync(top + path);
    const line = `${path} ${(mode & 0o7777).toString(8)}`;
    if ((mode & 0o170000) === DIRECTORY) return [`${line} d`, ...linesAt(top, path)];
    if ((mode & 0o170000) === LINK) return [`${line} l ${readlinkSync(top + path)}`];
    return [`${line} f ${readFileSync(top + path, "utf8")}`];
  });
}

function randomAsked(random: () => number): Asked {
  const depth = 1 + Math.floor(random() * 3);
  const path = Array.from({ length: depth }, () => pick(random, NAMES)).join("/");
  const data = "x".repeat(Math.floor(random() * 4));
  return {
    path,
    data,
    fileMode: pick(random, [FILE, FILE, FILE, DIRECTORY, LINK]) + pick(random, MODES),
    dirMode: pick(random, MODES),
    size: pick(random, [data.length, data.length, 4, -1]),
    offset: pick(random, [0, 0, 0, 1, 2, 3]),
  };
}

describeWithAgent("CopyFile beside a model", (agent) => {
  test.each([1, 2, 3, 4, 5, 6])(
    "refuses and makes the same, with the seed %i",
    async (seed) => {
      const top = `/proc/${agent().pid}/root${SHARE}`;
      rmSync(top, { recursive: true, force: true });
      const random = seeded(seed);
      const model = new Model();
      for (let i = 0; i < 300; i++) {
        const asked = randomAsked(random);
        const { path, data, size, offset, ...modes } = asked;
        const call = agent().client.call(method.copyFile, {
          ...modes,
          path: `${SHARE}/${path}`,
          data: Buffer.from(data),
          fileSize: BigInt(size),
          offset: BigInt(offset),
        });
        const isDone = await call.then(
          () => true,
          () => false,
        );
        let isExpected = true;
        try {
          model.put(asked);
        } catch {
          isExpected = false;
        }
        expect({ ...asked, isDone }).toEqual({ ...asked, isDone: isExpected });
      }
      expect(linesAt(top).toSorted()).toEqual(linesOf(model.root).toSorted());
    },
    LONG_MS,
  );
});
