import { Clock, Server, beacons, emptyStorage } from "./fakes.js";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Deck } from "../../../pages/deck/deck.js";
import { MODES } from "../../../pages/deck/modes.js";
import { VIEWS } from "../../../pages/deck/views.js";

beforeEach(emptyStorage);

const DATA = {
  project: "wine", title: "Wine", view: "record", url: "/labeling/exchange", token: "t", portion: 32,
  categories: [{ name: "red", key: "r" }, { name: "white", key: "w" }], offered: "0-a",
};

/** A deck on a screen that paints nothing, with samples a, b and c to look at. */
function deckIn(context, mode = "label", more = {}) {
  const clock = new Clock(context);
  const server = new Server(context);
  const deck = new Deck("db/anna", MODES[mode]);
  deck.update(DATA, () => {});
  deck.screen = {
    root: { isConnected: true }, front: { querySelectorAll: () => [] }, part: {}, unseen: false, show: () => false, showSaved: () => {},
  };
  deck.known = true;
  deck.queue = ["a", "b", "c"].map((sample_id) => deck.policy.entryOf({ sample_id, view: {}, ...more }));
  return { deck, clock, server };
}

const ids = (entries) => entries.map(({ sample_id }) => sample_id);
const sent = (deck) => deck.outbox.decisions().map(({ sample_id, action, category }) => [sample_id, action, category]);

test("every mode says all that differs between modes", () => {
  for (const policy of Object.values(MODES)) {
    assert.deepEqual(Object.keys(policy).sort(), Object.keys(MODES.label).sort());
  }
});

test("every view can paint and says how many samples it keeps ready", () => {
  for (const [name, view] of Object.entries(VIEWS)) {
    assert.ok(view.depth > 0, name);
    assert.equal(typeof view.paint, "function", name);
    assert.equal(typeof view.prefetch, "function", name);
  }
});

test("labeling: a key decides on the first sample, skips it, or takes the last decision back", (context) => {
  const { deck } = deckIn(context);
  for (const command of [{ category: "red" }, "skip", "undo"]) deck.press(command);
  assert.deepEqual(sent(deck), [["a", "label", "red"], ["b", "skip", null], ["b", "undo", null]]);
  assert.deepEqual(ids(deck.queue), ["b", "c"]);
  assert.deepEqual(ids(deck.decided), ["a"]);
});

test("a comment goes on with what was typed in the former place while this one was laid out", (context) => {
  const { deck } = deckIn(context);
  const [entry] = deck.queue;
  deck.screen.part.comment = { value: "cor", focus: () => {} }; // laid out with the draft of that moment
  entry.draft = "cork"; // the former field still had the focus
  deck.act({ field: "comment", text: "ed" }); // typed after it was gone
  assert.deepEqual([deck.screen.part.comment.value, entry.draft], ["corked", "corked"]);
  deck.screen.part.comment.value = "";
  entry.draft = undefined;
  deck.act({ field: "comment", text: "" });
  assert.equal(entry.draft, undefined); // nothing was written
});

test("a search goes on in the next place with all that was typed, and none of it is a category's key", (context) => {
  const { deck } = deckIn(context);
  const begun = [];
  deck.screen.finder = { begin: (closed) => begun.push([deck.sought, closed]) };
  deck.press("find");
  deck.sought = "wh"; // as typed in the place that goes now
  deck.writing = "find";
  deck.resume();
  for (const key of ["r", "i", "Enter"]) assert.ok(deck.spell(key));
  assert.equal(deck.spell("w"), false); // the search is over: it is a key again
  deck.press({ category: "white" });
  assert.deepEqual(sent(deck), []); // in its turn
  deck.drain();
  assert.deepEqual(begun, [["", undefined], ["whri", "Enter"]]);
  assert.deepEqual(sent(deck), [["a", "label", "white"]]);
});

test("labeling: a decision that was gone back to is changed, and the next one shown", (context) => {
  const { deck } = deckIn(context);
  for (const command of [{ category: "red" }, { category: "red" }, "first"]) deck.press(command);
  deck.decided[0].draft = " corked ";
  deck.press({ category: "white" });
  assert.deepEqual(sent(deck).at(-1), ["a", "label", "white"]);
  assert.deepEqual([deck.decided[0].comment, deck.decided[0].draft], ["corked", undefined]);
  assert.equal(deck.cursor, 1);
  assert.deepEqual(deck.decided.map(({ category }) => category), ["white", "red"]);
});

test("labeling: nothing that could not be seen is labeled, but it can be skipped", (context) => {
  const { deck } = deckIn(context);
  deck.screen.unseen = true;
  deck.press({ category: "red" });
  deck.press("skip");
  assert.deepEqual(sent(deck), [["a", "skip", null]]);
});

test("reviewing: a label is kept, changed, put off, and what it was when it is taken back", (context) => {
  const { deck } = deckIn(context, "review", { given: "red" });
  for (const command of ["skip", "keep", { category: "white" }, "undo"]) deck.press(command);
  assert.deepEqual(sent(deck), [["b", "keep", "red"], ["c", "label", "white"], ["c", "undo", "red"]]);
  assert.deepEqual(ids(deck.queue), ["c", "a"]);
  assert.equal(deck.queue[0].category, "red");
  assert.deepEqual(deck.policy.missing(deck), null);
});

test("reviewing: what cannot be seen is not decided at all", (context) => {
  const { deck } = deckIn(context, "review", { given: "red" });
  deck.screen.unseen = true;
  deck.press("keep");
  assert.deepEqual(sent(deck), []);
});

test("adjudicating: a sample can be settled without a label; what people said stays with it", (context) => {
  const opinions = [{ annotator: "bo", category: "red", comment: null }];
  const { deck } = deckIn(context, "adjudicate", { opinions });
  for (const command of ["none", "undo", "skip", { category: "red" }]) deck.press(command);
  assert.deepEqual(sent(deck), [["a", "skip", null], ["a", "undo", null], ["b", "label", "red"]]);
  assert.deepEqual(ids(deck.queue), ["c", "a"]);
  assert.deepEqual(deck.queue[1].opinions, opinions);
});

test("keys wait while their sample is not painted, and are worked off one per sample", (context) => {
  const { deck } = deckIn(context);
  deck.painted = false;
  deck.press({ category: "red" });
  deck.press("help");
  assert.equal(deck.unsaved, 1);
  assert.equal(deck.early, 1); // said apart: a reload would lose it
  assert.equal(deck.outbox.size, 0);
  deck.screen.keys = { toggle() {} };
  deck.painted = true;
  deck.drain();
  assert.deepEqual(sent(deck), [["a", "label", "red"]]);
  assert.deepEqual(deck.keys, []);
});

test("counts are the server's and what is on its way there", (context) => {
  const { deck } = deckIn(context);
  assert.equal(deck.countsNow(), null);
  deck.counts = { labeled: 5, skipped: 1, total: 9, categories: { red: 5 }, mine: 2 };
  for (const command of [{ category: "white" }, "skip", "undo"]) deck.press(command);
  const { labeled, skipped, categories } = deck.countsNow();
  assert.deepEqual([labeled, skipped, categories], [6, 1, { red: 5, white: 1 }]);
  assert.equal(deck.counts.labeled, 5);
});

test("a reply brings samples, each once, and takes back those that nobody has looked at", async (context) => {
  const { deck, server } = deckIn(context);
  deck.press({ category: "red" });
  const { message } = server.last.message;
  const samples = ["c", "d", "a", "b"].map((sample_id) => ({ sample_id, view: {} }));
  const counts = { labeled: 0, skipped: 0, total: 4, categories: {}, mine: 0 };
  await server.last.reply({ message, stored: {}, counts, learning: null, drop: ["b", "c"], samples });
  assert.deepEqual(ids(deck.queue), ["b", "c", "d"]); // b is on the screen; a is being decided
});

test("more samples are asked for once there is room for a portion", (context) => {
  const { deck } = deckIn(context);
  deck.depth = 256;
  const queueOf = (number) => (deck.queue = Array.from({ length: number }, (_, i) => ({ sample_id: `s${i}` })));
  queueOf(256 - 31);
  assert.equal(deck.room(), 0);
  queueOf(256 - 32);
  assert.equal(deck.room(), 32);
});

test("left for long: the samples are handed back, what is unsaved goes with them", async (context) => {
  const farewells = beacons(context);
  const { deck } = deckIn(context);
  deck.handBack(); // it is on a page: nothing happens
  assert.equal(farewells.length, 0);
  deck.press({ category: "red" });
  deck.painted = false;
  deck.press({ category: "white" });
  deck.leave(); // what waited was for a sample that was never seen
  assert.equal(deck.unsaved, 1);
  deck.handBack();
  deck.handBack();
  assert.equal(farewells.length, 1);
  const message = JSON.parse(await farewells[0].blob.text());
  assert.deepEqual([message.release, message.want, message.holding], [true, 0, ["b", "c"]]);
  assert.deepEqual(message.decisions.map(({ sample_id }) => sample_id), ["a"]);
  assert.deepEqual(deck.queue, []);
});
