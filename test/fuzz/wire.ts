// What comes over the connection: frames, envelopes, and requests for every handler.
import { type DescMethod, type Message, fromBinary, toBinary } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { within } from "../../src/async/timeout.ts";
import { AgentService, CreateContainerRequestSchema } from "../../src/gen/agent_pb.ts";
import { Health } from "../../src/gen/health_pb.ts";
import { connectionLost } from "../../src/ttrpc/call.ts";
import { Connection } from "../../src/ttrpc/connection.ts";
import { decodeRequest } from "../../src/ttrpc/envelope.ts";
import { pick } from "../support/random.ts";
import { concat, frame, request } from "../support/raw-peer.ts";
import { containerRequest } from "../support/spec.ts";
import { echoService } from "../support/echo-service.ts";
import { Api } from "../unit/rpc/call.ts";
import { perturb, randomMessage } from "./messages.ts";
import { type Random, mutate, upTo } from "./mutate.ts";
import { type Target, ofBytes } from "./target.ts";

const encode = (text: string) => new TextEncoder().encode(text);

const BODIES = [
  request("Echo", encode("hello")),
  request("EchoLater", encode("hello"), { timeoutNano: 1_000_000n }),
  request("Status", encode("5 text"), { metadata: new Map([["a", ["b", "c"]]]) }),
  request("Nothing"),
];
const FRAMES = [
  ...BODIES.map((body, index) => frame(2 * index + 1, body)),
  frame(2, BODIES[0]),
  frame(9, BODIES[0], { length: 5 << 20 }),
  frame(11, BODIES[0], { type: 3, flags: 4 }),
];

/** Bytes in chunks of any size, from a peer that reads a little or nothing. */
async function receive(random: Random): Promise<void> {
  const appetite = pick(random, [0, 1, 100, Number.POSITIVE_INFINITY]);
  let taken = 0;
  const socket = {
    write: (_: Uint8Array, _offset: number, length: number) => {
      const count = Math.min(length, Math.max(0, appetite * 100 - taken));
      taken += count;
      return count;
    },
    pause: () => {},
    resume: () => {},
    end: () => {},
    terminate: () => {},
  };
  const connection = new Connection(socket, echoService().services, () => {});
  const stream = concat(...Array.from({ length: 8 }, () => mutate(random, FRAMES)));
  for (let at = 0; at < stream.length;) {
    const next = at + 1 + Math.floor(random() * 200);
    connection.receive(stream.slice(at, next));
    at = next;
  }
  await Promise.resolve();
  connection.close();
}

/** Calls that wait for something end with their caller, and this long after it at most. */
const ENDED_IN_MS = 5000;
/** Beyond this a call is taken to wait for something, as one of them always does. */
const ANSWERED_IN_MS = 300;
const WAITS = "GetOOMEvent";

const CONTAINER = toBinary(
  CreateContainerRequestSchema,
  containerRequest({ id: "c1", rootfs: "/", args: ["sh"] }),
);

/** Nothing keeps these from the machine itself, where the tests run as root. */
const NO_GAMES = new Set(["OnlineCPUMem", "ReseedRandomDev", "SetGuestDateTime"]);

const METHODS = [...AgentService.methods, ...Health.methods].filter(
  ({ name }) => !NO_GAMES.has(name),
);

/** A request for a container must be nearly right to be looked at for long. */
function messageFor(random: Random, { name, input }: DescMethod): Message {
  if (name !== "CreateContainer") return randomMessage(random, input);
  const asked = fromBinary(CreateContainerRequestSchema, CONTAINER);
  for (let left = upTo(random, 3); left > 0; left--)
    perturb(random, reflect(CreateContainerRequestSchema, asked));
  return asked;
}

/** One agent for all of them: what a call leaves behind meets the next one. */
function callsOf(api: Api) {
  return async (random: Random): Promise<void> => {
    const method = pick(random, METHODS);
    const whole = toBinary(method.input, messageFor(random, method));
    const payload = random() < 0.7 ? whole : mutate(random, [whole]);
    const failures = api.failures.length;
    const caller = new AbortController();
    const answer = api.send(method, payload, caller).catch(() => undefined);
    if (!(await within(answer, method.name === WAITS ? 0 : ANSWERED_IN_MS))) {
      caller.abort(connectionLost());
      if (!(await within(answer, ENDED_IN_MS)))
        throw new TypeError(`${method.name} does not end with its caller`);
    }
    const defect = api.failures.slice(failures).find(({ isDefect }) => isDefect);
    if (defect !== undefined) throw new TypeError(method.name, { cause: defect.error });
    api.forget();
  };
}

export function wireTargets(): readonly Target[] {
  return [
    { name: "a connection", run: receive, shares: 4 },
    ofBytes("requests", BODIES, (bytes) => decodeRequest(bytes, 0, bytes.length)),
    { name: "calls", run: callsOf(new Api()), shares: 10 },
  ];
}
