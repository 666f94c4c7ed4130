// @ts-check
/* Pictures of more than 8 bits a channel: which of their values is black, and which is white. */

import { node } from "./dom.js";
import { fetchMedia, nameOf } from "./view_media.js";

/** @import { ImageFile } from "./types.d.ts" */
/** In the file's own numbers; if `black` is the greater one, the picture is a negative.
 * @typedef {{black: number, white: number}} Range */
/** The picture holds values from `low` to `high`; a code c stands for low + step · c. `black` and
 * `white` are those where nobody said otherwise.
 * @typedef {Range & {width: number, height: number, channels: number, alpha: boolean, low: number, high: number, step: number}} Head */

const CODES = 65536;
const GROUND = 128; // below what is transparent

/** The values of one picture, and the canvas that they are painted on. */
export class Values {
  canvas = node("canvas");
  painted = "";

  /** `planes`: for each channel the upper bytes of all codes, then the lower ones; then alpha.
   * @param {Head} head
   * @param {Uint8Array} planes
   * @param {string} name */
  constructor(head, planes, name) {
    this.head = head;
    this.planes = planes;
    Object.assign(this.canvas, { width: head.width, height: head.height, role: "img", ariaLabel: name });
  }

  get count() {
    return this.head.width * this.head.height;
  }

  /** How bright each code is, 0 to 255. */
  levels(/** @type {Range} */ { black, white }) {
    const { low, step } = this.head;
    const factor = 255 / (white - black || 1e-300);
    return Uint8ClampedArray.from({ length: CODES }, (_, code) => (low + step * code - black) * factor);
  }

  paint(/** @type {Range} */ range) {
    const { head, planes, count, canvas } = this;
    if (this.painted === `${range.black} ${range.white}`) return;
    const levels = this.levels(range);
    const pixels = new ImageData(head.width, head.height);
    const bytes = pixels.data;
    const next = head.channels === 3 ? 2 * count : 0; // greys are the same three times
    const alpha = head.alpha ? 2 * head.channels * count : -1;
    for (let at = 0, to = 0; at < count; at++, to += 4) {
      for (let channel = 0, from = at; channel < 3; channel++, from += next) {
        bytes[to + channel] = levels[(planes[from] << 8) | planes[from + count]];
      }
      bytes[to + 3] = 255;
      if (alpha >= 0) onGround(bytes, to, planes[alpha + at] / 255);
    }
    canvas.getContext("2d")?.putImageData(pixels, 0, 0);
    this.painted = `${range.black} ${range.white}`;
  }
}

/** @param {Uint8ClampedArray} bytes
 * @param {number} at
 * @param {number} share */
function onGround(bytes, at, share) {
  for (let to = at; to < at + 3; to++) bytes[to] = share * bytes[to] + (1 - share) * GROUND;
}

export async function fetchValues(/** @type {ImageFile} */ view) {
  const packed = /** @type {Blob} */ (await fetchMedia(view.levels?.url ?? ""));
  const stream = packed.stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const end = bytes.indexOf(10);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  return new Values(head, bytes.subarray(end + 1), nameOf(view));
}

/** What a person has chosen, for as long as the page is open. */
export const levels = {
  open: false, // whether the control is
  project: "",
  /** @type {Map<string, Range>} */
  chosen: new Map(), // for each project and each kind of values

  key(/** @type {ImageFile} */ view) {
    return `${this.project}\n${view.levels?.values}`;
  },

  /** The range that is the same for all such pictures; undefined: each goes by what it holds. */
  range(/** @type {ImageFile} */ view) {
    return this.chosen.get(this.key(view));
  },

  /** Whether the values of the picture are needed: the picture that the server drew does not do. */
  wanted(/** @type {ImageFile} */ view) {
    return Boolean(view.levels && (this.open || this.range(view)));
  },

  /** @param {ImageFile} view
   * @param {Range | null} range */
  choose(view, range) {
    if (range) this.chosen.set(this.key(view), range);
    else this.chosen.delete(this.key(view));
  },
};

/** A number of a file in as many digits as one reads. */
export const brief = (/** @type {number} */ value) =>
  String(Number.isInteger(value) ? value : Number(value.toPrecision(6)));
