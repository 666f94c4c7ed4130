import { FakeElement } from "./fakes.js";
import assert from "node:assert/strict";
import { test } from "node:test";

import { adopt } from "../../../pages/deck/habits.js";
import { onKey } from "../../../pages/deck/keys.js";
import { MODES } from "../../../pages/deck/modes.js";

const CATEGORIES = [
  { name: "red", key: "r" },
  { name: "cava", key: "C" },
  { name: "white", key: null },
];

/** A deck that writes down what is pressed; `page` is what stands around it. */
function deckIn(mode = "label", view = {}) {
  const page = new FakeElement("body");
  const root = new FakeElement("section", {}, page);
  const comment = new FakeElement("input", { type: "text" }, root);
  const part = { comment, finder: { hidden: false } };
  const keys = { isOpen: false, toggle: () => (keys.isOpen = !keys.isOpen) };
  const screen = { root, part, keys };
  const deck = { categories: CATEGORIES, view, policy: MODES[mode], screen, page, pressed: [], spelled: "" };
  deck.press = (command) => deck.pressed.push(command);
  deck.spell = () => false;
  return deck;
}

/** A key press on `target`, deep inside of what listens to it; what became of it. */
function press(deck, key, { target = deck.page, ...more } = {}) {
  const event = {
    key, code: "", repeat: false, ctrlKey: false, altKey: false, metaKey: false, shiftKey: false,
    isComposing: false, prevented: false, stopped: false, getModifierState: () => false, ...more,
    composedPath: () => [target, deck.page],
    preventDefault: () => (event.prevented = true),
    stopImmediatePropagation: () => (event.stopped = true),
  };
  onKey(event, deck);
  return event;
}

/** The commands that these keys come to. */
function commands(deck, ...keys) {
  for (const key of keys) press(deck, key);
  return deck.pressed.splice(0);
}

test("a category's key labels, in small and in capital letters, and goes no further", () => {
  const deck = deckIn();
  const red = { category: "red" };
  const cava = { category: "cava" };
  assert.deepEqual(commands(deck, "r", "R", "c", "C"), [red, red, cava, cava]);
  const event = press(deck, "r");
  assert.ok(event.prevented && event.stopped);
});

test("a keyboard without Latin letters: what stands on the key cap besides", () => {
  const deck = deckIn();
  press(deck, "к", { code: "KeyR" });
  press(deck, "Dead", { code: "KeyR" });
  press(deck, "q", { code: "KeyR" }); // a Latin letter means itself, wherever it is
  assert.deepEqual(deck.pressed, [{ category: "red" }]);
});

test("a letter without a meaning is kept from Streamlit; other keys are the browser's", () => {
  const deck = deckIn();
  const letter = press(deck, "x");
  assert.deepEqual([letter.stopped, letter.prevented], [true, false]);
  const other = press(deck, "F5");
  assert.deepEqual([other.stopped, other.prevented], [false, false]);
  assert.deepEqual(deck.pressed, []);
});

test("keys with Ctrl, Alt or Meta and those of an input method are no keys of ours", () => {
  const deck = deckIn();
  for (const how of ["ctrlKey", "altKey", "metaKey", "isComposing"]) {
    const event = press(deck, "r", { [how]: true });
    assert.deepEqual([event.stopped, event.prevented], [false, false], how);
  }
  assert.deepEqual(deck.pressed, []);
});

test("a held key decides once; only going back and forth and scrolling go on", () => {
  const deck = deckIn();
  for (const key of ["r", "Delete", "Backspace", "Home", "/"]) {
    assert.ok(press(deck, key, { repeat: true }).stopped, key);
  }
  assert.deepEqual(deck.pressed, []);
  for (const key of ["ArrowLeft", "ArrowRight", "PageUp", "PageDown"]) press(deck, key, { repeat: true });
  assert.deepEqual(deck.pressed, ["back", "next", "up", "down"]);
});

test("the keys of every mode", () => {
  const keys = ["Backspace", "ArrowUp", "Home", "ArrowDown", "End", "/", "?"];
  const expected = ["undo", "first", "first", "last", "last", "comment", "help"];
  for (const mode of Object.keys(MODES)) {
    const deck = deckIn(mode);
    assert.deepEqual(commands(deck, ...keys), expected);
    press(deck, "ArrowRight", { shiftKey: true });
    assert.deepEqual(deck.pressed, ["skip"]);
  }
});

test("Tab moves the focus; it skips for those who have chosen so, and Shift+Tab never", (context) => {
  context.after(() => adopt("tab", false));
  const deck = deckIn();
  const prevented = () => [false, true].map((shiftKey) => press(deck, "Tab", { shiftKey }).prevented);
  assert.deepEqual(prevented(), [false, false]);
  assert.deepEqual(deck.pressed, []);
  adopt("tab", true);
  assert.deepEqual(prevented(), [true, false]);
  assert.deepEqual(deck.pressed, ["skip"]);
  assert.deepEqual(JSON.parse(globalThis.localStorage.getItem("mll-habits")), { tab: true, single: true });
});

test("keys that write a character are nobody's, if one wants that; the others stay", (context) => {
  context.after(() => adopt("single", true));
  adopt("single", false);
  const deck = deckIn("review", { actions: { replay: { keys: [" "] }, faster: { keys: ["+"] } } });
  assert.deepEqual(commands(deck, "r", "C", "к", "1", "/", "?", "k", " ", "+"), []);
  assert.equal(press(deck, "c").stopped, true); // nor Streamlit's
  assert.deepEqual(commands(deck, "Enter", "Backspace", "ArrowLeft"), ["keep", "undo", "back"]);
  press(deck, "Enter", { shiftKey: true });
  assert.deepEqual(deck.pressed, ["find"]);
});

test("each mode has keys of its own, which mean nothing elsewhere", () => {
  assert.deepEqual(commands(deckIn("label"), "k", "Delete"), ["skip"]);
  assert.deepEqual(commands(deckIn("review"), "Enter", "k", "K", "Delete"), ["keep", "keep", "keep"]);
  assert.deepEqual(commands(deckIn("adjudicate"), "k", "Delete"), ["none"]);
});

test("what is typed into a field, a list or a dialog is no key of ours", () => {
  const deck = deckIn();
  const within = (tag, attributes = {}) =>
    new FakeElement("span", {}, new FakeElement(tag, attributes, deck.page));
  const typing = [
    within("input", { type: "text" }), within("input"), within("textarea"), within("select"),
    within("dialog"), within("div", { role: "dialog" }), within("div", { role: "slider" }),
    within("ul", { role: "menu" }), within("ul", { role: "listbox" }),
    within("div", { contenteditable: "" }), within("div", { contenteditable: "true" }),
  ];
  for (const target of typing) assert.equal(press(deck, "r", { target }).stopped, false);
  assert.deepEqual(deck.pressed, []);
});

test("a checkbox, a button and a text that cannot be edited leave the keys to the deck", () => {
  const deck = deckIn();
  const targets = [
    ["input", { type: "checkbox" }], ["input", { type: "button" }], ["input", { type: "submit" }],
    ["button", {}], ["div", { contenteditable: "false" }],
  ];
  for (const [tag, attributes] of targets) {
    press(deck, "r", { target: new FakeElement(tag, attributes, deck.page) });
  }
  assert.equal(deck.pressed.length, targets.length);
});

test("a target that is no element, such as the document, is no hindrance", () => {
  const deck = deckIn();
  press(deck, "r", { target: {} });
  assert.deepEqual(deck.pressed, [{ category: "red" }]);
});

test("in the comment, Enter and Escape leave it and all else is text", () => {
  const deck = deckIn("review");
  const target = deck.screen.part.comment;
  assert.equal(press(deck, "r", { target }).stopped, false);
  assert.equal(press(deck, "Enter", { target, isComposing: true }).stopped, false);
  assert.ok(!target.blurred);
  assert.ok(press(deck, "Enter", { target }).stopped);
  assert.ok(target.blurred);
  assert.deepEqual(deck.pressed, []);
});

test("a text behind a comment key that waits is part of the comment", () => {
  const deck = deckIn();
  deck.spell = (key) => Boolean((deck.spelled += key));
  assert.ok(press(deck, "r").prevented);
  assert.equal(deck.spelled, "r");
  assert.deepEqual(deck.pressed, []);
});

test("space and Enter press what has the focus outside the deck, and are the deck's inside", () => {
  const view = { actions: { replay: { keys: [" "], text: "Replay" } } };
  const deck = deckIn("review", view);
  const button = new FakeElement("button", {}, deck.page);
  const link = new FakeElement("a", {}, deck.page);
  assert.equal(press(deck, " ", { target: button }).prevented, false);
  assert.equal(press(deck, "Enter", { target: link }).prevented, false);
  assert.deepEqual(deck.pressed, []);
  press(deck, "Enter", { target: button }); // it may have the focus still from a click
  press(deck, " ", { target: new FakeElement("button", {}, deck.screen.root) });
  assert.deepEqual(deck.pressed, ["keep", { view: "replay" }]);
});

test("what the view can do has keys, unless they are a category's", () => {
  const view = { actions: { loop: { keys: ["l"] }, rotate: { keys: ["r"] }, faster: { keys: ["+", "="] }, pause: {} } };
  const deck = deckIn("label", view);
  const expected = [{ view: "loop" }, { view: "loop" }, { category: "red" }, { view: "faster" }];
  assert.deepEqual(commands(deck, "l", "L", "r", "="), expected);
});

test("while the keys are explained, none decides; Escape and ? close", () => {
  const deck = deckIn();
  deck.screen.keys.isOpen = true;
  assert.ok(press(deck, "r").stopped);
  assert.ok(press(deck, "Escape").prevented);
  assert.equal(deck.screen.keys.isOpen, false);
  assert.deepEqual(deck.pressed, []);
});

test("Enter finds a category where it means nothing else, Shift and Enter everywhere", () => {
  assert.deepEqual(commands(deckIn("label"), "Enter"), ["find"]);
  assert.deepEqual(commands(deckIn("adjudicate"), "Enter"), ["find"]);
  const review = deckIn("review");
  assert.deepEqual(commands(review, "Enter"), ["keep"]);
  press(review, "Enter", { shiftKey: true });
  assert.deepEqual(review.pressed, ["find"]);
});

test("without anything to find, Enter is not the deck's", () => {
  const deck = deckIn();
  deck.screen.part.finder.hidden = true;
  assert.ok(!press(deck, "Enter").prevented);
  assert.deepEqual(deck.pressed, []);
});

test("what is typed into a field of a former place goes to the text that waits for it", () => {
  const deck = deckIn();
  const typed = [];
  deck.spell = (key) => Boolean(typed.push(key));
  for (const part of ["comment", "find"]) {
    const target = new FakeElement("input", { type: "text", "data-part": part }, new FakeElement("section"));
    assert.ok(press(deck, "r", { target }).prevented);
  }
  assert.deepEqual([typed, deck.pressed], [["r", "r"], []]);
  const here = new FakeElement("input", { type: "text", "data-part": "find" }, deck.screen.root);
  assert.ok(!press(deck, "r", { target: here }).prevented);
});

test("what Tab has led to is pressed by Enter and the space bar, wherever it is", () => {
  const view = { actions: { replay: { keys: [" "], text: "Replay" } } };
  const deck = deckIn("review", view);
  press(deck, "Tab");
  for (const within of [deck.screen.root, deck.page]) {
    for (const key of ["Enter", " "]) {
      const target = new FakeElement("button", {}, within);
      assert.ok(!press(deck, key, { target }).prevented);
    }
  }
  assert.deepEqual(deck.pressed, []);
});

test("AltGr, and Option on a Mac, write characters; Ctrl and Alt with a letter are shortcuts", () => {
  const deck = deckIn();
  deck.categories = [{ name: "at", key: "@" }, { name: "red", key: "r" }];
  const altGr = { ctrlKey: true, altKey: true, getModifierState: (/** @type {string} */ name) => name === "AltGraph" };
  press(deck, "@", altGr);
  press(deck, "@", { altKey: true });
  press(deck, "r", { ctrlKey: true });
  press(deck, "r", { altKey: true });
  press(deck, "@", { ctrlKey: true });
  assert.deepEqual(deck.pressed, [{ category: "at" }, { category: "at" }]);
});
