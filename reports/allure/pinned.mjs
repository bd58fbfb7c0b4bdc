// Loaded into the generator before itself, so that the same results give the same page, byte for byte: its clock
// stands where the run ended, and what it would draw at random is counted from the results' hash.
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

const ended = Number(process.env.DRDRILL_RUN_ENDED_MS);
const seed = process.env.DRDRILL_RESULTS_SHA256;
let drawn = 0;

crypto.randomUUID = () => {
  const hex = crypto.createHash("sha256").update(`${seed}/${drawn++}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
};
syncBuiltinESMExports(); // modules that imported the name see the new function

globalThis.Date = class extends Date {
  constructor(...given) {
    super(...(given.length > 0 ? given : [ended]));
  }

  static now() {
    return ended;
  }
};
