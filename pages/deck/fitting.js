// @ts-check
/* How high the deck is in its page. */

/** Take the rest of the window's height, the padding Streamlit keeps below the page included.
 * @param {HTMLElement} root
 * @returns {Element | undefined} all that is scrolled together */
export function fit(root) {
  const { host } = /** @type {ShadowRoot} */ (root.getRootNode());
  /** @type {Element | null | undefined} */
  let pane = host?.parentElement;
  let below = 0;
  let page = host;
  while (pane && !/auto|scroll/.test(getComputedStyle(pane).overflowY)) {
    below += parseFloat(getComputedStyle(pane).paddingBottom) || 0;
    page = pane;
    pane = pane.parentElement;
  }
  pane ??= document.documentElement;
  const top = root.getBoundingClientRect().top - pane.getBoundingClientRect().top + pane.scrollTop;
  root.style.height = `${Math.max(440, Math.floor(pane.clientHeight - top - 16))}px`;
  root.style.marginBottom = `${-Math.max(0, below - 16)}px`;
  return page;
}
