// What a page's visitors do, sent to Daybook: gathered into batches, sent again with the
// same ids until they are answered, and handed to the browser when the page is left.
//
//   <script type="module">
//     import {Daybook} from './daybook.js';
//     const daybook = new Daybook('https://daybook.example', 'dbk_...');
//     daybook.track('Page Viewed', {path: location.pathname});
//   </script>
//
// The key is one that only ingests (daybook token create web --scope ingest --origin ...):
// it may be published. The visitor is an anonymous id that this browser keeps; once you
// know who it is, your server ties it to the person: POST /persons/{id}/aliases.

const EVERY = 3000;       // ms after which what is gathered is sent
const MOST = 50;          // events in a batch
const KEPT = 1000;        // events that wait at most: older ones go first
const LONGEST = 60000;    // ms between two attempts
const BEACON_MAX = 60000; // bytes: a browser takes 64 KiB of all beacons together

export class Daybook {
  #url; #queue = []; #timer; #sending = false; #failed = 0;

  constructor(url, key, {storage = globalThis.localStorage} = {}) {
    this.#url = `${url.replace(/\/$/, '')}/events/batch?key=${encodeURIComponent(key)}`;
    this.anonymousId = remembered(storage);
    // A page that is hidden may never come back, and phones tell it nothing else.
    addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') this.leave();
    });
    addEventListener('pagehide', () => this.leave());
  }

  // How many are not answered yet.
  get waiting() {
    return this.#queue.length;
  }

  track(eventType, properties = {}) {
    this.#queue.push({
      id: crypto.randomUUID(), event_type: eventType, anonymous_id: this.anonymousId,
      datetime_created: new Date().toISOString(), properties,
    });
    this.#queue.splice(0, this.#queue.length - KEPT);
    if (this.#queue.length >= MOST && !this.#failed) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), EVERY);
  }

  // Send what is gathered. What fails stays, and is sent again later.
  async flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sending || this.#queue.length === 0) return;
    this.#sending = true;
    const batch = this.#queue.slice(0, MOST);
    let done = false;
    try { // text/plain: so the browser need not ask first
      const answer = await fetch(this.#url, {method: 'POST', body: body(batch)});
      // What is wrong in itself (4xx) will not get better; all else may.
      done = answer.status < 500 && ![408, 429].includes(answer.status);
    } catch { /* no answer */ }
    this.#sending = false;
    this.#failed = done ? 0 : this.#failed + 1;
    if (done) this.#queue = this.#queue.filter((event) => !batch.includes(event));
    if (this.#queue.length > 0)
      this.#timer ??= setTimeout(() => this.flush(),
        Math.min(LONGEST, EVERY * 2 ** this.#failed) * (0.5 + Math.random() / 2));
  }

  // Hand all to the browser, which sends it though the page is gone. What is under way may
  // so be sent twice: by its id Daybook knows it.
  leave() {
    while (this.#queue.length > 0) {
      let count = Math.min(MOST, this.#queue.length);
      while (count > 1 && new Blob([body(this.#queue.slice(0, count))]).size > BEACON_MAX)
        count = Math.ceil(count / 2);
      if (!navigator.sendBeacon(this.#url, body(this.#queue.slice(0, count)))) return;
      this.#queue.splice(0, count);
    }
  }
}

// With sent_at the times are put right where the visitor's clock is wrong.
function body(items) {
  return JSON.stringify({items, sent_at: new Date().toISOString()});
}

function remembered(storage) {
  try {
    const known = storage.getItem('daybook') ?? crypto.randomUUID();
    storage.setItem('daybook', known);
    return known;
  } catch {
    return crypto.randomUUID(); // storage is off: a visitor for as long as the page
  }
}
