import { setClock } from "../guest/clock.ts";
import type { Handler } from "./handler.ts";

export const setGuestDateTime: Handler<"setGuestDateTime"> = ({ Sec, Usec }) => setClock(Sec, Usec);
