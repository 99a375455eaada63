// Have a mounted file system take all of its disk: ioctls on any of its directories. None of them
// makes a file system smaller as it is called here.
import { type Call, type FdArg, call } from "./call.ts";
import { GROW } from "./requests.ts";

/** `blocks` of the size that statfs(2) tells, in all. */
export function growExt4(directory: FdArg, blocks: bigint): Call {
  const count = new Uint8Array(8);
  new DataView(count.buffer).setBigUint64(0, blocks, true);
  return call("ioctl", directory, GROW.EXT4_IOC_RESIZE_FS, count);
}

/** As much as its first disk has. */
export function growBtrfs(directory: FdArg): Call {
  // struct btrfs_ioctl_vol_args: s64 fd, then a name, which here says how large.
  const how = new Uint8Array(4096);
  how.set(new TextEncoder().encode("max"), 8);
  return call("ioctl", directory, GROW.BTRFS_IOC_RESIZE, how);
}

/** Into `geometry`, 112 bytes: 32-bit words, of which `growXfs` knows two. */
export function xfsGeometry(directory: FdArg, geometry: Uint8Array): Call {
  return call("ioctl", directory, GROW.XFS_IOC_FSGEOMETRY_V1, geometry);
}

/** As many whole blocks as `bytes` holds, in all. */
export function growXfs(directory: FdArg, bytes: bigint, geometry: Uint8Array): Call {
  const view = new DataView(geometry.buffer, geometry.byteOffset, geometry.byteLength);
  const blockSize = view.getUint32(0, true);
  // How much of it may be inodes, in percent: as it is.
  const imaxpct = view.getUint32(28, true);
  // struct xfs_growfs_data: u64 newblocks, u32 imaxpct
  const data = new Uint8Array(16);
  const words = new DataView(data.buffer);
  words.setBigUint64(0, bytes / BigInt(Math.max(blockSize, 1)), true);
  words.setUint32(8, imaxpct, true);
  return call("ioctl", directory, GROW.XFS_IOC_FSGROWFSDATA, data);
}
