import assert from "node:assert/strict";
import { test } from "node:test";

/** The module anew, in a tab that is at `address`. */
async function at(address) {
  globalThis.location = new URL(address);
  return import(`../../../pages/deck/address.js?${encodeURIComponent(address)}`);
}

for (const [page, base] of [
  ["https://labels.org/label_images?project=a", "https://labels.org/"],
  ["https://labels.org/labeling/label_images?project=a/b#c", "https://labels.org/labeling/"],
  ["https://labels.org/labeling/label_images/", "https://labels.org/labeling/"],
  ["https://labels.org/a/b/review", "https://labels.org/a/b/"],
  ["https://labels.org//evil.org/review", "https://labels.org//evil.org/"],
]) {
  test(`an address of the server is below the app's own base, not the host's: ${page}`, async () => {
    const { atBase } = await at(page);
    assert.equal(atBase("/labeling/exchange"), `${base}labeling/exchange`);
    globalThis.location = new URL("https://labels.org/elsewhere/"); // the deck outlives its page
    assert.equal(atBase("/labeling/media/x"), `${base}labeling/media/x`);
  });
}
