// Holds the generated descriptors against the wire contract, in both directions: what is missing
// fails as much as what is extra. wire.json lists the contract apart from proto/, so that a change
// to one alone is caught.
import { ScalarType, type DescField, type DescFile } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { describe, expect, test } from "bun:test";
import { file_agent } from "../../../src/gen/agent_pb.ts";
import { file_csi } from "../../../src/gen/csi_pb.ts";
import { file_health } from "../../../src/gen/health_pb.ts";
import { file_oci } from "../../../src/gen/oci_pb.ts";
import { file_types } from "../../../src/gen/types_pb.ts";
import wire from "./wire.json";

interface Field {
  number: number;
  type: string;
  /** Tracks presence by proto3's `optional`. */
  optional?: boolean;
  /** The oneof that tracks its presence. */
  oneof?: string;
}

interface File {
  package: string;
  /** By service and method: request and response. */
  services: Record<string, Record<string, string[]>>;
  /** By message and field. */
  messages: Record<string, Record<string, Field>>;
  /** By enum and value. */
  enums: Record<string, Record<string, number>>;
}

const contract: Record<string, File> = wire;
const generated = [file_agent, file_oci, file_types, file_csi, file_health];

/** The type of a field as a protocol file writes it, names in full. */
function typeOf(field: DescField): string {
  switch (field.fieldKind) {
    case "list":
      return `repeated ${elementType(field)}`;
    case "map":
      return `map<${scalarName(field.mapKey)}, ${elementType(field)}>`;
    default:
      return elementType(field);
  }
}

function elementType(field: DescField): string {
  if (field.message) return field.message.typeName;
  if (field.enum) return field.enum.typeName;
  return scalarName(field.scalar);
}

function scalarName(scalar: ScalarType): string {
  return ScalarType[scalar].toLowerCase();
}

function fieldOf(field: DescField): Field {
  return {
    number: field.number,
    type: typeOf(field),
    ...(field.proto.proto3Optional && { optional: true }),
    ...(field.oneof && { oneof: field.oneof.name }),
  };
}

/** A generated file in the contract's form. */
function contractOf(file: DescFile): File {
  const all = [...nestedTypes(file)];
  return {
    package: file.proto.package,
    services: Object.fromEntries(
      file.services.map((service) => [
        service.name,
        Object.fromEntries(
          service.methods.map((method) => [
            method.name,
            [method.input.typeName, method.output.typeName],
          ]),
        ),
      ]),
    ),
    messages: Object.fromEntries(
      all
        .filter((type) => type.kind === "message")
        .map(({ typeName, fields }) => [
          typeName,
          Object.fromEntries(fields.map((field) => [field.name, fieldOf(field)])),
        ]),
    ),
    enums: Object.fromEntries(
      all
        .filter((type) => type.kind === "enum")
        .map(({ typeName, values }) => [
          typeName,
          Object.fromEntries(values.map((value) => [value.name, value.number])),
        ]),
    ),
  };
}

test("The contract lists five files, 44 methods, 113 messages, 369 fields and 4 enums.", () => {
  const files = Object.values(contract);
  const count = (entries: (file: File) => object[]) =>
    files.flatMap(entries).reduce((sum, entry) => sum + Object.keys(entry).length, 0);
  expect(Object.keys(contract).toSorted()).toEqual(
    generated.map((file) => `${file.name}.proto`).toSorted(),
  );
  expect({
    methods: count((file) => Object.values(file.services)),
    messages: count((file) => [file.messages]),
    fields: count((file) => Object.values(file.messages)),
    enums: count((file) => [file.enums]),
  }).toEqual({ methods: 44, messages: 113, fields: 369, enums: 4 });
});

for (const file of generated) {
  const name = `${file.name}.proto`;
  const want = contract[name];
  const have = contractOf(file);

  describe(name, () => {
    test("The file is proto3, of the contract's package.", () => {
      expect([file.proto.syntax, have.package]).toEqual(["proto3", want?.package ?? name]);
    });

    test("Services and methods are the contract's, with their requests and responses.", () => {
      expect(have.services).toEqual(want?.services ?? {});
    });

    test("Messages are the contract's, with each field's name, number, type and presence.", () => {
      expect(have.messages).toEqual(want?.messages ?? {});
    });

    test("Enums are the contract's, with each value's name and number.", () => {
      expect(have.enums).toEqual(want?.enums ?? {});
    });

    test("Every method is unary.", () => {
      const kinds = file.services.flatMap(({ methods }) => methods.map((m) => m.methodKind));
      expect(kinds.filter((kind) => kind !== "unary")).toEqual([]);
    });
  });
}
