import { goldenOf } from "../../support/golden-hex.ts";

/** The whole frame of that name in golden/wire.hex. */
export const golden = goldenOf(`${import.meta.dir}/golden/wire.hex`);
