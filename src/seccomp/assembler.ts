// Classic BPF, written from its end to its start: a jump goes forward only, so that whatever it leads
// to is there already and its distance is known.
import { BPF, BPF_INSTRUCTION_BYTES } from "../linux/seccomp.ts";

type Instruction = {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
};

/** An instruction, counted from the end of the program. */
export type Place = number;

/** A distance has 8 bits, and the detour for the other branch may come in between. */
const FARTHEST = 254;

export class Assembler {
  readonly #instructions: Instruction[] = [];
  /** Where the same has been written last. */
  readonly #written = new Map<string, Place>();

  /** The filter's answer: SECCOMP_RET_* and its data. */
  ret(word: number): Place {
    const known = this.#written.get(`ret ${word}`);
    if (known !== undefined && this.#distance(known) <= FARTHEST) return known;
    return this.#write(`ret ${word}`, { code: BPF.RET_K, jt: 0, jf: 0, k: word });
  }

  /** Take the 32 bits at `offset` of struct seccomp_data, and go on at `next`. */
  load(offset: number, next: Place): Place {
    return this.#then(BPF.LD_W_ABS, offset, next);
  }

  /** Keep the bits of `mask`, and go on at `next`. */
  and(mask: number, next: Place): Place {
    return this.#then(BPF.ALU_AND_K, mask, next);
  }

  /** Compare with `k`, unsigned: on to `yes` or `no`. */
  jump(comparison: "JEQ" | "JGT" | "JGE", k: number, yes: Place, no: Place): Place {
    const key = `${comparison} ${k} ${yes} ${no}`;
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const [nearNo, nearYes] = [this.#near(no), this.#near(yes)];
    const code = BPF[`JMP_${comparison}_K`];
    const [jt, jf] = [this.#distance(nearYes), this.#distance(nearNo)];
    return this.#write(key, { code, jt, jf, k });
  }

  /** The program that starts with what was written last, as an array of struct sock_filter. */
  program(): Uint8Array {
    const bytes = new Uint8Array(this.#instructions.length * BPF_INSTRUCTION_BYTES);
    const view = new DataView(bytes.buffer);
    for (const [index, { code, jt, jf, k }] of this.#instructions.toReversed().entries()) {
      const at = index * BPF_INSTRUCTION_BYTES;
      view.setUint16(at, code, true);
      view.setUint8(at + 2, jt);
      view.setUint8(at + 3, jf);
      view.setUint32(at + 4, k, true);
    }
    return bytes;
  }

  /** These have no jump of their own: what follows must stand right behind them. */
  #then(code: number, k: number, next: Place): Place {
    const key = `${code} ${k} ${next}`;
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    if (this.#distance(next) > 0) this.#detour(next);
    return this.#write(key, { code, jt: 0, jf: 0, k });
  }

  /** What leads to `target` and is in reach of a jump: itself, its copy, or a jump of its own. */
  #near(target: Place): Place {
    if (this.#distance(target) <= FARTHEST) return target;
    const there = this.#instructions[target];
    if (there?.code === BPF.RET_K) return this.ret(there.k);
    const detour = this.#written.get(`to ${target}`);
    if (detour !== undefined && this.#distance(detour) <= FARTHEST) return detour;
    return this.#detour(target);
  }

  #detour(target: Place): Place {
    const k = this.#distance(target);
    return this.#write(`to ${target}`, { code: BPF.JMP_JA, jt: 0, jf: 0, k });
  }

  /** From the instruction that is written next: how many a jump to `target` skips. */
  #distance(target: Place): number {
    return this.#instructions.length - target - 1;
  }

  #write(key: string, instruction: Instruction): Place {
    const place = this.#instructions.push(instruction) - 1;
    this.#written.set(key, place);
    return place;
  }
}
