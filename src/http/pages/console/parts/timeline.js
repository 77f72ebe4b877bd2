// A person's days, the latest first: what was recorded, what changed, and who wrote it.
import { address, ask } from "../api.js";
import { changesOf } from "../changes.js";
import { h, quoted } from "../dom.js";
import { clockOf, count, dayOf, parseTime } from "../format.js";
import { has, own, reason } from "../may.js";
import { empty, note } from "./notes.js";
import { happened, openEvent, openRecord, pairs, shown, shutBy } from "./record.js";

const PAGE = 1000,
  PAGES = 10; // records that are read
const STEP = 200; // entries that are shown at once

// past: of historyOf.
export function timeline({ records, notes }) {
  if (records.length === 0) return [...notes, empty(
        "Nothing is recorded of this id: ",
        h("a", { href: "#/persons" }, "search for whom you mean"),
        ".",
      )];
  const changes = changesOf(records);
  const list = h("div", { class: "days" });
  // As it happened; the log has it as it was told.
  const left = records
    .map((record) => [parseTime(happened(record)).getTime(), record])
    .sort((one, other) => other[0] - one[0] || other[1].sequence - one[1].sequence)
    .map(([, record]) => record);
  const more = h("button", { class: "button", onclick: () => grow() }, "Show earlier");
  let day = null,
    entries = null;
  const grow = () => {
    for (const record of left.splice(0, STEP)) {
      const its = dayOf(happened(record));
      if (its !== day) {
        day = its;
        entries = h("ol", {});
        list.append(h("section", { class: "day" }, h("h3", {}, day), entries));
      }
      entries.append(entry(record, changes.get(record.sequence)));
    }
    more.hidden = left.length === 0;
  };
  grow();
  return [...notes, list, more];
}

// { records, notes, whole } of a person, the oldest first; where the token may not see the log,
// the events. whole: these are all records.
export async function historyOf(id, signal) {
  const its = await own();
  if (!has(its, "audit"))
    return {
      records: await eventsOf(id, signal),
      notes: [note("quiet", reason("What was changed, and by whom,", "audit", its))],
    };
  const records = [];
  let next = address(`/persons/${id}/history`, { limit: PAGE, timestamps: "rfc3339" });
  try {
    for (let page = 0; next && page < PAGES; page++) {
      const answer = await ask(next, { signal });
      records.push(...answer.data);
      next = answer.next;
    }
  } catch (error) {
    if (error.status === 404) return { records: [], notes: [], whole: true };
    throw error;
  }
  const first = ["The first ", count(PAGE * PAGES), " records; "];
  const rest = [h("code", {}, `daybook log person ${id}`), " has all."];
  return { records, whole: !next, notes: next ? [note("quiet", ...first, ...rest)] : [] };
}

async function eventsOf(id, signal) {
  const { data } = await ask(
    address("/events", { person_id: id, limit: PAGE, order: "desc", timestamps: "rfc3339" }),
    { signal },
  );
  return data.reverse().map((event) => ({
    type: "event.recorded",
    recorded_at: event.datetime_created,
    subject_id: event.id,
    data: event,
  }));
}

function entry(record, changes) {
  const { what, beside } = words(record);
  return h(
    "li",
    { class: `entry ${record.type.startsWith("event.") ? "" : "of-person"}` },
    h("span", { class: "time", title: happened(record) }, clockOf(happened(record))),
    h(
      "div",
      { class: "what" },
      h(
        "p",
        {},
        h(
          "button",
          {
            class: "link-button",
            onclick: () => (record.sequence ? openRecord(record) : openEvent(record.data)),
          },
          what,
        ),
        beside && [" ", h("bdi", { class: "quiet-text" }, beside)],
      ),
      changes?.length > 0 && h("ul", { class: "changes" }, changes.map(change)),
    ),
    h("span", { class: "actor" }, record.meta?.actor && ["by ", quoted(record.meta.actor)]),
  );
}

function words({ type, data = {} }) {
  if (shutBy(data)) return { what: type, beside: shutBy(data) };
  switch (type) {
    case "event.recorded":
      return { what: data.event_type, beside: pairs(data.properties) };
    case "event.deleted":
      return { what: "Event deleted", beside: data.event_type ?? "" };
    case "person.created":
      return { what: "Person created" };
    case "person.updated":
      return { what: "Person changed" };
    case "person.deleted":
      return { what: "Person deleted" };
    case "person.erased":
      return { what: "Person erased" };
    case "person.restricted":
      return { what: "Person restricted" };
    case "person.unrestricted":
      return { what: "Person no more restricted" };
    case "person.aliased":
      return { what: "Anonymous id tied", beside: data.anonymous_id };
    case "person.unaliased":
      return { what: "Anonymous id untied", beside: data.anonymous_id };
    default:
      return { what: type };
  }
}

function change([name, old, now]) {
  return h(
    "li",
    {},
    h("bdi", { class: "field-name" }, name),
    old !== undefined && [
      h("del", {}, quoted(shown(old))),
      h("span", { class: "arrow", "aria-label": "becomes" }, "→"),
    ],
    now === undefined ? h("span", { class: "quiet-text" }, "removed") : h("ins", {}, quoted(shown(now))),
  );
}
