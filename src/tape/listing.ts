// A tape as text, for people: `kata-agent explain`, golden tests, and the error of a failed op.
import { formatCall } from "../linux/format.ts";
import type { Mark, Op, Tape } from "./tape.ts";

/** One line an op; `arrow` marks one of them. */
export function listing(tape: Tape, arrow?: number): string {
  const width = String(tape.ops.length).length;
  return tape.ops
    .map((op, index) => {
      const pointer = arrow === undefined ? "" : index === arrow ? "→ " : "  ";
      return `${pointer}${String(index).padStart(width)}  ${formatOp(op, index)}  # ${op.label}`;
    })
    .join("\n");
}

function formatOp(op: Op, index: number): string {
  if (op.kind === "hand") return `hand r${op.result?.index}`;
  const left = op.result === null ? "" : `r${op.result.index} = `;
  if (op.source !== undefined) {
    return `${left}load(<${op.source.buffer.length} bytes>, ${op.source.at})`;
  }
  if (op.call === null) return "park";
  const fork = op.kind === "fork" ? "fork: " : "";
  const goto = (mark: Mark | null) =>
    mark?.index === undefined || mark.index === index + 1 ? "" : `→${mark.index}`;
  const tolerated = op.tolerated.map(([name, mark]) => `${name}${goto(mark)}`).join(" ");
  const then = goto(op.next);
  return `${fork}${left}${formatCall(op.call)}${then && ` ${then}`}${tolerated && ` ? ${tolerated}`}`;
}
