/* What is seen: the sample, the categories, the counts. Text goes in as textContent, always. */

/* kind of sample -> {depth, paint(sheet, view), prefetch(view)}; see view_*.js. Besides, where there
   is need: loading(sheet) is a promise until there is something to see, enter(sheet) and
   leave(sheet) tell who is in front, and actions are what can be done with the sample:
   {name: {keys, cap, text, help, run(sheet), on(sheet)}}. */
const views = {};

/** Call `done` once what is in the page now has been painted (a hidden tab paints nothing). */
function afterPaint(done) {
  let open = true;
  const once = () => {
    if (open) done();
    open = false;
  };
  const unseen = () => open && (document.hidden ? once() : setTimeout(unseen, 250));
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      once();
    };
    port2.postMessage(null);
  });
  setTimeout(unseen, 250);
}

function node(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const { format: grouped } = new Intl.NumberFormat("en");

class Screen {
  constructor(root, deck) {
    this.root = root;
    this.deck = deck;
    this.part = {};
    for (const part of root.querySelectorAll("[data-part]")) this.part[part.dataset.part] = part;
    this.button = {};
    for (const button of root.querySelectorAll("[data-do]")) this.button[button.dataset.do] ??= button;
    [this.front, this.back] = root.querySelectorAll('[data-part="sheet"]');
    this.shown = null; // sample_id in front
    this.ready = null; // the entry painted into the back sheet
    this.categories = new Map();
    this.clear();
  }

  clear() {
    for (const sheet of [this.front, this.back]) {
      sheet.replaceChildren();
      this.label(sheet, undefined);
    }
  }

  /** Bring the page in line with the deck; true if another sample came to the front. */
  show() {
    const entry = this.deck.current();
    const changed = (entry?.sample_id ?? null) !== this.shown;
    if (changed) this.turn(entry);
    this.label(this.front, entry);
    write(this.part.title, this.deck.title);
    this.showDecision(entry);
    this.showCounts();
    this.showLearning();
    this.showSaved();
    this.showMessages(entry);
    this.root.dataset.ahead = this.deck.queue.length;
    return changed;
  }

  turn(entry) {
    this.shown = entry?.sample_id ?? null;
    if (entry && this.ready !== entry) this.prepare(entry);
    [this.front, this.back] = [this.back, this.front];
    this.ready = null;
    for (const sheet of [this.front, this.back]) {
      sheet.toggleAttribute("data-front", sheet === this.front && Boolean(entry));
      sheet.ariaHidden = String(sheet !== this.front);
    }
    this.deck.view.leave?.(this.back);
    if (entry) this.deck.view.enter?.(this.front);
    this.label(this.back, undefined);
    this.part.comment.value = entry?.draft ?? entry?.comment ?? "";
  }

  /** Lay the sample out behind the one in front, so that turning to it is a matter of one frame. */
  prepare(entry) {
    if (!entry || this.ready === entry) return;
    this.back.scrollTop = 0;
    this.deck.view.paint(this.back, entry.view);
    this.ready = entry;
  }

  label(sheet, entry) {
    const marks = { sampleId: entry?.sample_id, status: entry?.status, decision: entry?.status && (entry.category ?? "") };
    for (const [name, value] of Object.entries(marks)) {
      if (value === undefined || value === null) delete sheet.dataset[name];
      else sheet.dataset[name] = value;
    }
  }

  setCategories(categories) {
    this.categories.clear();
    for (const category of categories) this.categories.set(category.name, this.makeCategory(category));
    this.part.categories.replaceChildren(...[...this.categories.values()].map(({ button }) => button));
    this.setActions(new Set(categories.map(({ key }) => key?.toLowerCase())));
  }

  /** What the view can do, as buttons; a key in `taken` stays with its category. */
  setActions(taken) {
    this.actions = Object.entries(this.deck.view.actions ?? {}).map(([name, action]) => {
      const key = action.keys?.find((each) => !taken.has(each));
      const button = node("button");
      button.type = "button";
      button.dataset.action = name;
      button.onclick = () => this.deck.press({ view: name });
      if (key) button.append(node("kbd", "", action.cap ?? key.toUpperCase()));
      button.append(action.text);
      return { ...action, name, button, cap: key && (action.cap ?? key.toUpperCase()) };
    });
    this.part.tools.replaceChildren(...this.actions.map(({ button }) => button));
    this.part.tools.hidden = !this.actions.length;
    this.showActions();
  }

  showActions() {
    for (const { on, button } of this.actions) if (on) button.setAttribute("aria-pressed", String(on(this.front)));
  }

  perform(name) {
    this.actions.find((action) => action.name === name).run(this.front);
    this.showActions();
  }

  /** Nothing is on the screen that a label could be about. */
  get unseen() {
    return this.front.hasAttribute("data-unseen");
  }

  makeCategory({ name, key, description, color }) {
    const button = node("button", "category");
    button.type = "button";
    Object.assign(button.dataset, { category: name, key: key ?? "" });
    if (color) button.style.setProperty("--category", color);
    const share = node("span", "part");
    share.role = "img"; // so that its name is read out in place of the bare number
    const bar = node("i", "bar");
    button.append(node("kbd", "", (key ?? "").toUpperCase()), node("span", "name", name), share);
    if (description) button.append(node("span", "description", description));
    button.append(bar);
    button.onclick = () => this.deck.press({ category: name });
    return { button, share, bar };
  }

  showDecision(entry) {
    const { decided, cursor, latest } = this.deck;
    for (const [name, { button }] of this.categories) {
      button.setAttribute("aria-pressed", String(entry?.status === "LABELED" && entry.category === name));
    }
    this.button.skip.setAttribute("aria-pressed", String(entry?.status === "SKIPPED"));
    const place = cursor === null ? "New sample" : `Decision ${grouped(cursor + 1)} of ${grouped(decided.length)}`;
    write(this.part.place, cursor === null && !entry ? "" : place);
    this.showVerdict(cursor === null ? latest : entry, cursor === null ? "Last: " : "");
    this.root.toggleAttribute("data-past", cursor !== null);
    const off = { back: cursor === null ? !decided.length : !cursor, next: cursor === null, skip: !entry };
    Object.assign(off, { first: off.back, last: off.next, undo: !decided.length });
    for (const [name, value] of Object.entries(off)) this.button[name].disabled = value;
  }

  showVerdict(decision, before) {
    const text = decision?.status ? before + this.sayDecision(decision) : "";
    const color = this.categories.get(decision?.category)?.button.style.getPropertyValue("--category");
    write(this.part.verdict, text);
    this.part.verdict.style.setProperty("--category", color || "currentColor");
    this.part.verdict.hidden = !text;
  }

  /** Where several people decide on a sample, decisions are counted and no samples: say so. */
  showTotals(counts) {
    for (const name of ["labeled", "skipped", "total"]) write(this.part[name], grouped(counts[name]));
    const words = counts.several ? ["labels", "skips", "decisions"] : ["labeled", "skipped", "samples"];
    write(this.part["labeled-word"], words[0]);
    write(this.part["skipped-word"], words[1]);
    write(this.part["total-word"], words[2]);
    this.part.counts.title = counts.several
      ? "Some samples are decided by several people: decisions are counted here, samples under Session progress."
      : "";
  }

  sayDecision({ category }) {
    return category ?? "skipped";
  }

  showCounts() {
    const counts = this.deck.countsNow();
    if (!counts) return;
    this.showTotals(counts);
    this.part.done.style.width = `${counts.total ? (100 * (counts.labeled + counts.skipped)) / counts.total : 0}%`;
    for (const [name, { share, bar }] of this.categories) {
      const part = counts.labeled ? (counts.categories[name] ?? 0) / counts.labeled : 0;
      this.showShare(share, `${Math.round(100 * part)} %`, "of the labels");
      bar.style.transform = `scaleX(${part})`;
    }
  }

  /** `text` beside a category, and what it is a share of. */
  showShare(share, text, meaning) {
    if (share.textContent === text) return;
    share.textContent = text;
    share.title = share.ariaLabel = text && `${text} ${meaning}`;
  }

  showLearning() {
    if (!this.deck.learning) return;
    const { enabled, state, session_id, text, progress = null } = this.deck.learning;
    Object.assign(this.part.learning.dataset, { learningState: state, sessionId: session_id });
    const session = session_id ? `Session ${session_id}` : "Active learning is on";
    const told = [enabled ? session : "", text].filter(Boolean).join(" · ");
    write(this.part["learning-text"], told);
    this.part.learning.title = told;
    const bar = this.part["learning-progress"];
    bar.hidden = state !== "running";
    if (progress === null) bar.removeAttribute("value");
    else bar.value = progress;
    this.showHalting(this.deck.learning.halting);
  }

  /** How efficient labeling still is: a mark on a scale from efficient (left) to not efficient. */
  showHalting(halting) {
    this.part.halting.hidden = !halting;
    if (!halting) return;
    const { state, share, word, text } = halting;
    this.part.halting.dataset.halting = state;
    this.part.halting.title = text;
    const mark = this.part["halting-mark"];
    mark.hidden = share === null;
    mark.style.left = `${100 * (1 - (share ?? 1))}%`;
    write(this.part["halting-word"], word);
    write(this.part["halting-text"], text);
  }

  showSaved() {
    const { unsaved, exchange } = this.deck;
    const why = exchange.refused ? "not accepted" : "not reachable";
    const trouble = exchange.failures > 0 ? ` · ${why}, will try again` : "";
    const text = (unsaved ? `${grouped(unsaved)} to save` : "All saved") + trouble;
    this.part.save.dataset.state = unsaved ? "pending" : "saved";
    this.part.save.toggleAttribute("data-failing", Boolean(trouble));
    write(this.part.save, text);
    clearTimeout(this.speaking); // spoken when it has stayed so: not at every key
    this.speaking = setTimeout(() => write(this.part.spoken, text), 1200);
  }

  showMessages(entry) {
    const { refusals, exchange, notice, queue } = this.deck;
    const last = entry && queue.length < 2; // who has more in hand need not know yet
    const alert = refusals || exchange.trouble || (last ? notice : "") || "";
    this.part.alert.hidden = !alert;
    this.button.dismiss.hidden = !refusals;
    write(this.part["alert-text"], alert);
    this.part.empty.hidden = Boolean(entry);
    write(this.part.empty, entry ? "" : this.emptiness());
  }

  /** One sentence for the place where no sample is. */
  emptiness() {
    const { cursor, decided, exchange, known, finished, notice, starved } = this.deck;
    if (cursor !== null) return decided[cursor] === null ? "This decision could not be loaded." : "Loading…";
    if (exchange.failures && !known) return "The server does not answer yet. Trying again by itself.";
    if (!known) return "Loading samples…";
    const { labeled, skipped, total } = this.deck.countsNow();
    if (finished && labeled + skipped >= total) {
      return `Everything is decided: ${grouped(labeled)} labeled, ${grouped(skipped)} skipped.`;
    }
    if (notice) return notice;
    if (finished && labeled + skipped > 0) {
      return `Nothing is left for you: ${grouped(total - labeled - skipped)} decisions of other people are still missing.`;
    }
    return finished || starved ? "No sample is free right now. New ones appear here by themselves." : "Loading samples…";
  }

  scroll(direction) {
    this.front.scrollBy({ top: 0.85 * direction * this.front.clientHeight });
  }

  get commenting() {
    return this.root.getRootNode().activeElement === this.part.comment;
  }

  get helping() {
    return !this.part.help.hidden;
  }

  toggleHelp() {
    const names = [...this.categories].map(([name, { button }]) => [button.dataset.key.toUpperCase(), name]);
    const actions = this.actions.map(({ cap, help }) => [cap, help]);
    const rows = [...names, ...this.deck.keyHelp, ...actions].filter(([key]) => key);
    this.part["help-keys"].replaceChildren(
      ...rows.flatMap(([key, text]) => {
        const term = node("dt");
        term.append(...key.split(" ").map((one) => node("kbd", "", one)));
        return [term, node("dd", "", text)];
      }),
    );
    this.part.help.hidden = this.helping;
    if (this.helping) this.part.help.focus();
  }

  /** Take the rest of the window's height, the padding Streamlit keeps below the page included. */
  fit() {
    const host = this.root.getRootNode().host;
    let pane = host?.parentElement;
    let below = 0;
    this.page = host; // all that is scrolled together
    while (pane && !/auto|scroll/.test(getComputedStyle(pane).overflowY)) {
      below += parseFloat(getComputedStyle(pane).paddingBottom) || 0;
      this.page = pane;
      pane = pane.parentElement;
    }
    pane ??= document.documentElement;
    const top = this.root.getBoundingClientRect().top - pane.getBoundingClientRect().top + pane.scrollTop;
    this.root.style.height = `${Math.max(440, Math.floor(pane.clientHeight - top - 16))}px`;
    this.root.style.marginBottom = `${-Math.max(0, below - 16)}px`;
  }
}
