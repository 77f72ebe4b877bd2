// Who comes back: of those who began together, how many did something later.
import { address, ask } from "../api.js";
import { announce, h, newId, quoted, replace } from "../dom.js";
import { count, parseTime, percent } from "../format.js";
import { statistics } from "./bytype.js";
import { card, empty, failed, loading } from "./notes.js";
import { zone } from "./range.js";
import { scrolled } from "./table.js";
import { typesIn } from "./types.js";

const BACK = { day: 14, week: 10, month: 12 }; // so many cohorts
const DAYS = { day: 1, week: 7, month: 31 };
const label = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric" });

// known: the types that there are. Where nobody has said which, they are of those that came
// in the time that is looked at.
export function retention(asked, known, keep, signal) {
  const result = h("div", { class: "card-body" });
  const first = typeField("First they did", asked.first);
  const then = typeField("Then they did", asked.then);
  const by = h(
    "select",
    { id: newId("by") },
    Object.keys(BACK).map((each) =>
      h("option", { value: each, selected: each === (asked.by ?? "week") }, each),
    ),
  );
  let last = new AbortController();
  const draw = async () => {
    last.abort();
    last = new AbortController();
    const until = AbortSignal.any([signal, last.signal]);
    replace(result, loading());
    try {
      const since = new Date(Date.now() - BACK[by.value] * DAYS[by.value] * 86400e3);
      const shown = await look(since, until);
      if (!until.aborted) replace(result, shown);
    } catch (error) {
      if (!until.aborted) replace(result, failed(error));
    }
  };
  const look = async (since, until) => {
    if (!first.input.value.trim() || !then.input.value.trim()) await choose(since, until);
    const params = { first: first.input.value.trim(), then: then.input.value.trim(), by: by.value };
    if (!params.first || !params.then)
      return empty("Type what they did first, and what then: a type of event each.");
    keep(params);
    const { data } = await ask(
      address("/events/retention", {
        ...params,
        since: since.toISOString(),
        tz: zone,
        timestamps: "rfc3339",
      }),
      { signal: until },
    );
    announce(`${data.length} cohorts`);
    return data.length > 0
      ? picture(data, params)
      : empty(
          "Nobody did “",
          quoted(params.first),
          `” in the last ${BACK[by.value]} ${by.value}s. Choose another type, or longer cohorts.`,
        );
  };
  const choose = async (since, until) => {
    const stretch = { since, until: new Date(), by: "day" };
    const rows = await statistics(stretch, until, { group: "type" });
    const names = typesIn(rows, known).map((each) => each.event_type);
    first.input.value ||= names.includes("signup") ? "signup" : (names[0] ?? "");
    then.input.value ||= names.find((each) => each !== first.input.value) ?? names[0] ?? "";
  };
  draw();
  return card(
    null,
    h("div", { class: "card-head" }, h("h2", {}, "Retention")),
    h(
      "form",
      {
        class: "filters",
        onsubmit: (event) => {
          event.preventDefault();
          draw();
        },
      },
      first.box,
      then.box,
      h("div", { class: "field narrow" }, h("label", { for: by.id }, "By"), by),
      h("button", { class: "button primary" }, "Show"),
    ),
    result,
  );
}

function typeField(name, value) {
  const input = h("input", {
    id: newId("type"),
    list: "known-types",
    value: value ?? "",
    required: true,
    spellcheck: "false",
    autocomplete: "off",
  });
  return { input, box: h("div", { class: "field" }, h("label", { for: input.id }, name), input) };
}

function picture(cohorts, { first, then, by }) {
  const columns = Math.max(...cohorts.map((each) => each.returned.length));
  return [
    scrolled(
      "Retention",
      h(
        "table",
        { class: "cohorts", "aria-label": "Retention" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, `${by[0].toUpperCase()}${by.slice(1)} from`),
            h("th", { scope: "col", class: "number" }, "Persons"),
            Array.from({ length: columns }, (_, k) =>
              h("th", { scope: "col", class: "number" }, k === 0 ? `Same ${by}` : `+${k}`),
            ),
          ),
        ),
        h(
          "tbody",
          {},
          cohorts.map((cohort) =>
            h(
              "tr",
              {},
              h("th", { scope: "row", class: "time" }, label.format(parseTime(cohort.from))),
              h("td", { class: "number" }, count(cohort.persons)),
              Array.from({ length: columns }, (_, k) => cell(cohort, k)),
            ),
          ),
        ),
      ),
    ),
    h(
      "p",
      { class: "hint" },
      "Of the persons who did “",
      quoted(first),
      `” for the first time in a ${by}, how many did “`,
      quoted(then),
      `” in the ${by}s after it.`,
    ),
  ];
}

function cell({ persons, returned }, k) {
  if (k >= returned.length) return h("td", {});
  const share = persons > 0 ? returned[k] / persons : 0;
  const shown = h(
    "td",
    { class: "number cohort", title: `${count(returned[k])} of ${count(persons)}` },
    percent(share),
  );
  shown.style.setProperty("--share", `${Math.round(4 + share * 40)}%`);
  return shown;
}
