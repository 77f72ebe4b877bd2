// Counts of events by type over a stretch of time: bars, and the sum of each type.
import { ask, address, typeList } from "../api.js";
import { legend, seriesColour, stackedBars, swatch } from "../chart.js";
import { h, quoted } from "../dom.js";
import { count, momentOf, parseTime, percent } from "../format.js";
import { link } from "../router.js";
import { empty } from "./notes.js";
import { barsOf, zone } from "./range.js";
import { table } from "./table.js";

const SHOWN = 7; // types that have a colour of their own

// [{ type, values, sum }], the largest first; values are of the bars.
export function byType(rows, bars) {
  const types = new Map();
  for (const row of rows) {
    const from = parseTime(row.from).getTime();
    let at = bars.length - 1;
    while (at > 0 && bars[at].getTime() > from) at--;
    const name = row.event_type ?? "Events";
    if (!types.has(name)) types.set(name, { type: name, values: bars.map(() => 0), sum: 0 });
    types.get(name).values[at] += row.count;
    types.get(name).sum += row.count;
  }
  return [...types.values()].sort((one, other) => other.sum - one.sum);
}

function seriesOf(types) {
  const shown = types.slice(0, SHOWN),
    rest = types.slice(SHOWN);
  const series = shown.map((each, at) => ({
    name: each.type,
    colour: seriesColour(at),
    values: each.values,
  }));
  if (rest.length > 0) {
    series.push({
      name: `${rest.length} others`,
      colour: seriesColour(SHOWN),
      values: rest[0].values.map((_, bar) => rest.reduce((sum, each) => sum + each.values[bar], 0)),
    });
  }
  return series;
}

export function barChart(signal, rows, range, onrange) {
  const bars = barsOf(range),
    types = byType(rows, bars);
  const sum = types.reduce((all, each) => all + each.sum, 0);
  if (sum === 0) return { sum, types, box: empty("No events in this time. Choose a longer range above.") };
  const series = seriesOf(types);
  const step = bars.length > 1 ? (bars[1] - bars[0]) / 1000 : 3600;
  const sentence = `${count(sum)} events by ${range.by}, most often ${types[0].type}; the numbers are in the table below.`;
  const chart = stackedBars(signal, sentence, {
    times: bars.map((each) => each.getTime() / 1000),
    series,
    step,
    onrange,
  });
  return {
    sum,
    types,
    series,
    bars,
    box: h("div", {}, chart, series.length > 1 && legend(series)),
  };
}

// The numbers behind the bars, for who cannot see them.
export function numbers({ types, bars, sum }) {
  if (sum === 0) return null;
  const rows = bars
    .map((from, at) => ({ from, sum: types.reduce((all, each) => all + each.values[at], 0) }))
    .filter((row) => row.sum > 0);
  return h(
    "details",
    {},
    h("summary", {}, "The chart as a table"),
    table(
      "Events by time",
      [
        { name: "From", class: "time", show: (row) => momentOf(row.from.toISOString()) },
        { name: "Events", number: true, show: (row) => count(row.sum) },
      ],
      rows,
    ),
  );
}

export function typeTable(types, sum) {
  return table(
    "Events by type",
    [
      {
        name: "Type",
        show: (row) => [
          swatch(seriesColour(types.indexOf(row))),
          " ",
          h("a", { href: link("events", { type: typeList([row.type]) }) }, quoted(row.type)),
        ],
      },
      { name: "Events", number: true, show: (row) => count(row.sum) },
      { name: "Share", number: true, show: (row) => percent(row.sum / sum) },
    ],
    types.slice(0, 20),
  );
}

export async function statistics(range, signal, more = {}) {
  return (
    await ask(
      address("/events/stats", {
        by: range.by,
        since: range.since.toISOString(),
        until: range.until.toISOString(),
        tz: zone,
        ...more,
      }),
      { signal },
    )
  ).data;
}
