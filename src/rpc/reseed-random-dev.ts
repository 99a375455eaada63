import { reseed } from "../guest/entropy.ts";
import type { Handler } from "./handler.ts";

export const reseedRandomDev: Handler<"reseedRandomDev"> = ({ data }) => reseed(data);
