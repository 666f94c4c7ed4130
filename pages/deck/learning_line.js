// @ts-check
/* The line about active learning: the session that is used, the one that runs, how efficient labeling
   still is. */

import { write } from "./dom.js";

/** @import { Halting, Learning, Parts } from "./types.d.ts" */

/** @param {Parts} part
 * @param {Learning | null} learning null before the first reply */
export function showLearning(part, learning) {
  if (!learning) return;
  const { enabled, state, session_id, text, progress = null } = learning;
  Object.assign(part.learning.dataset, { learningState: state, sessionId: session_id });
  const session = session_id ? `Session ${session_id}` : "Active learning is on";
  const told = [enabled ? session : "", text].filter(Boolean).join(" · ");
  write(part["learning-text"], told);
  part.learning.title = told;
  const bar = part["learning-progress"];
  bar.hidden = state !== "running";
  if (progress === null) bar.removeAttribute("value");
  else bar.value = progress;
  showHalting(part, learning.halting);
}

/** How efficient labeling still is: a mark on a scale from efficient (left) to not efficient.
 * @param {Parts} part
 * @param {Halting | null | undefined} halting */
function showHalting(part, halting) {
  part.halting.hidden = !halting;
  if (!halting) return;
  const { state, share, word, text } = halting;
  part.halting.dataset.halting = state;
  part.halting.title = text;
  const mark = part["halting-mark"];
  mark.hidden = share === null;
  mark.style.left = `${100 * (1 - (share ?? 1))}%`;
  write(part["halting-word"], word);
  write(part["halting-text"], text);
}
