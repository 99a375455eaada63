/** Addresses as Kata writes them: `unix:///run/x.sock`, `unix://@name`, `vsock://-1:1024`. Pure. */

/** `path` begins with "/" for a file and with a NUL for an abstract name, as in `sun_path`. */
export type UnixAddress = { readonly family: "unix"; readonly path: string };
export type VsockAddress = {
  readonly family: "vsock";
  readonly cid: number;
  readonly port: number;
};
export type Address = UnixAddress | VsockAddress;

/** `sun_path` of unix(7), in bytes. A path needs one of them for its NUL, an abstract name for its first. */
const SUN_PATH_SIZE = 108;

/** Any context id, to bind to: vsock(7). Written as -1 or as this number. */
const VMADDR_CID_ANY = 0xffffffff;
/** As a port it asks the kernel to choose one, which nobody could then dial. */
const VMADDR_PORT_ANY = 0xffffffff;

/** @throws Error that quotes the address and says what is wrong with it */
export function parseAddress(text: string): Address {
  const [scheme, rest] = splitScheme(text);
  if (scheme === "unix") return parseUnix(text, rest);
  if (scheme === "vsock") return parseVsock(text, rest);
  throw invalid(text, "want unix:// or vsock://");
}

function splitScheme(text: string): [scheme: string, rest: string] {
  const at = text.indexOf("://");
  return at < 0 ? ["", text] : [text.slice(0, at), text.slice(at + 3)];
}

function parseUnix(text: string, rest: string): UnixAddress {
  const abstract = rest.startsWith("@");
  if (!abstract && !rest.startsWith("/")) throw invalid(text, "want an absolute path or @name");
  if (rest.length < 2) throw invalid(text, "empty name");
  if (rest.includes("\0")) throw invalid(text, "NUL in the name");
  const size = new TextEncoder().encode(rest).length;
  const limit = abstract ? SUN_PATH_SIZE : SUN_PATH_SIZE - 1;
  if (size > limit) throw invalid(text, `${size} bytes, want at most ${limit}`);
  return { family: "unix", path: abstract ? `\0${rest.slice(1)}` : rest };
}

function parseVsock(text: string, rest: string): VsockAddress {
  const [cid, port, ...more] = rest.split(":");
  if (cid === undefined || port === undefined || more.length > 0) {
    throw invalid(text, "want vsock://cid:port");
  }
  const cidNumber = cid === "-1" ? VMADDR_CID_ANY : parseUint32(cid);
  if (cidNumber === undefined) throw invalid(text, `context id "${cid}"`);
  const portNumber = parseUint32(port);
  if (portNumber === undefined || portNumber === VMADDR_PORT_ANY) {
    throw invalid(text, `port "${port}"`);
  }
  return { family: "vsock", cid: cidNumber, port: portNumber };
}

function parseUint32(text: string): number | undefined {
  if (text === "" || text.length > 10 || ![...text].every(isDigit)) return undefined;
  const value = Number(text);
  return value <= 0xffffffff ? value : undefined;
}

function isDigit(character: string): boolean {
  return character >= "0" && character <= "9";
}

function invalid(text: string, reason: string): Error {
  return new Error(`address ${JSON.stringify(text)}: ${reason}`);
}
