// @ts-check
/* The control below a picture of more than 8 bits a channel: two sliders, two numbers. It stays
   where it is while pictures change, and keeps the focus. */

import { write } from "./dom.js";
import { brief, levels } from "./levels.js";

/** @import { ImageFile } from "./types.d.ts" */
/** @import { Head, Range, Values } from "./levels.js" */
/** What is in front.
 * @typedef {{view: ImageFile, values: Values | null, trouble: string, shade(): void}} Seen */

const STEPS = 256; // of a slider from end to end

export const control = {
  /** @type {Seen | null} */
  seen: null,
  /** @type {HTMLElement | null} */
  panel: null,
  asked: 0,
  /** A number that somebody has begun to write: nothing else is written there meanwhile.
   * @type {HTMLInputElement | null} */
  typing: null,

  /** @param {HTMLElement} sheet
   * @param {Seen | undefined} seen */
  show(sheet, seen) {
    this.seen = seen ?? null;
    this.panel = sheet.closest(".deck")?.querySelector('[data-part="levels"]') ?? null;
    if (!this.panel) return;
    this.panel.hidden = !(levels.open && seen?.view.levels);
    if (this.panel.hidden) return;
    this.listen(this.panel);
    this.fill();
  },

  listen(/** @type {HTMLElement} */ panel) {
    for (const input of this.inputs(panel)) {
      const change = () => input.value !== "" && this.move(input.dataset.end ?? "", Number(input.value));
      if (input.type === "range") {
        input.oninput = change;
        input.onpointerup = () => input.blur(); // arrows are the deck's again
      } else {
        input.oninput = () => (this.typing = input);
        input.onblur = () => (this.typing = null);
        input.onchange = () => {
          this.typing = null;
          if (!change()) this.fill();
        };
        input.onkeydown = ({ key }) => (key === "Enter" || key === "Escape") && input.blur();
      }
    }
    const reset = /** @type {HTMLButtonElement} */ (panel.querySelector('[data-levels="reset"]'));
    reset.onclick = () => this.choose(null);
  },

  /** @returns {HTMLInputElement[]} */
  inputs: (/** @type {HTMLElement} */ panel) => [.../** @type {any} */ (panel.querySelectorAll("[data-end]"))],

  /** @param {string} end
   * @param {number} value */
  move(end, value) {
    const range = this.range();
    if (range && Number.isFinite(value)) this.choose({ ...range, [end]: value });
    return Boolean(range);
  },

  /** @returns {Range | undefined} */
  range() {
    const { view, values } = this.seen ?? {};
    return (view && levels.range(view)) ?? (values ? { black: values.head.black, white: values.head.white } : undefined);
  },

  /** What is chosen is painted once a frame, however fast a slider moves. */
  choose(/** @type {Range | null} */ range) {
    if (!this.seen) return;
    levels.choose(this.seen.view, range);
    cancelAnimationFrame(this.asked);
    this.asked = requestAnimationFrame(() => this.seen?.shade());
  },

  /** The picture in front may have got its values, or other ones. */
  follow(/** @type {Seen} */ seen) {
    if (this.seen === seen && this.panel && !this.panel.hidden) this.fill();
  },

  fill() {
    const { panel, seen } = this;
    const range = this.range();
    if (!panel || !seen) return;
    const head = seen.values?.head;
    for (const input of this.inputs(panel)) {
      input.disabled = !head;
      if (!head || !range || input === this.typing) continue;
      if (input.type === "range") this.scale(input, range, head);
      input.value = brief(input.dataset.end === "black" ? range.black : range.white);
    }
    const same = levels.range(seen.view);
    const holds = head ? `Holds ${brief(head.low)} to ${brief(head.high)}. ` : "";
    const rule = same ? "The same for all, while the page is open." : "Each picture goes by what it holds.";
    write(/** @type {Element} */ (panel.querySelector('[data-levels="said"]')), seen.trouble || (head ? holds + rule : "Loading…"));
    /** @type {HTMLButtonElement} */ (panel.querySelector('[data-levels="reset"]')).disabled = !same;
  },

  /** Both ends of a slider, and its steps, from all that may be wanted.
   * @param {HTMLInputElement} input
   * @param {Range} range
   * @param {Head} head */
  scale(input, { black, white }, head) {
    const wanted = [black, white, head.black, head.white, head.low, head.high];
    const least = Math.min(...wanted);
    const most = Math.max(...wanted);
    const step = (most - least) / STEPS || 1;
    input.min = String(least);
    input.max = String(most);
    input.step = String(wanted.every(Number.isInteger) ? Math.max(1, Math.round(step)) : step);
  },
};
