// @ts-check
/* Small things that every part of the screen needs. Text goes in as textContent, always. */

/** Call `done` once what is in the page now has been painted (a hidden tab paints nothing). */
export function afterPaint(/** @type {() => void} */ done) {
  let open = true;
  const once = () => {
    if (open) done();
    open = false;
  };
  const unseen = () => open && (document.hidden ? once() : setTimeout(unseen, 250));
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      once();
    };
    port2.postMessage(null);
  });
  setTimeout(unseen, 250);
}

/** An element with a class and a text.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} [className]
 * @param {string | null} [text] */
export function node(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export function write(/** @type {Element} */ element, /** @type {string} */ text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Words of ours, then a text of somebody's, which has a direction of its own.
 * @param {Element} element
 * @param {string} words
 * @param {string} text */
export function tell(element, words, text) {
  if (element.textContent !== words + text) element.replaceChildren(words, node("bdi", "", text));
}

/** 1234567 -> 1,234,567 */
export const grouped = new Intl.NumberFormat("en").format;

/** The elements below `root` with a data attribute `data-<what>`: for each value, the first.
 * @param {HTMLElement} root
 * @param {"part" | "do"} what */
export function named(root, what) {
  /** @type {Record<string, HTMLElement>} */
  const found = {};
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(`[data-${what}]`))) {
    found[each.dataset[what] ?? ""] ??= each;
  }
  return found;
}
