// Events by type, time, person and properties; a chart of them; and as CSV.
import { address, ask, typeList, typesOf } from "../api.js";
import { csv, download } from "../csv.js";
import { announce, h, quoted, replace } from "../dom.js";
import { count, momentOf } from "../format.js";
import { icon } from "../icons.js";
import { barChart, numbers, statistics } from "../parts/bytype.js";
import { sendYourFirstEvent } from "../parts/first.js";
import { card, empty, failed, heading, loading, note } from "../parts/notes.js";
import { rangeChoice, rangeOf } from "../parts/range.js";
import { openEvent, pairs } from "../parts/record.js";
import { table } from "../parts/table.js";
import { knownTypes } from "../parts/types.js";
import { propertiesOf } from "../properties.js";
import { link, remember } from "../router.js";
import { isThere, whose } from "../whose.js";

const PAGE = 100;
const CELLS = ["id", "datetime_created", "event_type", "person_id", "anonymous_id", "properties"];

export async function show(root, { query, signal }) {
  const fields = filterFields(query, signal);
  const range = rangeChoice(query.get("range") ?? "30d", (name) => {
    chosen = name;
    search();
  });
  let chosen = query.get("range") ?? "30d",
    rows = [],
    last = new AbortController();
  const result = h("div", { class: "results" });
  const chart = h("div", { class: "card-body" }),
    list = h("div", { class: "card-body" });
  const save = h(
    "button",
    {
      class: "button",
      disabled: true,
      onclick: () =>
        download(
          "events.csv",
          csv(
            CELLS,
            rows.map((row) => CELLS.map((name) => row[name])),
          ),
        ),
    },
    icon("download"),
    "CSV of what is shown",
  );

  const search = async () => {
    last.abort();
    last = new AbortController();
    const until = AbortSignal.any([signal, last.signal]);
    rows = [];
    save.disabled = true;
    let asked;
    replace(result, loading());
    try {
      asked = await fields.read(until);
    } catch (error) {
      if (until.aborted) return;
      const typed = error.status === undefined && error.name !== "AbortError";
      return replace(result, typed ? note("bad", error.message) : failed(error));
    }
    if (until.aborted) return;
    remember("events", { ...fields.text(), range: chosen });
    replace(
      result,
      card(null, h("div", { class: "card-head" }, h("h2", {}, "Events"), range.box), chart),
      card(null, list),
    );
    replace(chart);
    replace(list, loading());
    if (asked.nobody) return replace(result, card(null, nobody(asked, clear)));
    const stretch = rangeOf(chosen);
    await Promise.all([drawList(asked, stretch, until), drawChart(asked, stretch, until)]);
  };

  const clear = h(
    "button",
    {
      class: "link-button",
      type: "button",
      onclick: () => {
        fields.clear();
        search();
      },
    },
    "clear the filters",
  );
  // Nothing is there: because of whom, or of what, it is asked for; or there is nothing yet.
  const nothing = async (asked, until) => {
    if (!asked.any && (await ask("/events/types?limit=1", { signal: until })).data.length === 0)
      return void replace(result, sendYourFirstEvent(search, until));
    if (asked.nobodyMaybe) return nobody({ ...asked, nobody: asked.nobodyMaybe }, clear);
    if (asked.filter.person_id && !(await isThere(asked.filter.person_id, until)))
      return nobody({ ...asked, nobody: "id" }, clear);
    return asked.any
      ? empty("No event is like that in this time. Choose a longer range above, or ", clear, ".")
      : empty("No events in this time. Choose a longer range above.");
  };

  const drawList = async (asked, { since, until: end }, until) => {
    let next;
    try {
      next = address("/events", {
        ...asked.filter,
        since: since.toISOString(),
        until: end.toISOString(),
        limit: PAGE,
        order: "desc",
        timestamps: "rfc3339",
      });
      const more = h(
        "button",
        { class: "button", onclick: () => grow().catch((error) => replace(list, failed(error))) },
        "Show more",
      );
      const grow = async () => {
        const answer = await ask(next, { signal: until });
        next = answer.next;
        rows = [...rows, ...answer.data];
        save.disabled = rows.length === 0;
        more.hidden = !next;
        announce(`${rows.length} events shown`);
        replace(
          list,
          rows.length === 0
            ? await nothing(asked, until)
            : [
                h(
                  "p",
                  { class: "quiet-text" },
                  `The ${count(rows.length)} recorded last${next ? "; there are more" : ", which are all"}.`,
                ),
                table("Events", COLUMNS, rows),
                more,
              ],
        );
      };
      await grow();
    } catch (error) {
      if (!until.aborted) replace(list, failed(error));
    }
    if (!asked.counted && !until.aborted) drawShown(rows.length > 0 && next);
  };

  // The statistics know types and persons; of what else is asked for, what is shown is counted.
  const drawChart = async (asked, stretch, until) => {
    if (!asked.counted) return;
    try {
      const counts = await statistics(stretch, until, { group: "type", ...asked.counted });
      draw(barChart(until, counts, stretch, zoom));
    } catch (error) {
      if (!until.aborted) replace(chart, failed(error));
    }
  };
  const drawShown = (more) => {
    const whole = rangeOf(chosen);
    const oldest = new Date(Math.min(...rows.map((row) => new Date(row.datetime_created))));
    const stretch = more
      ? rangeOf(`${oldest.toISOString()}..${whole.until.toISOString()}`)
      : whole;
    const counts = rows.map((row) => ({
      from: row.datetime_created,
      event_type: row.event_type,
      count: 1,
    }));
    draw(
      barChart(last.signal, counts, stretch, zoom),
      h(
        "p",
        { class: "hint" },
        more
          ? `Of the ${count(rows.length)} that are shown below only; there are more.`
          : "Of the events that are shown below, which are all.",
      ),
    );
  };
  const draw = (drawn, more) => replace(chart, drawn.box, more, drawn.sum > 0 && numbers(drawn));
  const zoom = (from, to) =>
    range.choose(`${new Date(from * 1000).toISOString()}..${new Date(to * 1000).toISOString()}`);

  replace(
    root,
    heading("Events", save),
    h(
      "form",
      {
        class: "filters",
        onsubmit: (event) => {
          event.preventDefault();
          search();
        },
      },
      fields.boxes,
      h("button", { class: "button primary" }, "Search"),
    ),
    result,
  );
  await search();
}

const COLUMNS = [
  {
    name: "When",
    class: "time",
    show: (row) =>
      h(
        "button",
        { class: "link-button", onclick: () => openEvent(row) },
        momentOf(row.datetime_created),
      ),
  },
  { name: "Type", show: (row) => quoted(row.event_type) },
  {
    name: "Whose",
    show: (row) =>
      row.person_id
        ? h(
            "a",
            { class: "mono", href: link(`persons/${row.person_id}`), title: row.person_id },
            `${row.person_id.slice(0, 8)}…${row.person_id.slice(-4)}`,
          )
        : h(
            "span",
            { class: "quiet-text" },
            row.anonymous_id ? ["anonymous ", quoted(row.anonymous_id)] : "nobody's",
          ),
  },
  {
    name: "Properties",
    show: (row) => {
      const text = pairs(row.properties);
      return text && h("div", { class: "clip quiet-text", title: text }, quoted(text));
    },
  },
];

function filterFields(query, signal) {
  const known = knownTypes(signal).list;
  const type = field("Types", "type", query, {
    list: "known-types",
    placeholder: "All; several with commas",
  });
  const whom = field("Person", "person", query, {
    placeholder: "Id, email, external or anonymous id",
  });
  const properties = field("Properties", "properties", query, { placeholder: "page=/home or {…}" });
  const text = () => ({
    type: type.input.value.trim(),
    person: whom.input.value.trim(),
    properties: properties.input.value.trim(),
  });
  return {
    boxes: [type.box, whom.box, properties.box, known],
    text,
    clear: () => {
      for (const each of [type, whom, properties]) each.input.value = "";
    },
    read: async (until) => {
      const typed = text();
      const types = typesOf(typed.type);
      const object = propertiesOf(typed.properties);
      const { filter, person, nobody } = await whose(typed.person, until);
      return {
        any: Boolean(typed.type || typed.person || object),
        person: typed.person,
        nobody: filter === null ? nobody : null,
        nobodyMaybe: nobody,
        filter: { keyword: types, ...filter, properties: object && JSON.stringify(object) },
        counted:
          object || (typed.person && !person)
            ? null
            : { type: typeList(types), ...(person && { person_id: person }) },
      };
    },
  };
}

function nobody({ person, nobody: as }, clear) {
  return empty(
    `Nobody has the ${as} “`,
    quoted(person),
    "”. ",
    h("a", { href: link("persons", { q: person }) }, "Search the persons for it"),
    ", or ",
    clear,
    ".",
  );
}

function field(name, key, query, more) {
  const input = h("input", {
    id: `events-${key}`,
    value: query.get(key) ?? "",
    spellcheck: "false",
    autocomplete: "off",
    ...more,
  });
  return { input, box: h("div", { class: "field" }, h("label", { for: input.id }, name), input) };
}
