/* What images and sounds share: they are fetched ahead and kept for a while, asked for again when
   the network is back, and say in a sentence why one of them cannot be shown. */

const AT_ONCE = 3; // downloads: decisions have to get through beside them
const KEPT = 16; // files ready to be shown: the next ones, and those just decided
const PATIENCE = 30000; // ms for one download
const BLANK = 400; // ms before a sheet says that it is loading; keys wait as long
const UNREACHED = "This file cannot be reached right now. It comes by itself when the server answers again.";

const downloads = { open: 0, waiting: [] };

async function inTurn(job) {
  if (downloads.open < AT_ONCE) downloads.open += 1;
  else await new Promise((go) => downloads.waiting.push(go));
  try {
    return await job();
  } finally {
    if (downloads.waiting.length) downloads.waiting.shift()();
    else downloads.open -= 1;
  }
}

/** An error that asking again will not mend. */
const refusal = (sentence) => Object.assign(new Error(sentence), { sentence });

/** The file behind a media link; null, and nothing fetched, if it has more than `most` bytes. */
const fetchMedia = (url, most = Infinity) =>
  inTurn(async () => {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) {
      const { error } = await response.json().catch(() => ({}));
      if (response.status >= 500) throw new Error(error);
      throw refusal(error || `The server does not give this file out (${response.status}).`);
    }
    if (Number(response.headers.get("Content-Length")) <= most) return response.blob();
    response.body.cancel();
    return null;
  });

async function decodedImage(url, alt) {
  const image = new Image();
  image.alt = alt;
  image.draggable = false;
  image.decoding = "sync"; // shown in the frame it is asked for, not in a later one
  image.src = URL.createObjectURL(await fetchMedia(url));
  try {
    await image.decode();
  } catch {
    throw refusal("This browser cannot read the image.");
  } finally {
    URL.revokeObjectURL(image.src);
  }
  return image;
}

const nameOf = ({ facts = [] }) => facts.find(([name]) => name === "name")?.[1] ?? "";

function factsOf({ facts = [] }) {
  const list = node("dl", "facts");
  list.append(...facts.flatMap(([name, value]) => [node("dt", "", name), node("dd", "", value)]));
  return list;
}

const showFacts = {
  keys: ["i"],
  text: "Facts",
  help: "name, size and date of the file",
  run: (sheet) => sheet.parentElement.toggleAttribute("data-facts"),
  on: (sheet) => sheet.parentElement.hasAttribute("data-facts"),
};

/* The part of a view that is the same for all media. `load(view)` resolves to what can be shown at
   once, `lay(made)` gives its element, `drop(made)` frees it, `arrive(sheet)` is told when it comes
   late to the sheet in front. */
class MediaView {
  depth = 24;

  constructor({ load, lay, drop, arrive }) {
    Object.assign(this, { load, lay, drop, arrive });
    this.kept = new Map(); // url -> item, the one wanted last at the end
    this.on = new WeakMap(); // sheet -> item
    addEventListener("online", () => this.kept.forEach((item) => item.problem && this.fetch(item)));
  }

  prefetch(view) {
    if (!view.broken) this.find(view);
  }

  paint(sheet, view) {
    const item = view.broken ? { view, problem: view.broken, refused: true } : this.find(view);
    item.sheet = sheet;
    this.on.set(sheet, item);
    this.fill(item);
  }

  /** A promise while there may soon be something to see on the sheet. */
  loading(sheet) {
    const item = this.on.get(sheet);
    if (!item || item.made || item.problem) return undefined;
    return Promise.race([item.coming, new Promise((done) => setTimeout(done, BLANK))]);
  }

  /** What is shown on the sheet, if it is there. */
  made(sheet) {
    return this.on.get(sheet)?.made;
  }

  find(view) {
    const item = this.kept.get(view.url) ?? { view, tries: 0 };
    this.kept.delete(view.url);
    this.kept.set(view.url, item);
    if (!item.made && !item.again) this.fetch(item);
    for (const [url, old] of this.kept) if (this.kept.size > KEPT && !this.shown(old)) this.forget(url, old);
    return item;
  }

  forget(url, item) {
    this.kept.delete(url);
    if (item.made) this.drop?.(item.made);
  }

  shown(item) {
    return this.on.get(item.sheet) === item && item.sheet.isConnected;
  }

  fetch(item) {
    if (item.busy || item.refused) return;
    item.busy = true;
    clearTimeout(item.again);
    item.again = null;
    item.coming = this.load(item.view)
      .then((made) => Object.assign(item, { made, problem: "" }))
      .catch((error) => this.failed(item, error))
      .finally(() => this.settle(item));
  }

  failed(item, { sentence }) {
    item.problem = sentence || UNREACHED;
    item.refused = Boolean(sentence);
    const wait = RETRY[Math.min(item.tries++, RETRY.length - 1)];
    item.again = setTimeout(() => {
      item.again = null; // one that nobody looks at waits until it is wanted
      if (this.shown(item)) this.fetch(item);
    }, wait);
  }

  settle(item) {
    item.busy = false;
    if (!this.shown(item)) return;
    this.fill(item);
    if (item.made && item.sheet.hasAttribute("data-front")) this.arrive?.(item.sheet);
  }

  fill({ sheet, view, made, problem }) {
    sheet.toggleAttribute("data-unseen", !made); // nothing was seen that a label could be about
    sheet.replaceChildren(made ? this.lay(made) : this.excuse(problem), factsOf(view));
  }

  excuse(problem) {
    const excuse = node("div", problem ? "excuse" : "excuse late");
    excuse.append(node("p", "", problem || "Loading…"));
    excuse.append(node("p", "quiet", problem ? "It can be skipped, not labeled." : "It can be labeled once it is here."));
    return excuse;
  }
}
