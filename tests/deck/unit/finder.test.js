import "./fakes.js";
import assert from "node:assert/strict";
import { test } from "node:test";

import { plain, ranked, recentOf } from "../../../pages/deck/finder.js";

const named = (...names) => names.map((name) => ({ name, key: null }));
const found = (typed, categories, recent = [], counts = {}) =>
  ranked(typed, categories, recent, counts).map(({ name }) => name);

test("the name itself comes first, then its beginning, a later word, and what is within", () => {
  const all = named("blackbird", "great bird", "birdsong", "bird", "ostrich");
  assert.deepEqual(found("bird", all), ["bird", "birdsong", "great bird", "blackbird"]);
});

test("among those that fit alike, the last ones given come first, then the most frequent", () => {
  const all = named("robin a", "robin b", "robin c", "robin d");
  assert.deepEqual(found("rob", all, ["robin c"], { "robin d": 5, "robin b": 2 }), [
    "robin c", "robin d", "robin b", "robin a",
  ]);
});

test("case, accents, zero-width characters and marks of direction do not count", () => {
  assert.equal(plain("Ça\u200b \u202bVa\u00ad"), "ca va");
  assert.deepEqual(found("strasse", named("Straße")), []); // ß is no accent
  assert.deepEqual(found("emu", named("Émü", "أسد")), ["Émü"]);
  assert.deepEqual(found("أس", named("Émü", "أسد")), ["أسد"]);
});

test("three keys find any of a thousand", () => {
  const all = named(...Array.from({ length: 1000 }, (_, at) => `species ${String(at).padStart(3, "0")}`));
  for (const at of ["000", "517", "999"]) assert.deepEqual(found(at, all), [`species ${at}`]);
});

test("the categories given last, each once, the newest first", () => {
  const decided = [{ category: "a" }, { category: "b" }, null, { category: null }, { category: "a" }];
  assert.deepEqual(recentOf(decided), ["a", "b"]);
});
