// /proc/<pid>/mountinfo, proc_pid_mountinfo(5).

export type MountinfoEntry = {
  /** `major:minor` of the file system. */
  readonly device: string;
  /** What of the file system is mounted: `/`, or a directory of it. */
  readonly root: string;
  readonly mountPoint: string;
  /** Of this mount: `rw`, `nosuid`, … */
  readonly options: readonly string[];
  /** `shared:7`, `master:3`, … */
  readonly optionalFields: readonly string[];
  readonly fstype: string;
  readonly source: string;
  /** Of the file system, which all its mounts share. */
  readonly superOptions: readonly string[];
};

/** Fields before the optional ones: id, parent, device, root, mount point, options. */
const FIXED = 6;

/** The mounts in the kernel's order. A line that is not as the manual says is left out. */
export function parseMountinfo(text: string): MountinfoEntry[] {
  return text.split("\n").flatMap((line) => parseLine(line) ?? []);
}

/** The mount points that begin with `start`, without a look at the rest of some fifty lines. */
export function mountPointsBelow(start: string, text: string): string[] {
  const points = text.matchAll(/^\d+ \d+ \S+ \S+ (\S+) /gm);
  return [...points].flatMap(([, field = ""]) =>
    field.startsWith(start) ? [unescape(field)] : [],
  );
}

function parseLine(line: string): MountinfoEntry | undefined {
  const words = line.split(" ");
  const dash = words.indexOf("-", FIXED);
  const [, , device = "", root, mountPoint, options] = words;
  const [fstype, source, ...superOptions] = dash < 0 ? [] : words.slice(dash + 1);
  if (root === undefined || mountPoint === undefined || options === undefined) return undefined;
  if (!mountPoint.startsWith("/") || !fstype || source === undefined) return undefined;
  return {
    device,
    root: unescape(root),
    mountPoint: unescape(mountPoint),
    options: options.split(","),
    optionalFields: words.slice(FIXED, dash),
    fstype: unescape(fstype),
    source: unescape(source),
    // Some file systems print a space in an option as it is.
    superOptions: superOptions.join(" ").split(",").map(unescape),
  };
}

/** The kernel writes a space, tab, newline, comma, backslash or `#` inside a field as `\` and octal. */
function unescape(field: string): string {
  if (!field.includes("\\")) return field;
  return field.replaceAll(/\\([01][0-7]{2})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
