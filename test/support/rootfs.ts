// Root file systems for containers: BusyBox under the names that the tests use, a few files of /etc,
// and nothing else, so that each mount point is one that the agent has made.
import { copyFileSync, existsSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Debian's busybox-static; one that is not static would need its libraries beside it. */
export const BUSYBOX = "/bin/busybox";

const PROGRAMS = `
  awk base64 cat chmod chown cmp cut dd df dirname echo env false find grep head hostname id
  ipcs kill ln ls mkdir mkfifo mknod mount nohup od ps pwd readlink rm sed seq setsid sh sleep
  sort stat stty tail tee touch tr true tty wc yes
`;

const PASSWD = "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n";

/** Make the directory `root`, which must not be there, into a root file system. */
export function makeRootfs(root: string, busybox = BUSYBOX): void {
  const store = join(dirname(root), "busybox");
  if (!existsSync(store)) copyFileSync(busybox, store);
  for (const name of ["bin", "etc", "root"]) mkdirSync(join(root, name), { recursive: true });
  linkSync(store, join(root, "bin/busybox"));
  for (const name of PROGRAMS.trim().split(/\s+/)) symlinkSync("busybox", join(root, "bin", name));
  writeFileSync(join(root, "etc/passwd"), PASSWD);
}
