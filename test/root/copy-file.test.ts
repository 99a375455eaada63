// CopyFile as the host uses it: rpc.md 6.31 and 11.4. What is there is looked at from outside.
import { spawnSync } from "node:child_process";
import { beforeEach, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { AgentService } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { Code } from "../../src/ttrpc/code.ts";
import { AgentClient } from "../support/agent-client.ts";
import { refusalOf } from "../support/refusal.ts";
import { describeWithAgent } from "../support/with-agent.ts";

const { method } = AgentService;
const SHARE = "/run/kata-containers/shared/containers";
const [FILE, DIRECTORY, LINK] = [0o100000, 0o040000, 0o120000];

describeWithAgent("CopyFile", (agent) => {
  /** As the test sees it. */
  const seen = (path: string) => `/proc/${agent().pid}/root${SHARE}/${path}`;
  const modeOf = (path: string) => lstatSync(seen(path)).mode;
  const ownerOf = (path: string) => {
    const { uid, gid } = lstatSync(seen(path));
    return [uid, gid];
  };
  const contentOf = (path: string) => readFileSync(seen(path), "utf8");

  type Asked = Readonly<Record<string, number | string>> & { readonly data?: string };

  function put(path: string, fileMode: number, { data = "", ...rest }: Asked = {}) {
    const bytes = Buffer.from(data);
    const asked = { fileSize: BigInt(bytes.length), dirMode: 0o755, ...rest };
    const { offset = 0, fileSize } = asked as { offset?: number; fileSize: bigint | number };
    const sizes = { offset: BigInt(offset), fileSize: BigInt(fileSize) };
    const request = { path: `${SHARE}/${path}`, fileMode, data: bytes, ...rest, ...sizes };
    return agent().client.call(method.copyFile, { dirMode: 0o755, ...request });
  }

  const file = (path: string, mode: number, asked?: Asked) => put(path, FILE | mode, asked);
  const directory = (path: string, mode: number, asked?: Asked) =>
    put(path, DIRECTORY | mode, asked);
  const link = (path: string, target: string) => put(path, LINK | 0o777, { data: target });

  beforeEach(() => rmSync(seen(""), { recursive: true, force: true }));

  test("does what Kata's own agent is tested for, in that order", async () => {
    await file("f", 0o644);
    expect([modeOf("f"), contentOf("f")]).toEqual([FILE | 0o644, ""]);
    await file("f", 0o600, { data: "123456" });
    expect([modeOf("f"), contentOf("f")]).toEqual([FILE | 0o600, "123456"]);
    await file("a/b", 0o644, { dirMode: 0o755 });
    expect([modeOf("a"), modeOf("a/b")]).toEqual([DIRECTORY | 0o755, FILE | 0o644]);
    await file("a/c", 0o621, { dirMode: 0o700 });
    expect([modeOf("a"), modeOf("a/c")]).toEqual([DIRECTORY | 0o755, FILE | 0o621]);
    await directory("a/d", 0o755, { dirMode: 0o700 });
    expect(modeOf("a/d")).toBe(DIRECTORY | 0o755);
    await directory("a/b", 0o755);
    expect(modeOf("a/b")).toBe(DIRECTORY | 0o755);
    await file("a/b", 0o644);
    expect(modeOf("a/b")).toBe(FILE | 0o644);
    await directory("a", 0o751);
    expect([modeOf("a"), readdirSync(seen("a")).toSorted()]).toEqual([
      DIRECTORY | 0o751,
      ["b", "c", "d"],
    ]);
    await link("a/link", "/etc/passwd");
    expect(readlinkSync(seen("a/link"))).toBe("/etc/passwd");
    await directory("x/y", 0o3770, { dirMode: 0o3755 });
    expect([modeOf("x"), modeOf("x/y")]).toEqual([DIRECTORY | 0o755, DIRECTORY | 0o3770]);
    await file("x/chunked", 0o644, { data: "hello ", fileSize: 11 });
    expect(existsSync(seen("x/chunked"))).toBe(false);
    await file("x/chunked", 0o644, { data: "world", fileSize: 11, offset: 6 });
    expect(contentOf("x/chunked")).toBe("hello world");
    await refusalOf(file("a/link/file", 0o644));
    await refusalOf(file("a/link/b/file", 0o644));
    expect(readlinkSync(seen("a/link"))).toBe("/etc/passwd");
    await link("a/link", "/etc");
    expect(readlinkSync(seen("a/link"))).toBe("/etc");
    await file("a/link", 0o600);
    expect(modeOf("a/link")).toBe(FILE | 0o600);
    expect((await refusalOf(file("../not-shared", 0o644))).code).toBe(Code.INVALID_ARGUMENT);
    expect(existsSync(seen("../not-shared"))).toBe(false);
    expect(readdirSync(seen("")).toSorted()).toEqual(["a", "f", "x"]);
    expect(readdirSync(seen("x")).toSorted()).toEqual(["chunked", "y"]);
  });

  test("takes names that begin with two dots, and puts a link in the place of one at once", async () => {
    await file("v/..data_1/k", 0o644, { data: "old" });
    await link("v/..data", "..data_1");
    await link("v/k", "..data/k");
    await file("v/..data_2/k", 0o644, { data: "new" });
    const read = ["sh", "-c", 'while :; do cat "$0" || exit 1; done', seen("v/k")];
    const reader = Bun.spawn(read, { stdout: "ignore", stderr: "pipe" });
    for (let i = 0; i < 50; i++) await link("v/..data", i % 2 === 0 ? "..data_2" : "..data_1");
    expect(reader.exitCode).toBe(null);
    reader.kill();
    expect(await new Response(reader.stderr).text()).toBe("");
    expect(contentOf("v/k")).toBe("old");
    // A path through the link ends inside as well.
    await file("v/..data/k2", 0o644, { data: "by the link" });
    expect(contentOf("v/..data_1/k2")).toBe("by the link");
  });

  test("gives owners and modes, set-id bits too; -1 leaves an owner as it is", async () => {
    await directory("d", 0o2750, { uid: 1000, gid: 2000 });
    await file("d/f", 0o6755, { data: "x", uid: 1001, gid: 2001 });
    await put("d/l", LINK, { data: "nowhere", uid: 1002, gid: 2002 });
    expect([modeOf("d"), ownerOf("d")]).toEqual([DIRECTORY | 0o2750, [1000, 2000]]);
    expect([modeOf("d/f"), ownerOf("d/f")]).toEqual([FILE | 0o6755, [1001, 2001]]);
    expect(ownerOf("d/l")).toEqual([1002, 2002]);
    await directory("d", 0o700, { uid: -1, gid: 3000 });
    expect(ownerOf("d")).toEqual([1000, 3000]);
    await file("d/g", 0o600, { uid: -1, gid: -1 });
    expect(ownerOf("d/g")).toEqual([0, 0]);
  });

  test("makes parents for the owner, and leaves alone those that are there", async () => {
    await directory("p", 0o700, { uid: 5, gid: 6 });
    await file("p/q/r/f", 0o644, { dirMode: 0o1750, uid: 7, gid: 8 });
    expect(ownerOf("p")).toEqual([5, 6]);
    for (const made of ["p/q", "p/q/r"])
      expect([modeOf(made), ownerOf(made)]).toEqual([DIRECTORY | 0o750, [7, 8]]);
    expect(ownerOf("")).toEqual([0, 0]);
    await file("p/g", 0o644, { dirMode: 0 });
    expect(modeOf("p")).toBe(DIRECTORY | 0o700);
  });

  test("puts a file and a link in the place of a directory that is not empty", async () => {
    for (const name of ["d/a/b/f", "d/c", "e/f"]) await file(name, 0o644, { data: "x" });
    symlinkSync("/etc", seen("d/a/etc"));
    await file("d", 0o644, { data: "now a file" });
    await link("e", "f");
    expect([contentOf("d"), readlinkSync(seen("e"))]).toEqual(["now a file", "f"]);
    expect(readdirSync(seen("")).toSorted()).toEqual(["d", "e"]);
    expect(existsSync("/etc/passwd")).toBe(true);
  });

  test("leaves what is mounted below a directory as it is", async () => {
    await file("d/m/keep", 0o644, { data: "kept" });
    await directory("s", 0o755);
    const inAgent = (...command: string[]) =>
      spawnSync("nsenter", ["--mount", "--target", `${agent().pid}`, ...command]);
    inAgent("mount", "--bind", `${SHARE}/s`, `${SHARE}/d/m`);
    writeFileSync(seen("s/safe"), "");
    const { message } = await refusalOf(file("d", 0o644));
    expect(message).toContain("something is mounted on m");
    expect(existsSync(seen("s/safe"))).toBe(true);
    const left = readdirSync(seen("")).find((name) => name.startsWith(".kata"));
    inAgent("umount", `${SHARE}/${left}/m`);
  });
});

describeWithAgent("CopyFile, piece by piece", (agent) => {
  const seen = (path: string) => `/proc/${agent().pid}/root${SHARE}/${path}`;
  const names = () => readdirSync(seen("")).toSorted();

  function piece(path: string, data: string | Uint8Array, fileSize: number, offset: number) {
    const sizes = { fileSize: BigInt(fileSize), offset: BigInt(offset) };
    const request = { path: `${SHARE}/${path}`, fileMode: FILE | 0o644, dirMode: 0o755, ...sizes };
    return agent().client.call(method.copyFile, { ...request, data: Buffer.from(data) });
  }

  beforeEach(async () => {
    rmSync(seen(""), { recursive: true, force: true });
    await piece("first", "", 0, 0);
  });

  test("keeps apart files whose pieces come in turn, also of one name but for the ending", async () => {
    const paths = ["foo.txt", "foo.json", "foo", "foo.tmp"];
    await Promise.all(paths.map((path) => piece(path, `${path} 1,`, 2 * path.length + 5, 0)));
    const rest = paths.map((path) =>
      piece(path, `${path} 2`, 2 * path.length + 5, path.length + 3),
    );
    await Promise.all(rest);
    for (const path of paths) expect(readFileSync(seen(path), "utf8")).toBe(`${path} 1,${path} 2`);
    expect(names()).toEqual([...paths, "first"].toSorted());
  });

  test("refuses a piece when the one before it is lost, and takes it after that one", async () => {
    await piece("f", "aaa", 9, 0);
    const refusal = await refusalOf(piece("f", "ccc", 9, 6));
    expect(refusal).toEqual({
      code: Code.INVALID_ARGUMENT,
      message: "f: 3 bytes have come, not yet 6",
    });
    await piece("f", "bbb", 9, 3);
    await piece("f", "bbb", 9, 3);
    await piece("f", "ccc", 9, 6);
    expect(readFileSync(seen("f"), "utf8")).toBe("aaabbbccc");
    expect((await refusalOf(piece("f", "ccc", 9, 6))).message).toContain("has not come");
  });

  test("writes pieces that are sent without waiting in the order in which they come", async () => {
    const pieces = Array.from({ length: 20 }, (_, i) => piece("f", `${i % 10}`, 20, i));
    await Promise.all(pieces);
    expect(readFileSync(seen("f"), "utf8")).toBe("01234567890123456789");
  });

  test("begins anew at 0, and keeps what was there until the last piece", async () => {
    await piece("f", "old", 3, 0);
    await piece("f", "half of something el", 40, 0);
    await piece("f", "ne", 3, 0);
    expect(readFileSync(seen("f"), "utf8")).toBe("old");
    await piece("f", "w", 3, 2);
    expect(readFileSync(seen("f"), "utf8")).toBe("new");
    expect(names()).toEqual(["f", "first"]);
  });

  test.each([
    ["a negative size", -1, 0],
    ["a negative offset", 3, -1],
    ["more than its size", 2, 0],
    ["an offset behind its end", 3, 9],
    ["the largest offset", 3, Number.MAX_SAFE_INTEGER],
    ["a size beyond all numbers", 2 ** 62, 0],
  ])("refuses %s, and writes nothing", async (_, size, offset) => {
    expect((await refusalOf(piece("f", "abc", size, offset))).code).toBe(Code.INVALID_ARGUMENT);
    expect(names()).toEqual(["first"]);
  });

  test("refuses a size that changes on the way", async () => {
    await piece("f", "abc", 9, 0);
    expect((await refusalOf(piece("f", "def", 6, 3))).code).toBe(Code.INVALID_ARGUMENT);
    await piece("f", "defghi", 9, 3);
    expect(readFileSync(seen("f"), "utf8")).toBe("abcdefghi");
  });

  test("does not wait at a FIFO that a container has put in the place of an incomplete file", async () => {
    await piece("v/f", "abc", 6, 0);
    const volume = seen("v");
    const [incomplete = ""] = readdirSync(volume);
    const at = join(volume, incomplete);
    rmSync(at);
    expect(spawnSync("mkfifo", [at]).status).toBe(0);
    const { message } = await refusalOf(piece("v/f", "def", 6, 3));
    expect(message).toBe("open v/f: ENXIO: No such device or address");
    await agent().client.call(Health.method.check, {});
    expect(readdirSync(volume)).toEqual([]);
  });

  test("forgets the oldest of many files that nobody completes, and leaves nothing of it", async () => {
    for (let i = 0; i < 70; i++) await piece(`never-${i}`, "a", 2, 0);
    expect(names().filter((name) => name.startsWith(".kata-"))).toHaveLength(64);
    expect((await refusalOf(piece("never-0", "b", 2, 1))).message).toContain("has not come");
    await piece("never-69", "b", 2, 1);
    expect(readFileSync(seen("never-69"), "utf8")).toBe("ab");
  });

  test("says that the file system is full, and leaves nothing", async () => {
    await piece("small/x", "", 0, 0);
    const inAgent = (...command: string[]) =>
      spawnSync("nsenter", ["--mount", "--target", `${agent().pid}`, ...command]);
    inAgent("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", `${SHARE}/small`);
    const { message } = await refusalOf(piece("small/f", new Uint8Array(1 << 20), 1 << 20, 0));
    expect(message).toBe("write small/f: ENOSPC: No space left on device");
    expect(readdirSync(seen("small"))).toEqual([]);
    inAgent("umount", `${SHARE}/small`);
  });

  test("carries 32 MiB while Health.Check is answered all the time", async () => {
    const chunk = new Uint8Array(1 << 20).fill(7);
    const size = 32 * chunk.length;
    // On a connection of its own: on this one it would wait behind the data.
    using other = await AgentClient.connect(agent().socket);
    const took: number[] = [];
    const over = new AbortController();
    const checks = (async () => {
      while (!over.signal.aborted) {
        const from = performance.now();
        await other.call(Health.method.check, {});
        took.push(performance.now() - from);
      }
    })();
    for (let i = 0; i < 32; i++) await piece("big", chunk, size, i * chunk.length);
    over.abort();
    await checks;
    // The median: the slowest is what the machine was doing otherwise.
    expect(took.toSorted((a, b) => a - b)[took.length >> 1]).toBeLessThan(10);
    expect(lstatSync(seen("big")).size).toBe(size);
  });
});

describeWithAgent("CopyFile refuses", (agent) => {
  const seen = (path: string) => `/proc/${agent().pid}/root${path}`;
  const ask = (path: string, fileMode: number, data = "") =>
    agent().client.call(method.copyFile, {
      path,
      fileMode,
      dirMode: 0o755,
      fileSize: BigInt(data.length),
      data: Buffer.from(data),
    });

  test.each([
    "/run/kata-containers/shared/container",
    "/run/kata-containers/shared/containers",
    "/run/kata-containers/shared/containers/",
    "/run/kata-containers/shared/containersX/f",
    "/etc/passwd",
    "run/kata-containers/shared/containers/f",
    "f",
    "",
    "/",
  ])("what is not below the share: %p", async (path) => {
    const refusal = await refusalOf(ask(path, FILE | 0o644));
    expect(refusal.code).toBe(Code.INTERNAL);
    expect(refusal.message).toStartWith(`removing "${SHARE}/" prefix from `);
  });

  test.each([`${SHARE}/a/../f`, `${SHARE}/..`, `${SHARE}/../containers/f`, `${SHARE}/a\0b`])(
    "a path that climbs, or is none: %p",
    async (path) => {
      expect((await refusalOf(ask(path, FILE))).code).toBe(Code.INVALID_ARGUMENT);
    },
  );

  test.each([0o060644, 0o020666, 0o010644, 0o140755, 0o150000, 0o170000, 0o110000])(
    "the type of the mode %o",
    async (mode) => {
      const refusal = await refusalOf(ask(`${SHARE}/node`, mode));
      expect(refusal.code).toBe(Code.INVALID_ARGUMENT);
      expect(refusal.message).toContain(`the mode 0${mode.toString(8)}`);
    },
  );

  test("links to nothing, to what is no text, and to what is too long", async () => {
    for (const text of ["", "a\0b", "x".repeat(5000)])
      expect((await refusalOf(ask(`${SHARE}/l`, LINK, text))).code).toBe(Code.INVALID_ARGUMENT);
    const data = Buffer.from([0xff, 0xfe]);
    const request = { path: `${SHARE}/l`, fileMode: LINK, data };
    const refusal = await refusalOf(agent().client.call(method.copyFile, request));
    expect(refusal.code).toBe(Code.INVALID_ARGUMENT);
  });

  test("a file below a file, and a name that no file system takes", async () => {
    await ask(`${SHARE}/f`, FILE | 0o644);
    expect((await refusalOf(ask(`${SHARE}/f/g`, FILE))).message).toContain("ENOTDIR");
    expect((await refusalOf(ask(`${SHARE}/${"n".repeat(256)}`, FILE))).message).toContain(
      "ENAMETOOLONG",
    );
    expect((await refusalOf(ask(`${SHARE}${"/d".repeat(125)}`, FILE))).message).toContain(
      "has more than 128 names",
    );
    expect(readdirSync(seen(SHARE))).toEqual(["f"]);
  });

  test("to be led out by links, also while somebody swaps them (CVE-2026-41326)", async () => {
    const outside = join(agent().directory, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "f"), "untouched");
    await ask(`${SHARE}/v/d`, 0o040755);
    const volume = seen(`${SHARE}/v`);
    // What a container could do in a volume of its own: the two change places all the time.
    symlinkSync(outside, `${volume}/l`);
    const swap = `import ctypes
libc = ctypes.CDLL(None)
while True:
    libc.renameat2(-100, b"${volume}/d", -100, b"${volume}/l", 2)`;
    const swapper = Bun.spawn(["python3", "-c", swap], { stdout: "ignore", stderr: "inherit" });
    const asked = [
      () => ask(`${SHARE}/v/d/f`, FILE | 0o600, "stolen"),
      (i: number) => ask(`${SHARE}/v/d/new-${i}/f`, FILE | 0o600, "stolen"),
      () => ask(`${SHARE}/v/d/f`, DIRECTORY | 0o755),
      () => ask(`${SHARE}/v/d/f`, LINK, "/etc/passwd"),
    ];
    const calls = Array.from({ length: 300 }, (_, i) => asked[i % asked.length]?.(i));
    const outcomes = await Promise.allSettled(calls);
    swapper.kill();
    await swapper.exited;
    expect(readdirSync(outside)).toEqual(["f"]);
    expect(readFileSync(join(outside, "f"), "utf8")).toBe("untouched");
    // It goes well as long as the directory has its name.
    expect(outcomes.some(({ status }) => status === "fulfilled")).toBe(true);
  });
});
