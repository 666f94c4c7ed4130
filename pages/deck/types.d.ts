/* The words of the deck's modules, for the type checker alone: nothing of this reaches a browser.
   What the server sends and reads: labeling_core's exchanges and messages. */

import type { Deck } from "./deck.js";
import type { Outbox } from "./outbox.js";
import type { DeckScreen } from "./screen.js";

export interface Category {
  name: string;
  key: string | null;
  description: string;
  color: string;
}

/** A row of a table: column, text or null, kind, in the order to show them. */
export interface RecordData {
  fields: [string, string | null, string][];
  truncated?: [string, number, string][]; // a column whose text was cut, its characters, where it is whole
  main?: string; // the column that is shown large; its field is the first
}

/** A file: links to it, and what is known of it; `broken` says why it cannot be shown. */
export interface MediaData {
  url: string;
  broken?: string;
  facts?: [string, string][];
}

export interface ImageFile extends MediaData {
  width?: number;
  height?: number;
  pixelated?: boolean;
  levels?: { values: string; url: string }; // of more than 8 bits a channel: what they are, and where
}

export interface SoundFile extends MediaData {
  picture: string; // frequencies by mel
  linear: string; // the same, evenly spaced in hertz
  axes: { mel: [string, number][]; linear: [string, number][] }; // label, share of the height
  slow: string; // the sound at a tenth of its speed and pitch
  seconds: number;
  window?: [number, number]; // the part that is the sample: from one share of the time to another
}

export type SampleData = RecordData | ImageFile | SoundFile;

/** A sample as the server hands it out; review and adjudication add what is known of its label. */
export interface Sample {
  sample_id: string;
  view: SampleData;
}

/** What was decided about a sample. */
export interface State {
  status: "LABELED" | "SKIPPED";
  category?: string | null;
}

export interface Verdict extends State {
  category: string | null;
  comment: string | null;
  kept?: boolean; // in review mode: the label stayed what it was
}

/** A sample in the deck; decided if it has a status. `draft` is a comment not yet kept. */
export interface Entry extends Sample, Partial<Verdict> {
  draft?: string;
}

/** An entry of the review: a label, whose it is, and what the model thinks. */
export interface Finding extends Entry {
  given: string;
  given_probability: number;
  suggested: string;
  suggested_probability: number;
  annotator: string;
  labeled_at: number;
}

/** An entry of the adjudication: who said what. */
export interface Dispute extends Entry {
  opinions: { annotator: string; category: string | null; comment: string | null }[];
}

export type Action = "label" | "skip" | "keep" | "undo";

/** A decision on its way to the server. */
export interface Fields {
  sample_id: string;
  action: Action;
  category: string | null;
  comment: string | null;
  seconds: number;
  offered: string;
}

export interface Numbered {
  client: string;
  seq: number;
}

export interface Decision extends Fields, Numbered {}

export type Delta = [State | null | undefined, 1 | -1][];

/** A piece of one's own decisions; index -1: the last ones. */
export interface Piece {
  index: number;
  count: number;
}

export interface Message {
  token: string;
  client: string;
  message: number;
  decisions: Decision[];
  holding: string[];
  screen: string | null;
  version: number;
  offered: string;
  release: boolean;
  want: number;
  history: Piece | null;
}

export interface Counts {
  labeled: number;
  skipped: number;
  total: number;
  categories: Record<string, number>;
  mine: number;
  revised?: number;
  several?: boolean;
}

export interface Halting {
  state: string;
  share: number | null;
  word: string;
  text: string;
}

export interface Learning {
  enabled: boolean;
  state: string;
  session_id: number;
  text: string;
  version?: number;
  progress?: number | null;
  halting?: Halting | null;
}

/** Where the last samples are. */
export interface Waiting {
  samples: number;
  own: boolean;
  until: number;
}

export interface History {
  index: number;
  decisions: Entry[];
}

export interface Reply {
  message: number;
  error?: string;
  status?: number;
  stored?: Record<string, number>;
  refused?: (Numbered & { reason: string })[];
  counts: Counts;
  learning: Learning;
  drop?: string[];
  samples?: Sample[];
  more?: number;
  finished?: boolean;
  waiting?: Waiting | null;
  history?: History | null;
  categories?: Category[];
  offered: string;
}

/** Whom an exchange sends for. */
export interface Sender {
  url: string;
  screen: object | null;
  queue: Sample[];
  outbox: Pick<Outbox, "size" | "holds">;
  sendAsState: ((message: Message) => void) | null;
  urgent(): boolean;
  pause(): number;
  compose(message: number): Message;
  receive(reply: Reply): void;
  failed(): void;
}

/** Commands without anything besides: methods of Deck. */
export type CommandName =
  | "skip" | "undo" | "keep" | "none" | "back" | "next" | "first" | "last"
  | "comment" | "find" | "help" | "up" | "down" | "dismiss";

/** Where a text is written: the comment, or the search for a category. */
export type Field = "comment" | "find";

/** A category, an action of the view, or a text for a field and the key that ended it. */
export interface Gesture {
  category?: string;
  view?: string;
  field?: Field;
  text?: string;
  closed?: string;
}

export type Command = CommandName | Gesture;
export type CommandKeys = Record<string, CommandName>;
export type KeyHelp = [string, string][];

/** What can be done with the sample on the sheet, by a button and perhaps a key. */
export interface ViewAction {
  keys?: string[];
  cap?: string;
  text: string;
  help?: string;
  run(sheet: HTMLElement): void;
  on?(sheet: HTMLElement): boolean;
  use?(sheet: HTMLElement): boolean; // whether it is of use for the sample on the sheet
}

/** One kind of sample on a sheet; `depth` is how many samples are kept ready. Where there is need:
    `loading` is a promise until there is something to see, `begin` tells whose samples come,
    `enter` and `leave` who is in front, `actions` is what can be done with the sample. */
export interface View {
  depth: number;
  paint(sheet: HTMLElement, data: SampleData): void;
  prefetch(data: SampleData): void;
  words(data: SampleData): string; // the sample in words, those that tell most first
  loading?(sheet: HTMLElement): Promise<unknown> | undefined;
  begin?(project: string): void;
  enter?(sheet: HTMLElement): void;
  leave?(sheet: HTMLElement): void;
  actions?: Record<string, ViewAction>;
}

/** What a deck is for: all that differs between its modes. */
export interface Policy {
  keys: CommandKeys; // besides those of every mode
  skipKeys: string[]; // as they are written on caps, the first one on the button
  skipHelp: string;
  help: KeyHelp;
  Screen: new (root: HTMLElement, deck: Deck) => DeckScreen;
  /** What is known of a sample before it is decided. */
  entryOf(sample: Sample): Entry;
  decide(deck: Deck, action: "label" | "skip", category: string | null): void;
  skip(deck: Deck): void;
  undo(deck: Deck): void;
  /** The comment on the sample on the screen has been written. */
  keepComment(deck: Deck): void;
  /** The piece of one's own decisions that is not here and may be wanted soon. */
  missing(deck: Deck): Piece | null;
  /** Put the piece of history where it belongs. */
  remember(deck: Deck, counts: Counts, history: History | null | undefined, doubt: boolean): void;
}

/** What a page mounts the deck with; see __init__.py. */
export interface Mounted {
  project: string;
  title: string;
  view: string;
  mode: string;
  url: string;
  token: string;
  store: string;
  portion: number;
  reply: Reply | null;
  categories: Category[];
  offered: string;
}

export type Parts = Record<string, HTMLElement> & {
  comment: HTMLInputElement;
  help: HTMLDialogElement;
  "learning-progress": HTMLProgressElement;
};
