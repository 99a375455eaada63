// Hardware addresses of Ethernet.

const LENGTH = 6;

/**
 * Six hexadecimal bytes with colons between them, of one digit or two. undefined: it is none.
 * storage-devices-network.md section 7.1.1.
 */
export function parseMac(text: string): Uint8Array | undefined {
  const parts = text.split(":");
  if (parts.length !== LENGTH || !parts.every((part) => /^[\da-f]{1,2}$/i.test(part))) {
    return undefined;
  }
  return Uint8Array.from(parts, (part) => Number.parseInt(part, 16));
}

/** In capitals, as hosts have always got it; empty for an address of another length. */
export function formatMac(bytes: Uint8Array): string {
  if (bytes.length !== LENGTH) return "";
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(":");
}
