// @ts-check
/* What a deck is for: one name, one policy. */

import { adjudicating } from "./adjudication.js";
import { labeling } from "./labeling.js";
import { reviewing } from "./review.js";

/** @import { Policy } from "./types.d.ts" */

/** @type {Record<string, Policy>} */
export const MODES = { label: labeling, review: reviewing, adjudicate: adjudicating };
