import { emptyStorage } from "./fakes.js";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Outbox } from "../../../pages/deck/outbox.js";

const fields = (sample_id, category = "red") => ({
  sample_id, action: "label", category, comment: null, seconds: 1.5, offered: "0-abc",
});
const labeled = [[undefined, -1], [{ status: "LABELED", category: "red" }, 1]];
let storage;

beforeEach(() => {
  storage = emptyStorage();
});

/** An outbox with so many decisions, about samples s1, s2 and so on. */
function outboxOf(number, store = "db/anna") {
  const outbox = new Outbox(store);
  for (let i = 1; i <= number; i++) outbox.add(fields(`s${i}`), labeled);
  return outbox;
}

test("decisions are numbered from one on, by one client", () => {
  const outbox = outboxOf(3);
  assert.deepEqual(outbox.decisions().map(({ seq }) => seq), [1, 2, 3]);
  assert.match(outbox.client, /^[0-9a-f]{16}$/);
  assert.ok(outbox.decisions().every(({ client }) => client === outbox.client));
  assert.notEqual(new Outbox("db/anna").client, outbox.client);
});

test("each decision is in the browser's storage as soon as it is made", () => {
  const outbox = outboxOf(2);
  const names = Object.keys(storage);
  assert.deepEqual(names, [`mll:db/anna:${outbox.client}:1`, `mll:db/anna:${outbox.client}:2`]);
  assert.deepEqual(JSON.parse(storage.getItem(names[1])), outbox.decisions()[1]);
});

test("what a closed tab left behind is taken over with its client and number", () => {
  const left = outboxOf(2).decisions();
  const next = new Outbox("db/anna");
  assert.deepEqual(next.decisions(), left);
  next.add(fields("s3"), labeled);
  assert.equal(next.decisions().find(({ sample_id }) => sample_id === "s3").seq, 1);
  next.adopt(); // once more: nothing twice
  assert.equal(next.size, 3);
});

test("what is taken over does not count once more: the server's counts may contain it", () => {
  outboxOf(1);
  const [{ delta }] = new Outbox("db/anna").entries;
  assert.deepEqual(delta, []);
});

test("decisions of another person, list or database are left alone", () => {
  outboxOf(1, "db/anna");
  outboxOf(1, "db/ann");
  outboxOf(1, "other/anna");
  storage.setItem("mll-autoplay", "off");
  storage.setItem("mll:db/anna:review:0123:1", "{}"); // a longer name of a store
  assert.equal(new Outbox("db/anna").size, 1);
});

test("an entry that a crash left half written is dropped", () => {
  storage.setItem("mll:db/anna:abc:1", '{"client": "abc", "se');
  assert.equal(new Outbox("db/anna").size, 0);
  assert.deepEqual(Object.keys(storage), []);
});

test("decisions go out by client and number, at most 1,000 at once", () => {
  for (const [client, seq] of [["b", 2], ["a", 10], ["b", 1], ["a", 9]]) {
    storage.setItem(`mll:db/anna:${client}:${seq}`, JSON.stringify({ client, seq, ...fields("s") }));
  }
  const outbox = new Outbox("db/anna");
  assert.deepEqual(outbox.decisions().map(({ client, seq }) => client + seq), ["a9", "a10", "b1", "b2"]);
  for (let i = 0; i < 1200; i++) outbox.add(fields(`t${i}`), labeled);
  assert.equal(outbox.decisions().length, 1000);
  assert.equal(outbox.size, 1204);
});

test("what the server has stored is forgotten, up to the highest number of each client", () => {
  const outbox = outboxOf(4);
  outbox.prune({ [outbox.client]: 2, another: 9 }, []);
  assert.deepEqual(outbox.decisions().map(({ seq }) => seq), [3, 4]);
  assert.equal(Object.keys(storage).length, 2);
  assert.equal(outbox.has("s2"), false);
  assert.equal(outbox.has("s3"), true);
  outbox.prune({}, []);
  assert.equal(outbox.size, 2);
});

test("what was refused is forgotten alone, what came before it waits on", () => {
  const outbox = outboxOf(3);
  outbox.prune({}, [{ client: outbox.client, seq: 2 }]);
  assert.deepEqual(outbox.decisions().map(({ seq }) => seq), [1, 3]);
  outbox.add(fields("s4"), labeled);
  assert.equal(outbox.decisions().at(-1).seq, 4); // no number is used twice
});

test("a decision is held until it is pruned", () => {
  const outbox = outboxOf(1);
  const [decision] = outbox.decisions();
  assert.ok(outbox.holds(decision));
  outbox.prune({ [outbox.client]: 1 }, []);
  assert.ok(!outbox.holds(decision));
});

test("a category renamed meanwhile: the decision keeps its name and the stamp it was made under", () => {
  outboxOf(1);
  const after = new Outbox("db/anna"); // the page was loaded again, with other categories
  after.add({ ...fields("s2", "rouge"), offered: "1-def" }, labeled);
  const said = after.decisions().map(({ category, offered }) => [category, offered]);
  assert.deepEqual(said.sort(), [["red", "0-abc"], ["rouge", "1-def"]]);
});

test("a storage that is full or forbidden loses nothing that is in memory", () => {
  const forbidden = () => {
    throw new DOMException("QuotaExceededError");
  };
  globalThis.localStorage = new Proxy({}, { get: () => forbidden, ownKeys: forbidden });
  const outbox = outboxOf(2);
  assert.equal(outbox.size, 2);
  outbox.prune({ [outbox.client]: 1 }, []);
  assert.deepEqual(outbox.decisions().map(({ seq }) => seq), [2]);
});
