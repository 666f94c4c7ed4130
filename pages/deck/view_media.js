// @ts-check
/* What images and sounds share: they are fetched ahead and kept for a while, asked for again when
   the network is back, and say in a sentence why one of them cannot be shown. */

import { atBase } from "./address.js";
import { node } from "./dom.js";
import { RETRY } from "./exchange.js";

/** @import { MediaData, ViewAction } from "./types.d.ts" */

const AT_ONCE = 3; // downloads: decisions have to get through beside them
const KEPT = 16; // files ready to be shown: the next ones, and those just decided
const PATIENCE = 30000; // ms for one download
const AHEAD = 3; // times that a file which is not in front yet is asked for again by itself
const BLANK = 400; // ms before a sheet says that it is loading; keys wait as long
const UNREACHED = "This file cannot be reached right now. It comes by itself when the server answers again.";

/** @type {{open: number, waiting: ((value?: unknown) => void)[]}} */
const downloads = { open: 0, waiting: [] };

/** Do a job as soon as fewer than AT_ONCE are being done.
 * @template T
 * @param {() => Promise<T>} job */
async function inTurn(job) {
  if (downloads.open < AT_ONCE) downloads.open += 1;
  else await new Promise((go) => downloads.waiting.push(go));
  try {
    return await job();
  } finally {
    const next = downloads.waiting.shift();
    if (next) next();
    else downloads.open -= 1;
  }
}

/** An error that asking again will not mend. */
const refusal = (/** @type {string} */ sentence) => Object.assign(new Error(sentence), { sentence });

/** The file behind a media link; null, and nothing fetched, if it has more than `most` bytes.
 * @param {string} url
 * @param {number} [most]
 * @returns {Promise<Blob | null>} */
export const fetchMedia = (url, most = Infinity) =>
  inTurn(async () => {
    const response = await fetch(atBase(url), { signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) {
      const { error } = await response.json().catch(() => ({}));
      if (response.status >= 500) throw new Error(error);
      throw refusal(error || `The server does not give this file out (${response.status}).`);
    }
    if (Number(response.headers.get("Content-Length")) <= most) return response.blob();
    response.body?.cancel();
    return null;
  });

export async function decodedImage(/** @type {string} */ url, /** @type {string} */ alt) {
  const image = new Image();
  image.alt = alt;
  image.draggable = false;
  image.decoding = "sync"; // shown in the frame it is asked for, not in a later one
  image.src = URL.createObjectURL(/** @type {Blob} */ (await fetchMedia(url)));
  try {
    await image.decode();
  } catch {
    throw refusal("This browser cannot read the image.");
  } finally {
    URL.revokeObjectURL(image.src);
  }
  return image;
}

export const nameOf = (/** @type {MediaData} */ { facts = [] }) =>
  facts.find(([name]) => name === "name")?.[1] ?? "";

function factsOf(/** @type {MediaData} */ { facts = [] }) {
  const list = node("dl", "facts");
  list.append(...facts.flatMap(([name, value]) => [node("dt", "", name), node("dd", "", value)]));
  return list;
}

/** @type {ViewAction} */
export const showFacts = {
  keys: ["i"],
  text: "Facts",
  help: "name, size and date of the file",
  run: (sheet) => sheet.parentElement?.toggleAttribute("data-facts"),
  on: (sheet) => Boolean(sheet.parentElement?.hasAttribute("data-facts")),
};

/** One file: `made` is what can be shown of it, `problem` why there is none.
 * @template {MediaData} D
 * @template M
 * @typedef {object} Item
 * @property {D} view
 * @property {number} tries
 * @property {M} [made]
 * @property {string} [problem]
 * @property {boolean} [refused] asking again will not help
 * @property {boolean} [busy]
 * @property {ReturnType<typeof setTimeout> | null} [again]
 * @property {Promise<unknown>} [coming]
 * @property {HTMLElement} [sheet] */

/** What a kind of media does by itself. `load(view)` resolves to what can be shown at once,
 * `lay(made)` gives its element, `drop(made)` frees it, `arrive(sheet)` is told when it comes late
 * to the sheet in front.
 * @template {MediaData} D
 * @template M
 * @typedef {object} Medium
 * @property {(view: D) => Promise<M>} load
 * @property {(made: M) => HTMLElement} lay
 * @property {(made: M) => void} [drop]
 * @property {(sheet: HTMLElement) => void} [arrive] */

/** The part of a view that is the same for all media.
 * @template {MediaData} D
 * @template M */
export class MediaView {
  depth = 24;
  /** @type {Map<string, Item<D, M>>} */
  kept = new Map(); // by url, the one wanted last at the end
  /** @type {WeakMap<HTMLElement, Item<D, M>>} */
  on = new WeakMap(); // by sheet

  constructor(/** @type {Medium<D, M>} */ medium) {
    this.medium = medium;
    addEventListener("online", () => this.kept.forEach((item) => item.problem && this.fetch(item)));
  }

  prefetch(/** @type {D} */ view) {
    if (!view.broken) this.find(view);
  }

  words(/** @type {D} */ view) {
    return [nameOf(view), view.broken].filter(Boolean).join(": ");
  }

  paint(/** @type {HTMLElement} */ sheet, /** @type {D} */ view) {
    const broken = { view, tries: 0, problem: view.broken, refused: true };
    /** @type {Item<D, M>} */
    const item = view.broken ? broken : this.find(view);
    item.sheet = sheet;
    this.on.set(sheet, item);
    this.fill(item);
  }

  /** A promise while there may soon be something to see on the sheet. */
  loading(/** @type {HTMLElement} */ sheet) {
    const item = this.on.get(sheet);
    if (!item || item.made || item.problem) return undefined;
    return Promise.race([item.coming, new Promise((done) => setTimeout(done, BLANK))]);
  }

  /** What is shown on the sheet, if it is there. */
  made(/** @type {HTMLElement} */ sheet) {
    return this.on.get(sheet)?.made;
  }

  find(/** @type {D} */ view) {
    /** @type {Item<D, M>} */
    const item = this.kept.get(view.url) ?? { view, tries: 0 };
    this.kept.delete(view.url);
    this.kept.set(view.url, item);
    if (!item.made && !item.again) this.fetch(item);
    for (const [url, old] of this.kept) if (this.kept.size > KEPT && !this.shown(old)) this.forget(url, old);
    return item;
  }

  forget(/** @type {string} */ url, /** @type {Item<D, M>} */ item) {
    this.kept.delete(url);
    if (item.made) this.medium.drop?.(item.made);
  }

  shown(/** @type {Item<D, M>} */ item) {
    const { sheet } = item;
    return Boolean(sheet?.isConnected && this.on.get(sheet) === item);
  }

  fetch(/** @type {Item<D, M>} */ item) {
    if (item.busy || item.refused) return;
    item.busy = true;
    clearTimeout(item.again ?? undefined);
    item.again = null;
    item.coming = this.medium
      .load(item.view)
      .then((made) => Object.assign(item, { made, problem: "" }))
      .catch((error) => this.failed(item, error))
      .finally(() => this.settle(item));
  }

  failed(/** @type {Item<D, M>} */ item, /** @type {{sentence?: string}} */ { sentence }) {
    item.problem = sentence || UNREACHED;
    item.refused = Boolean(sentence);
    const wait = RETRY[Math.min(item.tries++, RETRY.length - 1)];
    item.again = setTimeout(() => {
      item.again = null; // one that nobody looks at for long waits until it is wanted
      if (this.shown(item) || (item.tries <= AHEAD && this.kept.get(item.view.url) === item)) this.fetch(item);
    }, wait);
  }

  settle(/** @type {Item<D, M>} */ item) {
    item.busy = false;
    if (!this.shown(item)) return;
    this.fill(item);
    const { made, sheet } = item;
    if (made && sheet?.hasAttribute("data-front")) this.medium.arrive?.(sheet);
  }

  fill(/** @type {Item<D, M>} */ { sheet, view, made, problem }) {
    sheet?.toggleAttribute("data-unseen", !made); // nothing was seen that a label could be about
    if (sheet?.hasAttribute("data-front")) sheet.closest(".deck")?.toggleAttribute("data-nothing-seen", !made);
    sheet?.replaceChildren(made ? this.medium.lay(made) : this.excuse(problem), factsOf(view));
  }

  excuse(/** @type {string | undefined} */ problem) {
    const excuse = node("div", problem ? "excuse" : "excuse late");
    excuse.append(node("p", "", problem || "Loading…"));
    excuse.append(node("p", "quiet", problem ? "It can be skipped, not labeled." : "It can be labeled once it is here."));
    return excuse;
  }
}
