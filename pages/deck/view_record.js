// @ts-check
/* A row of a table: column and value, one under the other; long texts over the whole width. The
   main column, if one was named, stands large, the rest beside it. */

import { atBase } from "./address.js";
import { grouped, node, write } from "./dom.js";

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

  words(/** @type {RecordData} */ { fields, main = "" }) {
    const first = fields.filter(([column]) => column === main);
    return [...first, ...fields.filter(([column]) => column !== main)]
      .slice(0, first.length || 3)
      .map(([column, value]) => `${column} ${value ?? "missing"}`)
      .join(", ");
  },

  enter: (/** @type {HTMLElement} */ sheet) => reachable(sheet, true),

  leave: (/** @type {HTMLElement} */ sheet) => reachable(sheet, false),
};

/** Tab leads to the buttons of the sheet in front only.
 * @param {HTMLElement} sheet
 * @param {boolean} inFront */
function reachable(sheet, inFront) {
  for (const button of sheet.querySelectorAll("button")) button.tabIndex = inFront ? 0 : -1;
}

/** @param {string} part "main" or "rest"
 * @param {RecordData["fields"]} fields
 * @param {NonNullable<RecordData["truncated"]>} truncated */
function list(part, fields, truncated) {
  const record = node("dl", `record ${part}`);
  record.toggleAttribute("data-many", fields.length > 18);
  record.append(...fields.map((field) => recordField(field, truncated)));
  return record;
}

/** @param {RecordData["fields"][number]} field
 * @param {NonNullable<RecordData["truncated"]>} truncated */
function recordField([column, value, kind], truncated) {
  const row = node("div", "field");
  const name = Object.assign(node("dt", "", column), { dir: "auto" });
  const shown = node("dd", value === null ? "missing" : kind, value ?? "missing");
  shown.dir = "auto";
  if (value && (value.length > LONG || value.includes("\n"))) row.classList.add("long");
  row.append(name, shown);
  const cut = truncated.find(([each]) => each === column);
  if (cut) row.append(wholeText(shown, cut));
  return row;
}

/** A button that puts the whole text in the place of its beginning.
 * @param {HTMLElement} shown
 * @param {[string, number, string]} cut */
function wholeText(shown, [, characters, url]) {
  const button = node("button", "cut", `Show all ${grouped(characters)} characters`);
  Object.assign(button, { type: "button", tabIndex: -1 });
  button.onclick = async () => {
    button.disabled = true;
    try {
      const reply = await fetch(atBase(url));
      if (!reply.ok) throw new Error(await reply.text());
      shown.textContent = await reply.text();
      button.remove();
    } catch {
      button.disabled = false;
      write(button, "The rest could not be loaded: try again, or reload the page");
    }
  };
  return button;
}
