// How it goes: live, and by type over a stretch of time.
import { ask } from "../api.js";
import { legend, liveLines } from "../chart.js";
import { h, replace } from "../dom.js";
import { bytes, clockOf, count, duration, perSecond } from "../format.js";
import { may, own, has, reason } from "../may.js";
import { barChart, numbers, statistics, typeTable } from "../parts/bytype.js";
import { sendYourFirstEvent } from "../parts/first.js";
import { leaderOf } from "../parts/members.js";
import { card, failed, heading, loading, note } from "../parts/notes.js";
import { rangeChoice, rangeOf } from "../parts/range.js";
import { EVERY, pulse } from "../pulse.js";
import { remember } from "../router.js";
import { recent } from "../tail.js";

const SECONDS = 300; // that the live chart shows
const AGAIN = 30; // seconds until what has come is counted again
const seen = [[], [], []]; // of it, for when the view is come back to

export async function show(root, { query, signal }) {
  const first = h("div", { hidden: true });
  const stand = figures();
  const moving = may("metrics").then((yes) => movement(yes ? "Events" : "Records", signal));
  const reasons = h("div", { hidden: true }),
    place = h("div", {});
  const counted = types(query, signal, first);
  replace(root, heading("Overview"), reasons, first, stand.box, place, counted.box);
  moving.then(({ box }) => place.replaceWith(box));
  pulse(signal, (now) => {
    stand.show(now);
    moving.then((chart) => chart.show(now));
    tellReasons(reasons, now, signal);
    counted.beat(now);
  });
}

function figures() {
  const cells = {};
  const box = h(
    "dl",
    { class: "figures" },
    ["Rate", "Lag", "Head of the log", "Disk free", "Health", "Leader"].map((name) => {
      const term = h("dt", {}, name),
        value = h("dd", {}, "–"),
        beside = h("dd", { class: "beside" });
      cells[name] = { term, value, beside };
      cells[name].box = h("div", { class: "figure", hidden: name === "Leader" }, term, value, beside);
      return cells[name].box;
    }),
  );
  const say = (name, value, beside = "") => {
    cells[name].value.textContent = value;
    cells[name].beside.textContent = beside;
  };
  return { box, show: (now) => showFigures(cells, say, now) };
}

function showFigures(cells, say, { health, metrics, rate, counts, error }) {
  cells["Rate"].term.textContent = `${counts.of === "events" ? "Events" : "Records"} a second`;
  say("Rate", rate === null ? "–" : perSecond(rate), rate === null ? "measured for 2 s" : "over the last 2 s");
  if (error) {
    state(cells.Health.value, false, "Away");
    cells.Health.beside.textContent = error.message;
    return;
  }
  if (health) {
    say(
      "Lag",
      `${count(health.lag)} ${health.lag === 1 ? "record" : "records"}`,
      health.lag > 0
        ? `${duration(health.lag_seconds)} behind`
        : health.reads === "ok"
          ? "the tables are up to date"
          : "the tables are not followed",
    );
    say("Head of the log", count(health.head), `${count(health.projected)} projected`);
  }
  const free = metrics?.get("daybook_disk_free_bytes"),
    log = metrics?.get("daybook_log_bytes");
  say(
    "Disk free",
    free === undefined ? "–" : bytes(free),
    free === undefined
      ? "told to tokens that may read metrics"
      : log === undefined
        ? ""
        : `the log has ${bytes(log)}`,
  );
  const leader = leaderOf(health);
  cells.Leader.box.hidden = !leader;
  if (leader) say("Leader", leader.name, leader.beside);
  const well = health?.status === "ok";
  state(cells.Health.value, well, well ? "Ok" : "Not well");
  cells.Health.beside.textContent =
    health?.quarantined > 0
      ? `${count(health.quarantined)} quarantined`
      : health
        ? `version ${health.version}`
        : "";
}

function state(element, well, text) {
  element.className = well ? "state-ok" : "state-bad";
  element.textContent = text;
}

// counts: "Events", or "Records" where no more is told.
function movement(counts, signal) {
  const name = `${counts} a second`;
  const series = [
    { name, colour: "series-1", format: perSecond, least: 2 },
    { name: "Lag in records (a scale of its own)", colour: "series-2", format: count, least: 10 },
  ];
  const chart = liveLines(
    signal,
    `${name} and lag of the last five minutes; the figures above say how it is now.`,
    series,
    SECONDS,
    seen,
  );
  const hint = h("p", { class: "hint", hidden: true });
  const say = (text) => {
    hint.hidden = text === null;
    hint.textContent = text ?? "";
  };
  // While nobody looked nothing was measured; the log tells what was recorded, not the lag.
  const fill = async ({ time, health }) => {
    const last = seen[0].at(-1) ?? 0,
      since = Math.max(time - SECONDS, last);
    if (time - since < (2 * EVERY) / 1000) return;
    if (last === since) chart.insert([last + 0.001], [[null], [null]]); // a gap, not a line
    if (!(await may("audit")))
      return say("It begins now: the minutes before are shown to a token with the scope audit.");
    try {
      const { times, rates, records } = await recent({
        head: health.head,
        since,
        until: time,
        step: EVERY / 1000,
        counted: (record) => counts === "Records" || record.type === "event.recorded",
        signal,
      });
      chart.insert(times, [rates, rates.map(() => null)]);
      const begins =
        records !== null && times.length > 0
          ? `It begins at ${clockOf(new Date(times[0] * 1000).toISOString())}: the last ${count(records)} records are counted. `
          : "";
      say(`${begins}The lag is measured while this page is seen.`);
    } catch (error) {
      if (!signal.aborted) say(`The minutes before are not shown: ${error.message}`);
    }
  };
  return {
    box: card(
      null,
      h("div", { class: "card-head" }, h("h2", {}, "The last five minutes"), legend(series)),
      chart.box,
      hint,
    ),
    show: (now) => {
      if (now.rate !== null) chart.push(now.time, [now.rate, now.health?.lag ?? null]);
      else if (now.health) fill(now);
    },
  };
}

// Why it is not ready; asked for only while something is wrong.
async function tellReasons(box, { health, details, error }, signal) {
  const wrong = Boolean(error) || (health && health.status !== "ok");
  box.hidden = !wrong;
  if (!wrong) return replace(box);
  let told = [error?.message ?? details].filter(
    (each) => each && each !== "The request was successful",
  );
  if (!error) {
    try {
      const ready = await ask("/health/ready", { signal, allow: [503] });
      const reasons = (ready.data?.reasons ?? []).map((reason) => reason.message);
      if (reasons.length > 0) told = reasons;
    } catch {
      // What /health says will do.
    }
  }
  if (health?.quarantined > 0)
    told.push(
      h(
        "span",
        {},
        `${count(health.quarantined)} persons are quarantined: `,
        h("a", { href: "#/operations" }, "see why"),
      ),
    );
  const text = told.map((each) => each.textContent ?? each).join("\n");
  if (box.dataset.text === text && box.firstChild) return box;
  box.dataset.text = text;
  return replace(
    box,
    told.map((each) => note("bad", each)),
  );
}

function types(query, signal, first) {
  const under = h("div", { class: "card-body" }, loading());
  const choice = rangeChoice(query.get("range") ?? "7d", (name) => {
    remember("overview", { range: name });
    draw(name);
  });
  let last = new AbortController(),
    chosen = null,
    counted = null,
    drawn = 0;
  const draw = async (name) => {
    chosen = name;
    drawn = Date.now() / 1000;
    last.abort();
    last = new AbortController();
    const until = AbortSignal.any([signal, last.signal]);
    try {
      const its = await own();
      if (!has(its, "read")) return replace(under, note("quiet", reason("This", "read", its)));
      const range = rangeOf(name);
      const rows = await statistics(range, until, { group: "type" });
      const chart = barChart(until, rows, range, (from, to) =>
        choice.choose(
          `${new Date(from * 1000).toISOString()}..${new Date(to * 1000).toISOString()}`,
        ),
      );
      replace(
        under,
        chart.box,
        chart.sum > 0 && numbers(chart),
        chart.sum > 0 && typeTable(chart.types, chart.sum),
      );
    } catch (error) {
      if (!until.aborted) replace(under, failed(error));
    }
    greet(first, signal);
  };
  draw(query.get("range") ?? "7d");
  // What has come is counted, too; at once while nothing is shown, and not while its table
  // is read.
  const beat = ({ time, health }) => {
    if (!health) return;
    counted ??= health.head;
    if (
      health.head === counted ||
      time < drawn + (first.hidden ? AGAIN : 0) ||
      under.querySelector("details[open]")
    )
      return;
    counted = health.head;
    draw(chosen);
  };
  return {
    box: card(
      null,
      h("div", { class: "card-head" }, h("h2", {}, "Events by type"), choice.box),
      under,
    ),
    beat,
  };
}

// An empty store says what to do, until the first event is there.
async function greet(box, signal) {
  if (!(await may("read"))) return;
  try {
    const { data } = await ask("/events?limit=1&fields=id", { signal });
    box.hidden = data.length > 0;
    replace(box, !box.hidden && sendYourFirstEvent());
  } catch {
    box.hidden = true;
  }
}
