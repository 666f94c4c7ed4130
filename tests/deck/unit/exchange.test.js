import { Clock, Server, beacons, emptyStorage, settled } from "./fakes.js";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Exchange } from "../../../pages/deck/exchange.js";
import { Outbox } from "../../../pages/deck/outbox.js";

beforeEach(emptyStorage);

/** What an exchange needs of a deck; `states` are the messages sent as component state. */
class FakeDeck {
  url = "/labeling/exchange";
  screen = {};
  queue = [];
  outbox = new Outbox("db/anna");
  states = [];
  received = [];
  failures = 0;
  news = false; // something besides decisions is wanted

  constructor() {
    this.sendAsState = (message) => this.states.push(message);
    this.exchange = new Exchange(this);
  }

  decide(sample_id) {
    this.outbox.add({ sample_id, action: "label" }, []);
    this.exchange.pump();
  }

  urgent() {
    return this.outbox.size > 0 || this.news;
  }

  pause() {
    return 5000;
  }

  compose(message) {
    return { message, decisions: this.outbox.decisions(), holding: this.queue, release: false, want: 8 };
  }

  receive(reply) {
    this.received.push(reply);
    this.outbox.prune(reply.stored ?? {}, []);
  }

  failed() {
    this.failures += 1;
  }
}

function start(context) {
  const clock = new Clock(context);
  const server = new Server(context);
  return { clock, server, deck: new FakeDeck() };
}

/** The reply to a message that has stored all of it. */
function storing({ message, decisions }) {
  const stored = {};
  for (const { client, seq } of decisions) stored[client] = Math.max(seq, stored[client] ?? 0);
  return { message, stored };
}

test("one message at a time, the next with all that came meanwhile", async (context) => {
  const { server, deck } = start(context);
  deck.decide("s1");
  deck.decide("s2");
  deck.decide("s3");
  assert.equal(server.requests.length, 1);
  assert.deepEqual(server.last.message.decisions.map(({ sample_id }) => sample_id), ["s1"]);
  await server.last.reply(storing(server.last.message));
  assert.equal(server.requests.length, 2);
  assert.equal(server.last.message.message, 2);
  assert.deepEqual(server.last.message.decisions.map(({ sample_id }) => sample_id), ["s2", "s3"]);
  await server.last.reply(storing(server.last.message));
  assert.equal(server.requests.length, 2);
  assert.equal(deck.outbox.size, 0);
});

test("nothing to send: the news are asked for after the deck's pause, unless it is on no page", async (context) => {
  const { clock, server, deck } = start(context);
  deck.exchange.pump();
  deck.exchange.pump();
  assert.deepEqual(clock.pending, [5000]);
  await clock.pass(5000);
  assert.equal(server.requests.length, 1);
  deck.screen = null;
  await server.last.reply({ message: 1 });
  assert.deepEqual(clock.pending, []);
});

test("a message without an answer is sent again after 1, 2, 4, 5, 5 seconds", async (context) => {
  const { clock, server, deck } = start(context);
  deck.sendAsState = null;
  deck.decide("s1");
  for (const [number, wait] of [1000, 2000, 4000, 5000, 5000].entries()) {
    await server.last.lose();
    assert.equal(deck.failures, number + 1);
    assert.deepEqual(clock.pending, [wait]);
    await clock.pass(wait - 1);
    assert.equal(server.requests.length, number + 1);
    await clock.pass(1);
    assert.equal(server.requests.length, number + 2);
    assert.deepEqual(server.last.message.decisions.map(({ seq }) => seq), [1]);
  }
  await server.last.reply(storing(server.last.message));
  assert.equal(deck.exchange.failures, 0);
  assert.equal(deck.outbox.size, 0);
});

test("ten seconds without an answer are none; one that comes later is not counted", async (context) => {
  const { clock, server, deck } = start(context);
  deck.decide("s1");
  const [first] = server.requests;
  await clock.pass(9999);
  assert.ok(first.open);
  await clock.pass(1);
  assert.ok(first.signal.aborted);
  assert.equal(deck.failures, 1);
  deck.exchange.answer(storing(first.message));
  assert.deepEqual(deck.received, []);
});

test("an answer to another message, or that is none, is a failure", async (context) => {
  const { server, deck } = start(context);
  deck.decide("s1");
  await server.last.reply({ message: 77 });
  assert.equal(deck.failures, 1);
  deck.exchange.hurry();
  await server.last.reply({ error: "The disk is full." }, 503);
  assert.equal(deck.failures, 2);
  assert.equal(deck.exchange.trouble, "The disk is full.");
  assert.equal(deck.exchange.refused, false);
});

test("who may not send is told to load the page again", async (context) => {
  const { server, deck } = start(context);
  deck.decide("s1");
  await server.last.reply({ error: "You may not label here." }, 403);
  assert.ok(deck.exchange.refused);
  assert.equal(
    deck.exchange.trouble,
    "You may not label here. Reload this page: your decisions wait in this browser.",
  );
  assert.equal(deck.outbox.size, 1);
});

test("the network is back: what waits for its next try goes at once, and only once", async (context) => {
  const { clock, server, deck } = start(context);
  deck.decide("s1");
  await server.last.lose();
  deck.exchange.hurry();
  deck.exchange.hurry();
  assert.equal(server.requests.length, 2);
  await clock.pass(1000);
  assert.equal(server.requests.length, 2);
});

test("after two failures every other try goes as component state; what works is used on", async (context) => {
  const { clock, server, deck } = start(context);
  deck.decide("s1");
  await server.last.lose();
  await clock.pass(1000);
  await server.last.lose();
  await clock.pass(2000);
  assert.deepEqual([server.requests.length, deck.states.length], [2, 1]);
  deck.exchange.heard(storing(deck.states[0]));
  assert.equal(deck.outbox.size, 0);
  deck.decide("s2");
  assert.deepEqual([server.requests.length, deck.states.length], [2, 2]);
});

test("a state that stays unanswered for five seconds was a try: the next one is a post", async (context) => {
  const { clock, server, deck } = start(context);
  deck.decide("s1");
  await server.last.lose();
  await clock.pass(1000);
  await server.last.lose();
  await clock.pass(2000 + 5000);
  assert.equal(deck.states.length, 1);
  assert.deepEqual(clock.pending, [4000]);
  await clock.pass(4000);
  assert.equal(server.requests.length, 3);
});

/** Make component state the way that works. */
function preferState(deck) {
  deck.exchange.preferred = "state";
}

test("a run of the page with the reply to another message leaves ours 1.5 seconds", async (context) => {
  const { clock, server, deck } = start(context);
  preferState(deck);
  deck.decide("s1");
  assert.equal(deck.states.length, 1);
  deck.exchange.heard({ message: 99 });
  deck.exchange.heard(null);
  await clock.pass(1500);
  assert.equal(deck.failures, 1);
  await clock.pass(1000);
  assert.equal(server.requests.length, 1); // and the post is tried first again
});

test("the deck has left its page: a state has no answer any more, what is left is posted", async (context) => {
  const { server, deck } = start(context);
  preferState(deck);
  deck.decide("s1");
  deck.sendAsState = null;
  deck.screen = null;
  deck.exchange.unplug();
  assert.equal(server.requests.length, 1);
  await server.last.reply(storing(server.last.message));
  assert.equal(deck.outbox.size, 0);
});

test("leaving the page leaves a post alone", (context) => {
  const { server, deck } = start(context);
  deck.decide("s1");
  deck.exchange.unplug();
  assert.ok(server.last.open);
  assert.equal(server.requests.length, 1);
});

test("answered, yet not stored: it is sent again after a second, not in a circle", async (context) => {
  const { clock, server, deck } = start(context);
  deck.decide("s1");
  await server.last.reply({ message: 1, stored: {} });
  assert.equal(server.requests.length, 1);
  assert.deepEqual(clock.pending, [1000]);
  await clock.pass(1000);
  assert.equal(server.requests.length, 2);
});

test("a farewell brings what is unsaved and gives the samples back, without asking for others", async (context) => {
  const sent = beacons(context);
  const { deck } = start(context);
  deck.queue = ["s2", "s3"];
  for (let i = 0; i < 250; i++) deck.outbox.add({ sample_id: `t${i}` }, []);
  deck.exchange.farewell();
  assert.equal(sent.length, 1);
  assert.equal(sent[0].url, "/labeling/exchange");
  assert.equal(sent[0].blob.type, "application/json");
  const message = JSON.parse(await sent[0].blob.text());
  assert.equal(message.release, true);
  assert.equal(message.want, 0);
  assert.deepEqual(message.holding, ["s2", "s3"]);
  assert.equal(message.decisions.length, 200); // a beacon is small; the rest is in the storage
  assert.equal(deck.outbox.size, 250);
});

test("no farewell where nothing is unsaved and no sample is held", (context) => {
  const sent = beacons(context);
  const { deck } = start(context);
  deck.exchange.farewell();
  assert.deepEqual(sent, []);
});

test("a farewell leaves the message that is on its way alone", async (context) => {
  beacons(context);
  const { server, deck } = start(context);
  deck.decide("s1");
  deck.exchange.farewell();
  assert.ok(server.last.open);
  await server.last.reply(storing(server.last.message));
  await settled();
  assert.equal(deck.outbox.size, 0);
});
