// @ts-check
/* What the server has told, as it is shown. */

/** @import { Counts, Delta, Waiting } from "./types.d.ts" */

/** The server's counts and what is on its way there.
 * @param {Counts} counts
 * @param {Delta} changes */
export function countsWith(counts, changes) {
  const now = { ...counts, categories: { ...counts.categories } };
  for (const [state, step] of changes) {
    if (state?.status === "LABELED") {
      const name = String(state.category);
      now.labeled += step;
      now.categories[name] = (now.categories[name] ?? 0) + step;
    } else if (state) now.skipped += step;
  }
  return now;
}

/** Where the last samples are, and until when (in this browser's time zone) unless they come back. */
export function whoHas(/** @type {Waiting} */ { samples, own, until }) {
  const time = new Date(until * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const where = own ? "in another tab of yours" : "with another annotator";
  return `${samples} ${samples === 1 ? "sample is" : "samples are"} ${where} until ${time}.`;
}

export function notAccepted(/** @type {{reason: string}[]} */ refused) {
  const reasons = [...new Set(refused.map(({ reason }) => reason))].join(" ");
  const subject = refused.length === 1 ? "A decision was" : `${refused.length} decisions were`;
  return `${subject} not accepted. ${reasons}`;
}
