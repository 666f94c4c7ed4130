// A file that is fetched ahead and does not come: asked for again before its turn, but not for ever.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock, settled } from "./fakes.js";

const { MediaView } = await import("../../../pages/deck/view_media.js");

function failing(times) {
  const asked = [];
  const view = new MediaView({
    load: async ({ url }) => {
      asked.push(url);
      if (asked.length <= times) throw new Error("the server does not answer");
      return "a picture";
    },
    lay: () => null,
  });
  return { view, asked };
}

test("a file that failed once is there before its turn", async (t) => {
  const clock = new Clock(t);
  const { view, asked } = failing(1);
  view.prefetch({ url: "/a" });
  await settled();
  assert.equal(asked.length, 1);
  await clock.pass(1000);
  await settled();
  assert.equal(asked.length, 2);
  assert.equal(view.kept.get("/a").made, "a picture");
});

test("one that never comes is left until somebody wants it", async (t) => {
  const clock = new Clock(t);
  const { view, asked } = failing(Infinity);
  view.prefetch({ url: "/a" });
  for (let second = 0; second < 100; second += 1) {
    await settled();
    await clock.pass(1000);
  }
  assert.equal(asked.length, 4);
  view.prefetch({ url: "/a" });
  assert.equal(asked.length, 5);
});

test("one that is kept no longer is not asked for again", async (t) => {
  const clock = new Clock(t);
  const { view, asked } = failing(1);
  view.prefetch({ url: "/a" });
  await settled();
  view.kept.delete("/a");
  await clock.pass(5000);
  await settled();
  assert.equal(asked.length, 1);
});
