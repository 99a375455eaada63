// What the contract demands of the codec beyond names and numbers: presence, exact 64-bit numbers,
// both forms of repeated numbers, indifference to unknown fields. Bytes are written out by hand, so
// that the codec is not held against itself.
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type MessageShape,
} from "@bufbuild/protobuf";
import { describe, expect, test } from "bun:test";
import {
  AddSwapRequestSchema,
  CpuUsageSchema,
  ExecProcessRequestSchema,
  MemAgentCompactConfigSchema,
  MemAgentMemcgConfigSchema,
  MemHotplugByProbeRequestSchema,
  MemoryDataSchema,
  MemoryStatsSchema,
  SetGuestDateTimeRequestSchema,
  SignalProcessRequestSchema,
  UpdateContainerRequestSchema,
} from "../../../src/gen/agent_pb.ts";
import { LinuxSyscallSchema, UserSchema } from "../../../src/gen/oci_pb.ts";

const unlimited = 18446744073709551615n;

function decode<Desc extends DescMessage>(schema: Desc, hex: string): MessageShape<Desc> {
  return fromBinary(schema, Uint8Array.fromHex(hex.replaceAll(" ", "")));
}

function encode<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): string {
  return toBinary(schema, message).toHex();
}

describe("presence", () => {
  test("An absent Process and an empty one are told apart, and written as they were read.", () => {
    const absent = decode(ExecProcessRequestSchema, "0a0163");
    const empty = decode(ExecProcessRequestSchema, "0a0163 2200");
    expect(absent.process).toBeUndefined();
    expect(empty.process?.Args).toEqual([]);
    expect(empty.process?.Capabilities).toBeUndefined();
    expect(encode(ExecProcessRequestSchema, absent)).toBe("0a0163");
    expect(encode(ExecProcessRequestSchema, empty)).toBe("0a01632200");
  });

  test("An UpdateContainer without resources differs from one with empty resources.", () => {
    expect(decode(UpdateContainerRequestSchema, "0a0163").resources).toBeUndefined();
    expect(decode(UpdateContainerRequestSchema, "0a0163 1200").resources).toBeDefined();
  });

  test("A seccomp rule's errno of 0 differs from none.", () => {
    const none = decode(LinuxSyscallSchema, "");
    const zero = decode(LinuxSyscallSchema, "1800");
    expect(none.ErrnoRet).toEqual({ case: undefined });
    expect(zero.ErrnoRet).toEqual({ case: "errnoret", value: 0 });
    expect(encode(LinuxSyscallSchema, zero)).toBe("1800");
  });

  test("A memory agent's setting of false or 0 differs from one left out.", () => {
    const memcg = decode(MemAgentMemcgConfigSchema, "0800 2000");
    expect(memcg.disabled).toBe(false);
    expect(memcg.periodSecs).toBe(0n);
    expect(memcg.swap).toBeUndefined();
    expect(encode(MemAgentMemcgConfigSchema, memcg)).toBe("08002000");
    expect(decode(MemAgentCompactConfigSchema, "3000").compactOrder).toBe(0);
    expect(decode(MemAgentCompactConfigSchema, "").compactOrder).toBeUndefined();
  });

  test("A plain number of 0 is not written.", () => {
    expect(encode(SignalProcessRequestSchema, create(SignalProcessRequestSchema))).toBe("");
  });
});

describe("64-bit numbers", () => {
  test("The unlimited memory limit of 18446744073709551615 is read and written exactly.", () => {
    const bytes = "20ffffffffffffffffff01";
    expect(decode(MemoryDataSchema, bytes).limit).toBe(unlimited);
    expect(encode(MemoryDataSchema, create(MemoryDataSchema, { limit: unlimited }))).toBe(bytes);
  });

  test("A number past what a double holds is exact as a value of a map, too.", () => {
    const bytes = "320c0a0161108180808080808010";
    const stats = { a: 9007199254740993n };
    expect(decode(MemoryStatsSchema, bytes).stats).toEqual(stats);
    expect(encode(MemoryStatsSchema, create(MemoryStatsSchema, { stats }))).toBe(bytes);
  });

  test("Negative seconds and microseconds are read and written exactly.", () => {
    const bytes = "08ffffffffffffffffff011080808080808080808001";
    const time = decode(SetGuestDateTimeRequestSchema, bytes);
    expect([time.Sec, time.Usec]).toEqual([-1n, -(2n ** 63n)]);
    expect(encode(SetGuestDateTimeRequestSchema, time)).toBe(bytes);
  });
});

describe("text", () => {
  test("A string that is not UTF-8 is refused on input.", () => {
    expect(() => decode(SignalProcessRequestSchema, "0a02c328")).toThrow(/utf-8/);
  });

  test("A string with half a surrogate pair is still written as UTF-8, which Go insists on.", () => {
    const request = create(SignalProcessRequestSchema, { containerId: "\ud800" });
    expect(encode(SignalProcessRequestSchema, request)).toBe("0a03efbfbd");
  });
});

describe("repeated numbers", () => {
  const forms = [
    ["packed", "0a03018002"],
    ["unpacked", "0801 088002"],
    ["half packed", "0a0101 088002"],
    ["packed in two pieces", "0a0101 0a028002"],
  ] as const;

  test.each(forms)("Hot-plugged addresses are read when %s, and written packed.", (_, bytes) => {
    const request = decode(MemHotplugByProbeRequestSchema, bytes);
    expect(request.memHotplugProbeAddr).toEqual([1n, 256n]);
    expect(encode(MemHotplugByProbeRequestSchema, request)).toBe("0a03018002");
  });

  test.each(forms)("The path of a swap disk is read when %s, and written packed.", (_, bytes) => {
    const request = decode(AddSwapRequestSchema, bytes);
    expect(request.PCIPath).toEqual([1, 256]);
    expect(encode(AddSwapRequestSchema, request)).toBe("0a03018002");
  });

  test("Groups of a user and times per CPU are read in both forms, and written packed.", () => {
    for (const bytes of ["1a03018002", "1801 188002"]) {
      const user = decode(UserSchema, bytes);
      expect(user.AdditionalGids).toEqual([1, 256]);
      expect(encode(UserSchema, user)).toBe("1a03018002");
    }
    for (const bytes of ["1203018002", "1001 108002"]) {
      const usage = decode(CpuUsageSchema, bytes);
      expect(usage.percpuUsage).toEqual([1n, 256n]);
      expect(encode(CpuUsageSchema, usage)).toBe("1203018002");
    }
  });
});

describe("unknown fields", () => {
  // Field 100, before, between and after the known fields, in every wire type that there is.
  const unknown = [
    ["a varint", "a006ffffffffffffffffff01"],
    ["eight bytes", "a1060102030405060708"],
    ["a string", "a2060361 62 63"],
    ["a group", "a306 0801 a406"],
    ["four bytes", "a50601020304"],
  ] as const;

  test.each(unknown)("A request with %s of an unknown field reads as if without.", (_, extra) => {
    const request = decode(SignalProcessRequestSchema, `${extra} 0a0163 ${extra} 1809 ${extra}`);
    const { containerId, execId, signal } = request;
    expect({ containerId, execId, signal }).toEqual({ containerId: "c", execId: "", signal: 9 });
  });

  test("An unknown field inside a Process leaves the Process readable.", () => {
    const request = decode(ExecProcessRequestSchema, "0a0163 2207 a00601 32022f61 1a00");
    expect(request.process?.Cwd).toBe("/a");
    expect(request.stringUser).toBeDefined();
  });
});
