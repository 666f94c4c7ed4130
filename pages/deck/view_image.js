// @ts-check
/* An image: fitted to the sheet, zoomed at the pointer, dragged about. */

import { node, write } from "./dom.js";
import { MediaView, decodedImage, nameOf, showFacts } from "./view_media.js";

/** @import { ImageFile, View } from "./types.d.ts" */
/** @typedef {[number, number]} Point */

const PIXELS = 16; // times its actual size that an image can be enlarged to, or 8 times the fitted

class Zoom {
  /** 1 is the image fitted to the frame; x and y move it, in CSS pixels. */
  scale = 1;
  x = 0;
  y = 0;
  /** @type {Map<number, Point>} */
  pointers = new Map();

  /** @param {HTMLImageElement} image
   * @param {ImageFile} view */
  constructor(image, { width, height, pixelated }) {
    this.image = image;
    this.size = [width || image.naturalWidth, height || image.naturalHeight];
    this.frame = node("figure", "image");
    this.frame.toggleAttribute("data-pixelated", Boolean(pixelated));
    this.percent = node("figcaption", "reading");
    this.frame.append(image, this.percent);
    this.listen();
    this.fit();
  }

  listen() {
    const { frame } = this;
    const release = (/** @type {PointerEvent} */ { pointerId }) => this.pointers.delete(pointerId);
    frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    frame.onpointerdown = (event) => this.grasp(event);
    frame.onpointermove = (event) => this.drag(event);
    frame.onpointerup = frame.onpointercancel = frame.onlostpointercapture = release;
    frame.ondblclick = (event) => this.toggle(this.inside(event));
  }

  /** The scale at which one pixel of the image is one of the screen. */
  get actual() {
    const [width, height] = this.size;
    const { clientWidth, clientHeight } = this.frame;
    return 1 / devicePixelRatio / Math.min(clientWidth / width, clientHeight / height);
  }

  /** @returns {Point} */
  inside(/** @type {MouseEvent} */ { clientX, clientY }) {
    const { left, top } = this.frame.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  fit() {
    this.scale = 1;
    this.x = this.y = 0;
    this.draw();
  }

  /** @param {Point} [at] */
  toggle(at = [this.frame.clientWidth / 2, this.frame.clientHeight / 2]) {
    if (this.scale !== 1) this.fit();
    else this.zoom(this.actual, at);
  }

  /** Enlarge by `factor`; what is at this point of the frame stays there.
   * @param {number} factor
   * @param {Point} point */
  zoom(factor, [left, top]) {
    const { actual } = this;
    const scale = Math.min(Math.max(this.scale * factor, Math.min(1, actual)), Math.max(8, PIXELS * actual));
    this.x = left - ((left - this.x) * scale) / this.scale;
    this.y = top - ((top - this.y) * scale) / this.scale;
    this.scale = scale;
    this.draw();
  }

  wheel(/** @type {WheelEvent} */ event) {
    event.preventDefault();
    const lines = event.deltaMode ? 16 : 1;
    const pinch = event.ctrlKey ? 5 : 1; // on a touchpad; its steps are finer
    this.zoom(Math.exp(-0.002 * pinch * lines * event.deltaY), this.inside(event));
  }

  grasp(/** @type {PointerEvent} */ event) {
    if (event.button) return;
    this.frame.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.inside(event));
  }

  /** One pointer moves the image; two, as far as they part, enlarge it. */
  drag(/** @type {PointerEvent} */ event) {
    if (!this.pointers.has(event.pointerId)) return;
    const before = this.grip();
    this.pointers.set(event.pointerId, this.inside(event));
    const after = this.grip();
    this.x += after.left - before.left;
    this.y += after.top - before.top;
    this.zoom(after.spread / before.spread, [after.left, after.top]);
  }

  grip() {
    const [[x, y], [x2, y2] = [x, y]] = this.pointers.values();
    return { left: (x + x2) / 2, top: (y + y2) / 2, spread: Math.hypot(x2 - x, y2 - y) || 1 };
  }

  draw() {
    const { frame, image, scale, size } = this;
    if (scale !== 1) {
      const room = [frame.clientWidth, frame.clientHeight];
      const fitted = Math.min(room[0] / size[0], room[1] / size[1]);
      this.x = within(this.x, room[0], size[0] * fitted, scale);
      this.y = within(this.y, room[1], size[1] * fitted, scale);
      write(this.percent, `${Math.round((100 * scale) / this.actual)} %`);
    }
    this.percent.hidden = scale === 1;
    image.style.transform = scale === 1 ? "" : `translate(${this.x}px, ${this.y}px) scale(${scale})`;
  }
}

/** Keep the image in its frame: centred where it is smaller, without a gap where it is larger.
 * @param {number} shift
 * @param {number} room
 * @param {number} fitted
 * @param {number} scale */
function within(shift, room, fitted, scale) {
  const margin = (room - fitted) / 2;
  if (fitted * scale <= room) return (room - room * scale) / 2;
  return Math.min(-margin * scale, Math.max(room - (margin + fitted) * scale, shift));
}

/** @type {MediaView<ImageFile, Zoom>} */
const images = new MediaView({
  load: async (view) => new Zoom(await decodedImage(view.url, nameOf(view)), view),
  lay: (zoom) => zoom.frame,
});

/** @satisfies {Partial<View>} */
const imageActions = {
  enter: (/** @type {HTMLElement} */ sheet) => images.made(sheet)?.fit(),
  actions: {
    actual: {
      keys: ["z"],
      text: "Actual size",
      help: "actual size, or fitted again; the wheel or two fingers zoom, dragging moves",
      run: (/** @type {HTMLElement} */ sheet) => images.made(sheet)?.toggle(),
    },
    facts: showFacts,
  },
};

export const imageView = Object.assign(images, imageActions);
