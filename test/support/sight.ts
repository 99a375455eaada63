// What a process sees of itself and of what is around it, as names and values: two processes that were
// made alike have the same.
import { readFileSync, readlinkSync, readdirSync } from "node:fs";
import { type MountinfoEntry, parseMountinfo } from "../../src/linux/mountinfo.ts";

/** What the container is called. */
export const COMPARED = "compared";

export type Sight = ReadonlyMap<string, string>;

/** Of /proc/<pid>/status, what is the same in every run and told of the process, not of its memory. */
const STATUS =
  "Umask Uid Gid Groups SigPnd ShdPnd SigBlk SigIgn SigCgt CapInh CapPrm CapEff CapBnd CapAmb " +
  "NoNewPrivs Seccomp Seccomp_filters Cpus_allowed_list Mems_allowed_list";

const SELF =
  "attr/current coredump_filter gid_map loginuid oom_score_adj personality projid_map " +
  "setgroups timens_offsets timerslack_ns uid_map";

const PLACES =
  "/ /proc /sys /etc /tmp /run /data /other /secret /secret/directory /secret/file /frozen " +
  "/dev/shm /etc/hosts";

const V1_FILES =
  "memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes " +
  "memory/memory.soft_limit_in_bytes memory/memory.swappiness memory/memory.oom_control " +
  "cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us cpuset/cpuset.cpus " +
  "cpuset/cpuset.mems pids/pids.max freezer/freezer.state blkio/blkio.weight";

const V2_FILES =
  "memory.max memory.low memory.swap.max cpu.weight cpu.max cpuset.cpus cpuset.mems pids.max " +
  "io.weight cgroup.freeze cgroup.type cgroup.subtree_control";

/** A line is a name and a value, with a tab between. Runs in BusyBox's shell, with no more than /bin. */
export const LOOK = `
tell() { printf '%s\\t%s\\n' "$1" "$2"; }
flat() { tr '\\n\\0' '  ' | sed 's/ *$//'; }
tr '\\0' '\\n' </proc/$$/environ | sed 's/^/environment\\t/'
for name in ${STATUS}; do tell "status $name" "$(sed -n "s/^$name:.//p" /proc/$$/status)"; done
sed '1d; s/   */\\t/; s/   */ /g; s/^/limit /' /proc/$$/limits
sed 's/^/mountinfo\\t/' /proc/$$/mountinfo
sed 's/^0::/cgroup unified\\t/; s/^[0-9]*:\\([^:]*\\):/cgroup \\1\\t/' /proc/$$/cgroup
tell id "$(id)"
for fd in /proc/$$/fd/*; do
  tell "descriptor \${fd##*/}" "$(readlink $fd) $(sed -n 's/^flags:.*\\(.\\)$/\\1/p' /proc/$$/fdinfo/\${fd##*/})"
done
ps -o pid,ppid,pgid,sid,tty,nice,user,comm | awk -v me=$$ '$1 == 1 || $1 == me { print "process " ($1 == me ? "itself" : "1") "\\t" ($2 ? "a child" : "of nobody") ", group " ($3 == $1) ", session " ($4 == $1) ", terminal " $5 ", nice " $6 ", " $7 " " $8 }'
for ns in /proc/$$/ns/*; do tell "namespace \${ns##*/}" "$(readlink $ns)"; done
for name in ${SELF}; do tell "self $name" "$(flat </proc/$$/$name 2>/dev/null)"; done
tell "self cwd" "$(readlink /proc/$$/cwd)"; tell "self root" "$(readlink /proc/$$/root)"
find /dev | while read -r path; do
  tell "dev $path" "$(stat -c '%F %a %u:%g %t:%T' $path) $(readlink $path)"
done
for path in ${PLACES}; do tell "place $path" "$(stat -c '%F %a %u:%g' $path 2>/dev/null)"; done
tell "name hostname" "$(hostname)"; tell "name domain" "$(cat /proc/sys/kernel/domainname)"
for name in msgmax shm_rmid_forced; do tell "sysctl $name" "$(cat /proc/sys/kernel/$name)"; done
cd /sys/fs/cgroup 2>/dev/null && for name in ${V1_FILES} ${V2_FILES}; do
  tell "cgroup file $name" "$(sort $name 2>/dev/null | flat)"
done
awk '$9 == "_ses.${COMPARED}:" { print "key " $8 " " $9 "\\t" $5 " " $6 " " $7 }' /proc/keys
sed 's/ *\\([rwm]*\\)$/\\t\\1/; s/^/device rule /' devices/devices.list 2>/dev/null
tell terminal "$(tty 2>&1)"
stty -a 2>/dev/null | tr ' ;' '\\n\\n' | sed -n 's/^-\\([a-z]\\{4,\\}\\)$/terminal \\1\\toff/p; s/^\\([a-z]\\{4,\\}\\)$/terminal \\1\\ton/p'
`;

/** Which of the guest's the processes of a container can have. */
const namespaces = new Set(
  readdirSync("/proc/self/ns").map((name) => readlinkSync(`/proc/self/ns/${name}`)),
);

/** The file system in which the guest has its device nodes, as mountinfo names it. */
const devices = mountOf("/dev");

/** Options of file systems that say how the kernel, or the guest, has them; and whose a tmpfs is. */
const OF_THE_MACHINE = /^([ug]id=.*|inode64|nsdelegate|memory_recursiveprot)$/;

function mountOf(path: string): string | undefined {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return lines.findLast((line) => line.split(" ")[4] === path)?.split(" ")[2];
}

/** `rootfs` is where the root of the process is in the guest. */
export function sightIn(text: string, rootfs: string): Sight {
  const sight = new Map<string, string>();
  for (const line of text.replaceAll("\r", "").split("\n")) {
    const [name = "", ...rest] = line.split("\t");
    if (name === "") continue;
    const [key, value] = entry(name, rest.join("\t"), rootfs);
    const times = [...sight.keys()].filter((known) => known.replace(/ #\d$/, "") === key).length;
    sight.set(times > 0 ? `${key} #${times + 1}` : key, value.trim());
  }
  return sight;
}

function entry(name: string, value: string, rootfs: string): readonly [string, string] {
  if (name === "environment") return [`${name} ${value.replace(/=.*/, "")}`, value];
  if (name === "mountinfo") {
    const [mount] = parseMountinfo(value);
    if (mount !== undefined) return [`mount ${mount.mountPoint}`, mountText(mount, value, rootfs)];
  }
  if (name.startsWith("namespace "))
    return [name, namespaces.has(value) ? "the guest's" : "its own"];
  if (name.startsWith("descriptor ")) return [name, value.replace(/:\[\d+\]/, "")];
  return [name, value];
}

function mountText(mount: MountinfoEntry, line: string, rootfs: string): string {
  const { root, options, optionalFields, fstype, source, superOptions } = mount;
  const propagation = optionalFields.map((field) => field.replace(/:\d+/, ""));
  const words = [...options, ...propagation].join(" ");
  if (line.split(" ")[2] === devices) return "the guest's own";
  if (mount.mountPoint === "/" && rootfs.endsWith(root)) return `the root, ${words}`;
  if (fstype === "tmpfs" && root !== "/") return `a node of a tmpfs, ${words}`;
  const named = superOptions.filter((option) => !OF_THE_MACHINE.test(option)).join(" ");
  return `${fstype} ${source} ${root}, ${words}; ${named}`;
}
