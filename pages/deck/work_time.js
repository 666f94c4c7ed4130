// @ts-check
/* How long somebody has worked on the sample on the screen: the tab visible, long pauses cut. */

const LONGEST = 120000; // ms without any input that still count as work on a sample

export class WorkTime {
  spent = 0; // ms
  since = 0; // the moment up to which they are counted

  /** Somebody does something right now; `counts` is whether the time until now was work. */
  touch(counts = !document.hidden) {
    const now = performance.now();
    if (counts) this.spent += Math.min(now - this.since, LONGEST);
    this.since = now;
  }

  /** Another sample is on the screen. */
  restart() {
    this.spent = 0;
    this.since = performance.now();
  }

  seconds() {
    this.touch();
    return Math.round(this.spent / 10) / 100;
  }
}
