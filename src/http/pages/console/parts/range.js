// A stretch of time to choose: the last days, all, or from and to.
import { h } from "../dom.js";

const DAY = 86400e3;
const CHOICES = [
  ["1d", "24 h", DAY, "24 hours"],
  ["7d", "7 d", 7 * DAY, "7 days"],
  ["30d", "30 d", 30 * DAY, "30 days"],
  ["90d", "90 d", 90 * DAY, "90 days"],
  ["1y", "1 y", 365 * DAY, "1 year"],
];

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

// What a name, or "FROM..TO" in ISO, stands for now. by: how wide its bars are.
export function rangeOf(name) {
  const own = name?.match(/^(\S+?)\.\.(\S+)$/);
  const known = CHOICES.find(([each]) => each === name) ?? CHOICES[1];
  const until = own ? new Date(own[2]) : new Date();
  const since = own ? new Date(own[1]) : new Date(until - known[2]);
  if (own && !(since < until)) return rangeOf(null);
  const days = (until - since) / DAY;
  const by = days <= 3 ? "hour" : days <= 120 ? "day" : days <= 800 ? "week" : "month";
  return { name: own ? name : known[0], since, until, by };
}

// The beginnings of its bars, as dates.
export function barsOf({ since, until, by }) {
  const at = new Date(since),
    bars = [];
  at.setMinutes(0, 0, 0);
  if (by !== "hour") at.setHours(0);
  if (by === "week") at.setDate(at.getDate() - ((at.getDay() + 6) % 7));
  if (by === "month") at.setDate(1);
  while (at < until && bars.length < 2000) {
    bars.push(new Date(at));
    if (by === "hour") at.setTime(at.getTime() + 3600e3);
    else if (by === "month") at.setMonth(at.getMonth() + 1);
    else at.setDate(at.getDate() + (by === "week" ? 7 : 1));
  }
  return bars;
}

const localOf = (date) =>
  new Date(date - date.getTimezoneOffset() * 60e3).toISOString().slice(0, 16);

// chosen(name) where another is chosen; set(name) shows that one as chosen.
export function rangeChoice(name, chosen) {
  const from = h("input", { type: "datetime-local", "aria-label": "From" });
  const to = h("input", { type: "datetime-local", "aria-label": "Until" });
  const own = h(
    "form",
    {
      class: "filters",
      hidden: true,
      onsubmit: (event) => {
        event.preventDefault();
        if (from.value && to.value && from.value < to.value)
          choose(`${new Date(from.value).toISOString()}..${new Date(to.value).toISOString()}`);
      },
    },
    from,
    to,
    h("button", { class: "button" }, "Show"),
  );
  const buttons = [
    ...CHOICES.map(([each, text, , title]) =>
      h("button", { type: "button", "data-range": each, title, onclick: () => choose(each) }, text),
    ),
    h(
      "button",
      {
        type: "button",
        "data-range": "own",
        "aria-expanded": "false",
        onclick: (event) => {
          own.hidden = !own.hidden;
          event.currentTarget.setAttribute("aria-expanded", String(!own.hidden));
        },
      },
      "From–to",
    ),
  ];
  const set = (now) => {
    const { name: shown, since, until } = rangeOf(now);
    buttons.forEach((each) =>
      each.setAttribute(
        "aria-pressed",
        String(each.dataset.range === (shown.includes("..") ? "own" : shown)),
      ),
    );
    from.value = localOf(since);
    to.value = localOf(until);
  };
  const choose = (next) => {
    set(next);
    chosen(next);
  };
  set(name);
  return {
    box: h(
      "div",
      { class: "range" },
      h("div", { class: "choice", role: "group", "aria-label": "Range" }, buttons),
      own,
    ),
    choose,
  };
}
