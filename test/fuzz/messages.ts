// Messages of the protocol that decode, and say what nobody sensible would.
import { type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { pick, randomText } from "../support/random.ts";
import { type Random, upTo } from "./mutate.ts";

const PLAIN = `
  c1 .. . / // ../../etc/passwd /proc/self/root /dev/null /etc eth0 lo -r 02:00:00:00:00:01
  /run/kata-containers/shared/containers/c1/rootfs 10.0.0.1 10.0.0.1/24 0.0.0.0/0 fe80::1/64 ::
  255.255.255.256 00/02 tmpfs bind proc sysfs cgroup mqueue devpts ro rbind rslave mode=1777 size=4k
  size=99999999999999999999 uid=-1 idmap tmpcopyup pid ipc user network mount uts time
  CAP_SYS_ADMIN RLIMIT_NOFILE SCMP_ACT_ERRNO SCMP_ARCH_X86_64 SCMP_CMP_EQ read c b a rwm 0-3
  0,1-2,9999999 kernel.shm_rmid_forced net.ipv4.ip_forward 2MB virtio-fs blk scsi local ephemeral
  overlayfs image_guest_pull nvdimm lowerdir=/a:/b,upperdir=/c,workdir=/d
  system_u:system_r:t:s0 cri-default *filter
`;
const STRANGE = ["", "a\0b", "\u202e", "é", " ", "\n", "nameserver 192.0.2.1", "../".repeat(200)];
const LONG = ["x".repeat(300), "y".repeat(5000), `/${"z".repeat(4096)}`];
const WORDS = [...PLAIN.trim().split(/\s+/), ...STRANGE, ...LONG];
/** Of containers and of what runs in them: few, so that some of them are there. */
export const IDS = ["c1", "c2", "c3"];
const NUMBERS = [0, 1, 2, 9, 15, 64, 255, 1000, 65_535, 0x7fff_ffff];
const DEEPEST = 5;
const LONGEST_LIST = 4;

/** Fields as they come, each with a value of its kind. */
export function randomMessage(random: Random, schema: DescMessage): Message {
  return filled(random, schema, 0).message;
}

function filled(random: Random, schema: DescMessage, depth: number): ReflectMessage {
  const message = reflect(schema);
  for (const field of schema.fields) if (random() < 0.7) fill(random, message, field, depth);
  return message;
}

/** The same message with a field of it, or of one below it, made anew. */
export function perturb(random: Random, message: ReflectMessage, depth = 0): void {
  const field = pick(random, message.desc.fields);
  if (field.fieldKind === "message" && message.isSet(field) && random() < 0.85)
    return perturb(random, message.get(field), depth + 1);
  if (field.fieldKind === "list" && field.listKind === "message" && random() < 0.7) {
    const items = [...message.get(field)];
    if (items.length > 0) {
      const item = pick(random, items);
      if (isMessage(item)) return perturb(random, item, depth + 1);
    }
  }
  if (random() < 0.2) message.clear(field);
  else fill(random, message, field, depth);
}

function isMessage(value: unknown): value is ReflectMessage {
  return typeof value === "object" && value !== null && "desc" in value;
}

function fill(random: Random, message: ReflectMessage, field: DescField, depth: number): void {
  switch (field.fieldKind) {
    case "scalar":
      return message.set(
        field,
        isId(field) && random() < 0.8 ? pick(random, IDS) : scalar(random, field.scalar),
      );
    case "enum":
      return message.set(field, Math.floor(random() * 5));
    case "message":
      if (depth < DEEPEST) message.set(field, filled(random, field.message, depth + 1));
      return;
    case "list": {
      const list = message.get(field);
      if (random() < 0.3) list.clear();
      for (let left = upTo(random, LONGEST_LIST); left > 0; left--) {
        if (field.listKind === "message") {
          if (depth < DEEPEST) list.add(filled(random, field.message, depth + 1));
        } else if (field.listKind === "enum") list.add(Math.floor(random() * 5));
        else list.add(scalar(random, field.scalar));
      }
      return;
    }
    case "map": {
      const map = message.get(field);
      if (field.mapKind === "message") {
        if (depth < DEEPEST)
          map.set(mapKey(random, field.mapKey), filled(random, field.message, depth + 1));
      } else if (field.mapKind === "scalar") {
        map.set(mapKey(random, field.mapKey), scalar(random, field.scalar));
      }
      return;
    }
  }
}

function isId({ localName }: DescField): boolean {
  return localName === "containerId" || localName === "execId";
}

function mapKey(random: Random, type: ScalarType): string | number {
  return type === ScalarType.STRING ? pick(random, WORDS) : pick(random, NUMBERS);
}

function scalar(random: Random, type: ScalarType): string | number | bigint | boolean | Uint8Array {
  switch (type) {
    case ScalarType.STRING:
      return random() < 0.9
        ? pick(random, WORDS)
        : randomText(random, 40).replaceAll(/[\ud800-\udfff]/g, "");
    case ScalarType.BYTES:
      return new Uint8Array(upTo(random, 2000)).fill(Math.floor(random() * 256));
    case ScalarType.BOOL:
      return random() < 0.5;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return pick(random, [...NUMBERS.map(BigInt), -1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)]);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return pick(random, [...NUMBERS.map(BigInt), 2n ** 53n, 2n ** 64n - 1n]);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return pick(random, [...NUMBERS, 0xffff_ffff]);
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return pick(random, [0, 0.5, -1, Number.NaN, Number.POSITIVE_INFINITY]);
    default:
      return pick(random, [...NUMBERS, -1, -0x8000_0000]);
  }
}
