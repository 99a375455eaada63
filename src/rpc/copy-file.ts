import { invalidArgument } from "../error.ts";
import type { CopyFileRequest } from "../gen/agent_pb.ts";
import type { SharedFile } from "../guest/shared-files.ts";
import { S } from "../linux/constants.ts";
import { quote } from "../oci/invalid-spec.ts";
import type { Handler } from "./handler.ts";

/** Put a file, or a piece of one, a directory or a link where containers find their volumes. */
export const copyFile: Handler<"copyFile"> = async (request, { sandbox, signal }) => {
  await sandbox.sharedFiles.put(sharedFileOf(request), signal);
};

const PERMISSIONS = 0o7777;

/** Without a type it is a file. */
function sharedFileOf(request: CopyFileRequest): SharedFile {
  const { path, fileMode, dirMode, uid, gid, fileSize, offset, data } = request;
  const all = {
    path,
    mode: fileMode & PERMISSIONS,
    parentMode: dirMode,
    // -1 is a number for chown(2), too.
    uid: uid >>> 0,
    gid: gid >>> 0,
  };
  switch (fileMode & S.IFMT) {
    case S.IFDIR:
      return { kind: "directory", ...all };
    case S.IFLNK:
      return { kind: "link", text: textOf(path, data), ...all };
    case S.IFREG:
    case 0:
      return { kind: "file", size: Number(fileSize), offset: Number(offset), data, ...all };
    default:
      throw invalidArgument(
        `${quote(path)}: nothing of the mode 0${fileMode.toString(8)} is copied`,
      );
  }
}

function textOf(path: string, data: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw invalidArgument(`${quote(path)}: what the link points to is not UTF-8`);
  }
}
