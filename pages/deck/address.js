// @ts-check
/* Where the app lies: below a path perhaps (`https://host/labeling/`), which a proxy may strip, so
   that only the browser knows it. */

/** @type {string | undefined} */
let base;

/** An address as the server gives it (`/labeling/…`, from the app's own base on), in full.
 * The first to ask is a deck that is being mounted: all pages lie directly below the base. */
export const atBase = (/** @type {string} */ address) => {
  base ??= new URL(/\/+$/.test(location.pathname) ? ".." : ".", location.href).href;
  return base + address.replace(/^\//, "");
};
