// @ts-check
/* Each kind of sample and how it is shown: one name, one view. */

import { imageView } from "./view_image.js";
import { recordView } from "./view_record.js";
import { soundView } from "./view_sound.js";

/** @import { View } from "./types.d.ts" */

/** @type {Record<string, View>} */
export const VIEWS = { record: recordView, image: imageView, sound: soundView };
