/** Something in a directory, as lstat(2) and readlink(2) say, with all that is below it. */
export type TreeEntry = {
  readonly name: string;
  /** Permissions, with the set-id bits and the sticky bit. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
} & (
  | { readonly kind: "directory"; readonly entries: readonly TreeEntry[] }
  | { readonly kind: "file"; readonly size: number }
  | { readonly kind: "link"; readonly target: string }
);
