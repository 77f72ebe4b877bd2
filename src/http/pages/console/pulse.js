// How it goes, every two seconds: from /metrics where the token lets it be read, and from
// /health, which anybody may read.
import { ask, request } from "./api.js";
import { may } from "./may.js";

export const EVERY = 2000;

export async function pulse(signal, beat) {
  const metrics = may("metrics");
  let before = null;
  while (!signal.aborted) {
    if (document.hidden) {
      // nobody looks
      before = null;
      await pause(EVERY, signal);
      continue;
    }
    const now = { time: Date.now() / 1000 };
    try {
      const [health, told] = await Promise.all([
        ask("/health", { signal, allow: [503] }),
        metrics.then((yes) => (yes ? readMetrics(signal) : null)),
      ]);
      now.health = health.data;
      now.details = health.response?.details;
      now.metrics = told;
    } catch (error) {
      if (error.name === "AbortError") return;
      now.error = error;
    }
    now.counts = countsOf(now);
    now.rate = rateOf(before, now);
    beat(now);
    before = now;
    await pause(EVERY, signal);
  }
}

// What is counted up: events where /metrics tells them, else records.
function countsOf({ metrics, health }) {
  const events = metrics?.get('daybook_records_total{type="event.recorded"}');
  if (events !== undefined) return { of: "events", n: events };
  return { of: "records", n: health?.head };
}

function rateOf(before, now) {
  if (
    before?.counts.n === undefined ||
    now.counts.n === undefined ||
    before.counts.of !== now.counts.of
  )
    return null;
  return Math.max(0, (now.counts.n - before.counts.n) / (now.time - before.time));
}

// A map of "name{labels}" to its number; null where this token, or this server, has none.
async function readMetrics(signal) {
  const answer = await request("/metrics", { signal, headers: { Accept: "text/plain" } });
  if (!answer.ok) return null;
  const found = new Map();
  for (const line of (await answer.text()).split("\n")) {
    const cut = line.lastIndexOf(" ");
    if (line[0] !== "#" && cut > 0) found.set(line.slice(0, cut), Number(line.slice(cut + 1)));
  }
  return found;
}

// The signal outlives many a pause: none leaves anything behind with it.
export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}
