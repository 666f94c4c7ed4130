// @ts-check
/* An image: fitted to the sheet, zoomed at the pointer, dragged about. */

import { node, write } from "./dom.js";
import { brief, fetchValues, levels } from "./levels.js";
import { control } from "./levels_control.js";
import { MediaView, decodedImage, nameOf, showFacts } from "./view_media.js";

/** @import { ImageFile, View } from "./types.d.ts" */
/** @import { Values } from "./levels.js" */
/** @typedef {[number, number]} Point */

const PIXELS = 16; // times its actual size that an image can be enlarged to, or 8 times the fitted

class Zoom {
  /** 1 is the image fitted to the frame; x and y move it, in CSS pixels. */
  scale = 1;
  x = 0;
  y = 0;
  /** @type {Map<number, Point>} */
  pointers = new Map();
  trouble = ""; // why there are no values
  asking = false;

  /** `values` are those of more than 8 bits a channel, where they are here already.
   * @param {HTMLImageElement} image
   * @param {ImageFile} view
   * @param {Values | null} values */
  constructor(image, view, values) {
    const { width, height, pixelated } = view;
    this.view = view;
    this.values = values;
    this.image = image;
    /** @type {HTMLImageElement | HTMLCanvasElement} */
    this.seen = image;
    this.size = [width || image.naturalWidth, height || image.naturalHeight];
    this.frame = node("figure", "image");
    this.frame.toggleAttribute("data-pixelated", Boolean(pixelated));
    this.reading = node("figcaption", "reading");
    this.frame.append(image, this.reading);
    this.listen();
    this.fit();
    if (view.levels) this.shade();
  }

  /** Show the values in the range that is chosen; without one, the image as the server drew it. */
  shade() {
    const { view, values } = this;
    const wanted = levels.wanted(view);
    if (wanted && values) values.paint(levels.range(view) ?? values.head);
    else if (wanted) this.ask();
    const seen = wanted && values ? values.canvas : this.image;
    this.seen.replaceWith(seen);
    this.seen = seen;
    this.draw();
    control.follow(this);
  }

  async ask() {
    if (this.asking) return;
    this.asking = true;
    this.trouble = "";
    try {
      this.values = await fetchValues(this.view);
      this.shade();
    } catch {
      this.trouble = "The values of this picture cannot be had right now: it is shown as a whole.";
      control.follow(this);
    } finally {
      this.asking = false;
    }
  }

  /** What is changed of the picture, in words. */
  get changes() {
    const range = levels.open ? undefined : levels.range(this.view);
    const percent = this.scale === 1 ? "" : `${Math.round((100 * this.scale) / this.actual)} %`;
    return [percent, range && `${brief(range.black)} to ${brief(range.white)}`].filter(Boolean).join(" · ");
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
    const { frame, seen, scale, size, changes } = this;
    if (scale !== 1) {
      const room = [frame.clientWidth, frame.clientHeight];
      const fitted = Math.min(room[0] / size[0], room[1] / size[1]);
      this.x = within(this.x, room[0], size[0] * fitted, scale);
      this.y = within(this.y, room[1], size[1] * fitted, scale);
    }
    write(this.reading, changes);
    this.reading.hidden = !changes;
    seen.style.transform = scale === 1 ? "" : `translate(${this.x}px, ${this.y}px) scale(${scale})`;
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
  load: async (view) => {
    const values = levels.wanted(view) ? fetchValues(view).catch(() => null) : null; // asked for again
    return new Zoom(await decodedImage(view.url, nameOf(view)), view, await values);
  },
  lay: (zoom) => zoom.frame,
  arrive: (sheet) => imageActions.enter(sheet),
});

/** @satisfies {Partial<View>} */
const imageActions = {
  begin: (/** @type {string} */ project) => (levels.project = project),
  enter(/** @type {HTMLElement} */ sheet) {
    const zoom = images.made(sheet);
    zoom?.fit();
    if (zoom?.view.levels) zoom.shade();
    control.show(sheet, zoom);
  },
  actions: {
    actual: {
      keys: ["z"],
      text: "Actual size",
      help: "actual size, or fitted again; the wheel or two fingers zoom, dragging moves",
      run: (/** @type {HTMLElement} */ sheet) => images.made(sheet)?.toggle(),
    },
    levels: {
      keys: ["l"],
      text: "Levels",
      help: "which values of a picture of more than 8 bits a channel are black and white",
      run(/** @type {HTMLElement} */ sheet) {
        levels.open = !levels.open;
        for (const { made } of images.kept.values()) if (made?.view.levels) made.shade();
        control.show(sheet, images.made(sheet));
      },
      on: () => levels.open,
      use: (/** @type {HTMLElement} */ sheet) => Boolean(images.on.get(sheet)?.view.levels),
    },
    facts: showFacts,
  },
};

export const imageView = Object.assign(images, imageActions);
