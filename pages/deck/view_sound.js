// @ts-check
/* A sound: its picture with a playhead, heard as soon as it comes to the front. */

import { node, write } from "./dom.js";
import { atBase } from "./address.js";
import { MediaView, decodedImage, fetchMedia, nameOf, showFacts } from "./view_media.js";

/** @import { SoundFile, View } from "./types.d.ts" */

const IN_ONE = 2 * 2 ** 20; // bytes; longer files are fetched piece by piece while they play
const SLOW = 0.1; // the server makes it: a browser would throw away what is above hearing first
const SPEEDS = [SLOW, 0.5, 0.75, 1, 1.25, 1.5, 2];
const LINEAR = "mll-linear"; // names in the browser's storage
const AUTOPLAY = "mll-autoplay";
const MUTE = "Press any key or click: this browser plays no sound before that.";

/** What the browser's storage holds under a name, after `value` was put there if there is one.
 * @param {string} name
 * @param {string} [value] */
function remembered(name, value) {
  try {
    if (value !== undefined) localStorage.setItem(name, value);
    return localStorage.getItem(name);
  } catch {
    return null; // storage forbidden: remembered until the page is left
  }
}

class Player {
  static autoplay = remembered(AUTOPLAY) !== "off";
  static loop = false;
  static speed = 1;
  static linear = remembered(LINEAR) === "on";
  /** @type {Player | null} */
  static heard = null; // the player in front
  own = ""; // url of a blob that is to be freed
  frameAsked = 0;
  slow = false; // whether it plays its slow copy
  linear = false; // whether its picture is the linear one

  /** `picture` may be null; `blob` is null for a file that is played from its `url`.
   * @param {HTMLImageElement | null} picture
   * @param {Blob | null} blob
   * @param {SoundFile} view */
  constructor(picture, blob, view) {
    this.view = view;
    this.seconds = view.seconds;
    this.audio = new Audio(); // src is set as late as possible: an open file holds a connection
    this.audio.preload = "auto";
    if (blob) this.audio.src = this.own = URL.createObjectURL(blob);
    this.wave = node("div", "wave");
    this.head = node("i", "head");
    this.picture = picture ?? node("p", "quiet", "There is no picture of this sound.");
    this.axis = node("div", "axis");
    this.wave.append(this.picture, ...around(view.window), this.axis, this.head);
    if (picture) this.label("mel");
    this.clock = node("figcaption", "reading");
    this.hint = node("p", "hint");
    this.hint.hidden = true;
    this.frame = node("figure", "sound");
    this.frame.append(this.wave, this.hint, this.clock, this.audio);
    this.listen();
    this.draw();
  }

  listen() {
    const { audio, wave } = this;
    audio.onplay = () => this.follow();
    audio.onseeked = audio.onpause = audio.onended = () => this.draw();
    audio.onerror = () => this === Player.heard && this.say("This browser cannot play the file.");
    wave.onpointerdown = (event) => {
      wave.setPointerCapture(event.pointerId);
      this.seek(event);
      this.play();
    };
    wave.onpointermove = (event) => wave.hasPointerCapture(event.pointerId) && this.seek(event);
  }

  /** How many seconds are played in the place of one. */
  get stretch() {
    return this.slow ? 1 / SLOW : 1;
  }

  /** Write the frequencies of a scale beside the picture.
   * @param {"mel" | "linear"} scale */
  label(scale) {
    this.axis.replaceChildren(
      ...(this.view.axes?.[scale] ?? []).map(([text, share]) => {
        const tick = node("span", "", text);
        tick.style.top = `${100 * share}%`;
        return tick;
      }),
    );
  }

  /** Show the frequencies by the scale that is chosen. */
  async scale() {
    const linear = Player.linear;
    if (linear === this.linear || !(this.picture instanceof HTMLImageElement)) return;
    this.linear = linear;
    const { picture, linear: other } = this.view;
    const drawn = await decodedImage(linear ? other : picture, this.picture.alt).catch(() => null);
    if (!drawn || linear !== this.linear) return;
    this.picture.replaceWith(drawn);
    this.picture = drawn;
    this.label(linear ? "linear" : "mel");
  }

  seek(/** @type {PointerEvent} */ { clientX }) {
    const { left, width } = this.wave.getBoundingClientRect();
    this.audio.currentTime = this.stretch * this.seconds * Math.min(Math.max((clientX - left) / width, 0), 1);
    this.draw();
  }

  /** It came to the front. */
  enter() {
    Player.heard = this;
    if (!this.audio.getAttribute("src")) this.audio.src = this.source();
    this.adjust();
    this.scale();
    this.audio.currentTime = 0;
    this.draw();
    if (Player.autoplay) this.play();
  }

  source() {
    return this.slow ? atBase(this.view.slow) : this.own || atBase(this.view.url);
  }

  /** Change to the slow copy or back, at the same moment of the sound. */
  change() {
    const { audio } = this;
    const share = audio.currentTime / (this.stretch * this.seconds || 1);
    const playing = !audio.paused;
    this.slow = !this.slow;
    audio.src = this.source();
    audio.currentTime = share * this.stretch * this.seconds;
    if (playing) this.play();
  }

  leave() {
    if (Player.heard === this) Player.heard = null;
    this.audio.pause();
    this.hint.hidden = true;
    if (this.own && !this.slow) return;
    this.audio.removeAttribute("src");
    this.audio.load(); // lets go of the connection
  }

  drop() {
    if (this.own) URL.revokeObjectURL(this.own);
  }

  adjust() {
    const { audio } = this;
    if (this.slow !== (Player.speed === SLOW)) this.change();
    audio.loop = Player.loop;
    audio.preservesPitch = true;
    audio.playbackRate = audio.defaultPlaybackRate = this.slow ? 1 : Player.speed;
    this.draw();
  }

  async play() {
    this.hint.hidden = true;
    try {
      await this.audio.play();
    } catch (error) {
      const { name } = /** @type {Error} */ (error);
      if (name === "NotAllowedError" && this === Player.heard) this.say(MUTE);
    }
  }

  replay() {
    this.audio.currentTime = 0;
    this.play();
  }

  say(/** @type {string} */ sentence) {
    write(this.hint, sentence);
    this.hint.hidden = false;
  }

  follow() {
    cancelAnimationFrame(this.frameAsked);
    this.draw();
    if (!this.audio.paused) this.frameAsked = requestAnimationFrame(() => this.follow());
  }

  draw() {
    const now = Math.min(this.audio.currentTime / this.stretch, this.seconds); // decoders may add some silence
    const share = this.seconds ? now / this.seconds : 0;
    this.head.style.transform = `translateX(${100 * share}%)`;
    const speed = Player.speed === 1 ? "" : ` · ${Player.speed} ×`;
    write(this.clock, `${minutes(now)} / ${minutes(this.seconds)}${speed}`);
  }
}

/** What covers the sound before and behind the window that is to be labeled.
 * @param {[number, number]} [window] */
function around(window) {
  if (!window) return [];
  const [start, end] = window;
  const before = node("i", "around");
  const after = node("i", "around");
  before.style.inset = `0 ${100 * (1 - start)}% 0 0`;
  after.style.inset = `0 0 0 ${100 * end}%`;
  return [before, after];
}

/** 61.26 -> 1:01.2 */
function minutes(/** @type {number} */ seconds) {
  const tenths = Math.floor(10 * (seconds || 0) + 1e-6);
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return `${Math.floor(tenths / 600)}:${rest}`;
}

async function loadPlayer(/** @type {SoundFile} */ view) {
  const picture = decodedImage(view.picture, `Waveform and spectrogram of ${nameOf(view)}`);
  const drawn = picture.catch((error) => (error.sentence ? null : Promise.reject(error)));
  const [image, blob] = await Promise.all([drawn, fetchMedia(view.url, IN_ONE)]);
  return new Player(image, blob, view);
}

function faster(/** @type {number} */ step) {
  const at = SPEEDS.indexOf(Player.speed) + step;
  Player.speed = SPEEDS[Math.min(Math.max(at, 0), SPEEDS.length - 1)];
  Player.heard?.adjust();
}

// The first key or click lets sounds be heard; one that was refused until then starts now.
for (const what of ["keyup", "pointerup"]) {
  addEventListener(what, () => Player.heard?.hint.textContent === MUTE && !Player.heard.hint.hidden && Player.heard.play(), true);
}

/** @satisfies {Partial<View>} */
const soundActions = {
  enter: (/** @type {HTMLElement} */ sheet) => sounds.made(sheet)?.enter(),
  leave: (/** @type {HTMLElement} */ sheet) => sounds.made(sheet)?.leave(),
  actions: {
    replay: {
      keys: [" "],
      cap: "␣",
      text: "Replay",
      help: "play from the start; a click into the picture plays from there",
      run: (/** @type {HTMLElement} */ sheet) => sounds.made(sheet)?.replay(),
    },
    pause: {
      text: "Pause",
      run: () => Player.heard && (Player.heard.audio.paused ? Player.heard.play() : Player.heard.audio.pause()),
    },
    loop: {
      keys: ["l"],
      text: "Loop",
      help: "play again and again",
      run: () => {
        Player.loop = !Player.loop;
        Player.heard?.adjust();
      },
      on: () => Player.loop,
    },
    linear: {
      text: "Linear",
      run: () => {
        Player.linear = !Player.linear;
        remembered(LINEAR, Player.linear ? "on" : "off");
        Player.heard?.scale();
      },
      on: () => Player.linear,
    },
    slower: { keys: ["-"], text: "Slower", help: "slower, at the same pitch; last of all a tenth, and lower", run: () => faster(-1) },
    faster: { keys: ["+", "="], text: "Faster", help: "faster, at the same pitch", run: () => faster(1) },
    autoplay: {
      text: "Autoplay",
      run: () => {
        Player.autoplay = !Player.autoplay;
        remembered(AUTOPLAY, Player.autoplay ? "on" : "off");
      },
      on: () => Player.autoplay,
    },
    facts: showFacts,
  },
};

/** @type {MediaView<SoundFile, Player>} */
const sounds = new MediaView({
  load: loadPlayer,
  lay: (player) => player.frame,
  drop: (player) => player.drop(),
  arrive: soundActions.enter,
});

export const soundView = Object.assign(sounds, soundActions);
