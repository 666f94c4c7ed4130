// @ts-check
/* A row of a table: column and value, one under the other; long texts over the whole width. The
   main column, if one was named, stands large, the rest beside it. */

import { node } from "./dom.js";

/** @import { RecordData } from "./types.d.ts" */

const LONG = 120; // characters from which a value gets the whole width

export const recordView = {
  depth: 256,

  paint(/** @type {HTMLElement} */ element, /** @type {RecordData} */ { fields, truncated = [], main = "" }) {
    const large = fields.filter(([column]) => column === main);
    const parts = large.map((field) => list("main", [field], truncated));
    const rest = fields.filter(([column]) => column !== main);
    if (rest.length) parts.push(list("rest", rest, truncated));
    element.replaceChildren(...parts);
    element.toggleAttribute("data-main", large.length > 0);
  },

  prefetch() {}, // the text is all there is
};

/** @param {string} part "main" or "rest"
 * @param {RecordData["fields"]} fields
 * @param {string[]} truncated names of the columns whose text was cut */
function list(part, fields, truncated) {
  const record = node("dl", `record ${part}`);
  record.toggleAttribute("data-many", fields.length > 18);
  record.append(...fields.map((field) => recordField(field, truncated)));
  return record;
}

/** @param {RecordData["fields"][number]} field
 * @param {string[]} truncated names of the columns whose text was cut */
function recordField([column, value, kind], truncated) {
  const row = node("div", "field");
  const shown = node("dd", value === null ? "missing" : kind, value ?? "missing");
  if (value && (value.length > LONG || value.includes("\n"))) row.classList.add("long");
  row.append(node("dt", "", column), shown);
  if (truncated.includes(column)) row.append(node("p", "cut", "Cut: the text goes on in the source."));
  return row;
}
