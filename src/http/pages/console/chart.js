// Charts by uPlot: lines over a time that moves on, and bars that stand on each other. Each
// says in a sentence what it shows, and has its numbers as a table beside it.
import uPlot from "uplot";
import { h, replace } from "./dom.js";
import { count, momentOf } from "./format.js";

const HEIGHT = 220;

// A colour of the style sheet as the canvas takes it, in the theme of the moment.
export function colour(name) {
  const probe = h("span", { class: "unseen" });
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

export function swatch(name) {
  const mark = h("span", { class: "swatch" });
  mark.style.background = `var(--${name})`;
  return mark;
}

export const seriesColour = (index) => `series-${Math.min(index, 7) + 1}`;

function axes(format) {
  const look = () => ({
    stroke: colour("quiet"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
  });
  return [
    { ...look(), grid: { show: false }, size: 30, space: 72, values: timeLabels },
    {
      ...look(),
      size: 52,
      space: 36,
      values: (_, splits) => splits.map((n) => (n == null ? "" : format(n))),
    },
  ];
}

const label = {
  time: new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  second: new Intl.DateTimeFormat("en", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }),
  day: new Intl.DateTimeFormat("en", { day: "numeric", month: "short" }),
  year: new Intl.DateTimeFormat("en", { month: "short", year: "numeric" }),
};

function timeLabels(_, splits, __, ___, step) {
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000);
    const midnight = at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0;
    if (step >= 28 * 86400) return label.year.format(at);
    if (step >= 86400 || (step >= 3600 && midnight)) return label.day.format(at);
    return (step < 60 ? label.second : label.time).format(at);
  });
}

// Shows at the pointer what lies there: rows(index) is [[colour, name, text], …].
function tip(box, title, rows) {
  const shown = h("div", { class: "tip", hidden: true });
  box.append(shown);
  return {
    hooks: {
      setCursor: (plot) => {
        const { idx, left, top } = plot.cursor;
        const lines = idx == null || left < 0 ? [] : rows(idx);
        shown.hidden = lines.length === 0;
        if (shown.hidden) return;
        replace(
          shown,
          h("p", {}, title(idx)),
          h(
            "ul",
            {},
            lines.map(([name, text, value]) =>
              h("li", {}, swatch(name), h("span", {}, text), h("span", {}, value)),
            ),
          ),
        );
        const over = plot.over.getBoundingClientRect(),
          around = box.getBoundingClientRect();
        const x = over.left - around.left + left;
        const right = x + 16 + shown.offsetWidth > around.width;
        shown.style.left = `${Math.max(0, right ? x - 16 - shown.offsetWidth : x + 16)}px`;
        shown.style.top = `${Math.max(0, over.top - around.top + top - shown.offsetHeight / 2)}px`;
      },
    },
  };
}

// Keep the plot as wide as its box and in the theme's colours, until the view is left.
function keep(box, signal, draw) {
  let plot = null;
  const again = () => {
    plot?.destroy();
    plot = box.clientWidth > 0 ? draw(box.clientWidth) : null;
  };
  const watch = new ResizeObserver(() => {
    if (!plot) again();
    else if (plot.width !== box.clientWidth)
      plot.setSize({ width: box.clientWidth, height: HEIGHT });
  });
  watch.observe(box);
  addEventListener("themechange", again, { signal });
  signal.addEventListener("abort", () => {
    watch.disconnect();
    plot?.destroy();
  });
  return { again, plot: () => plot };
}

// Lines over the last minutes. series: [{ name, colour, format }]; push(time, values) adds
// a point and drops what is older than `seconds`. data: of an earlier chart of the same
// series, to go on with.
export function liveLines(signal, sentence, series, seconds, data) {
  const box = h("div", { class: "chart", role: "img", "aria-label": sentence });
  const scales = { x: { range: () => [Date.now() / 1000 - seconds, Date.now() / 1000] } };
  series.forEach((each, at) => {
    scales[`y${at}`] = { range: (_, __, high) => [0, Math.max(high * 1.15, each.least ?? 1)] };
  });
  const kept = keep(
    box,
    signal,
    (width) =>
      new uPlot(
        {
          width,
          height: HEIGHT,
          legend: { show: false },
          scales,
          padding: [8, 26, 0, 0],
          cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
          axes: [axes(series[0].format)[0], { ...axes(series[0].format)[1], scale: "y0" }],
          series: [
            {},
            ...series.map((each, at) => ({
              scale: `y${at}`,
              stroke: colour(each.colour),
              width: 2,
              points: { show: false },
              fill:
                at === 0
                  ? colour(each.colour).replace(/^rgb\((.*)\)$/, "rgba($1, 0.1)")
                  : undefined,
            })),
          ],
          plugins: [
            tip(
              box,
              (at) => new Date(data[0][at] * 1000).toLocaleTimeString("en", { hourCycle: "h23" }),
              (at) =>
                series.map((each, n) => [
                  each.colour,
                  each.name,
                  data[n + 1][at] == null ? "–" : each.format(data[n + 1][at]),
                ]),
            ),
          ],
        },
        data,
        box,
      ),
  );
  const push = (time, values) => {
    data[0].push(time);
    values.forEach((value, at) => data[at + 1].push(value));
    while (data[0].length > 0 && data[0][0] < time - seconds)
      data.forEach((column) => column.shift());
    kept.plot()?.setData(data);
  };
  // What was before the last point, or between two: times rise, columns are the series'.
  const insert = (times, columns) => {
    if (times.length === 0) return;
    const behind = data[0].findIndex((time) => time > times[times.length - 1]);
    const place = behind < 0 ? data[0].length : behind;
    [times, ...columns].forEach((column, at) => data[at].splice(place, 0, ...column));
    kept.plot()?.setData(data);
  };
  return { box, push, insert };
}

// Bars on each other. times: seconds, the beginning of each bar; series: [{ name, colour,
// values }]; width: of a bar, in seconds; onrange(from, to) where a stretch is drawn.
export function stackedBars(signal, sentence, { times, series, step, onrange }) {
  const box = h("div", { class: "chart", role: "img", "aria-label": sentence });
  const sums = stack(series.map((each) => each.values));
  // The highest sum first, so that what is lower is drawn over it.
  const order = series.map((_, at) => at).reverse();
  const bars = uPlot.paths.bars({ size: [0.84, 120], align: 1 });
  keep(
    box,
    signal,
    (width) =>
      new uPlot(
        {
          width,
          height: HEIGHT,
          legend: { show: false },
          padding: [8, 20, 0, 0],
          cursor: {
            y: false,
            points: { show: false },
            drag: { x: Boolean(onrange), y: false, setScale: false },
          },
          scales: {
            x: { range: () => [times[0], times[times.length - 1] + step] },
            y: { range: (_, __, high) => [0, Math.max(high * 1.08, 1)] },
          },
          axes: axes(count),
          series: [
            {},
            ...order.map((at) => ({
              fill: colour(series[at].colour),
              stroke: colour(series[at].colour),
              width: 0,
              paths: bars,
              points: { show: false },
            })),
          ],
          hooks: {
            setSelect: [
              (plot) => {
                if (onrange && plot.select.width > 4)
                  onrange(
                    plot.posToVal(plot.select.left, "x"),
                    plot.posToVal(plot.select.left + plot.select.width, "x"),
                  );
              },
            ],
          },
          plugins: [
            tip(
              box,
              (at) => momentOf(new Date(times[at] * 1000).toISOString()),
              (at) =>
                series
                  .filter((each) => each.values[at] > 0)
                  .map((each) => [each.colour, each.name, count(each.values[at])]),
            ),
          ],
        },
        [times, ...order.map((at) => sums[at])],
        box,
      ),
  );
  return box;
}

function stack(columns) {
  const sums = [];
  columns.forEach((values, at) => {
    sums.push(values.map((value, row) => value + (at > 0 ? sums[at - 1][row] : 0)));
  });
  return sums;
}

export function legend(series) {
  return h(
    "ul",
    { class: "legend" },
    series.map((each) => h("li", {}, swatch(each.colour), h("span", {}, each.name))),
  );
}
