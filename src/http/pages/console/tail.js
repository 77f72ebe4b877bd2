// How many were recorded in the last minutes, from the end of the log: it has each record
// with its time, and a server that was just restarted has it, too.
import { address, ask } from "./api.js";
import { parseTime } from "./format.js";

const PAGE = 1000,
  PAGES = 5; // of records, at most

// A second's number for each step that ends at until, at until - step, … and lies within
// since: { times, rates }, the earliest first. What is not of the last PAGES pages is left
// out, and `records` says of how many it is. Times are this browser's; head: the log's;
// counted(record): whether it is one.
export async function recent({ head, since, until, step, counted, signal }) {
  const found = [];
  let begin = since,
    before = head,
    ahead = null;
  for (let page = 0; page < PAGES && before > 0; page++) {
    const after = Math.max(0, before - PAGE);
    const path = address("/log", { after, limit: before - after, timestamps: "rfc3339" });
    const { data, date } = await ask(path, { signal });
    ahead ??= aheadOf(date);
    const times = data.map((record) => parseTime(record.recorded_at) / 1000 - ahead);
    found.push(...times.filter((_, at) => counted(data[at])));
    before = after;
    begin = Math.min(...times);
    if (begin <= since) break;
  }
  return {
    ...stepsOf(found, before > 0 ? Math.max(since, begin) : since, until, step),
    records: before > 0 && begin > since ? head - before : null,
  };
}

// By how many seconds the server's clock is ahead of this one's; its date has no fractions.
function aheadOf(date) {
  const ahead = date === null ? 0 : (date - Date.now()) / 1000;
  return Math.abs(ahead) < 3 ? 0 : ahead;
}

// Whole steps only: one that is begun in the middle would be too low.
export function stepsOf(found, since, until, step) {
  const size = Math.max(0, Math.floor((until - since) / step + 1e-6));
  const counts = new Array(size).fill(0);
  for (const time of found) {
    const back = Math.floor((until - time) / step);
    if (back >= 0 && back < size) counts[size - 1 - back]++;
  }
  return {
    times: counts.map((_, at) => until - (size - 1 - at) * step),
    rates: counts.map((each) => each / step),
  };
}
