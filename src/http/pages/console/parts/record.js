// A record of the log in a line, and as a whole.
import { h, openDialog, quoted } from "../dom.js";
import { clockOf, momentOf } from "../format.js";
import { icon } from "../icons.js";
import { link } from "../router.js";
import { json } from "./code.js";
import { proof } from "./proof.js";

export const TYPES = [
  "event.recorded",
  "event.deleted",
  "person.created",
  "person.updated",
  "person.deleted",
  "person.aliased",
  "person.unaliased",
  "person.erased",
  "person.restricted",
  "person.unrestricted",
  "log.resealed",
  "events.expired",
];

export const typeBadge = (type) =>
  h(
    "span",
    {
      class: `badge ${/\.(deleted|erased|expired)$/.test(type) ? "bad" : type.startsWith("person.") ? "warn" : ""}`,
    },
    type,
  );

// Whose it is, where the record says so.
const personOf = (record) =>
  record.type.startsWith("person.") ? record.subject_id : (record.data?.person_id ?? null);

// When it happened, which for an event the client may say.
export const happened = (record) => record.data?.datetime_created ?? record.recorded_at;

export const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));

// So much of a name or value as a line has of it.
const short = (text) => (text.length > 100 ? `${text.match(/^.{0,100}/su)[0]}…` : text);

// The first members of an object, in a line; the dialog has all.
export function pairs(object) {
  const all = Object.entries(object ?? {});
  const some = all
    .slice(0, 4)
    .map(([name, value]) => `${short(name)}: ${short(shown(value))}`)
    .join(" · ");
  return all.length > 4 ? `${some} · …` : some;
}

// Why a record says nothing; null where it does.
export function shutBy(data = {}) {
  if (data.erased === true) return "erased: nobody can read it any more";
  if (data.restricted === true) return "restricted: shown to the scope admin only";
  if (data.sealed === true) return "sealed: its key is not here";
  if (data.damaged_key) return `damaged: key ${data.damaged_key} has to be put back`;
  return null;
}

// What it is about, in few words: [what, more].
function gist({ type, data = {} }) {
  if (shutBy(data)) return ["", shutBy(data)];
  if (type === "event.recorded") return [data.event_type, pairs(data.properties)];
  if (type === "person.created")
    return [data.email ?? data.external_id ?? "", pairs(data.properties)];
  return ["", pairs(data)];
}

export function recordLine(record) {
  const [what, more] = gist(record);
  return h(
    "button",
    { class: "record", type: "button", onclick: () => openRecord(record) },
    h("span", { class: "time", title: record.recorded_at }, clockOf(record.recorded_at)),
    h("span", { class: "number" }, String(record.sequence)),
    typeBadge(record.type),
    h("span", { class: "gist" }, quoted(what), " ", h("bdi", { class: "quiet-text" }, more)),
    h("span", { class: "actor" }, record.meta?.actor && ["by ", quoted(record.meta.actor)]),
  );
}

export function openRecord(record) {
  open(
    `Record ${record.sequence}`,
    [
      typeBadge(record.type),
      ` ${momentOf(record.recorded_at)}`,
      record.meta?.actor && [", by ", quoted(record.meta.actor)],
    ],
    record,
    personOf(record),
    proof(record.sequence),
  );
}

export function openEvent(event) {
  open(event.event_type, momentOf(event.datetime_created), event, event.person_id);
}

function open(title, about, value, person, more) {
  const dialog = h(
    "dialog",
    { class: "dialog wide", "aria-labelledby": "record-title" },
    h(
      "div",
      { class: "stack" },
      h(
        "div",
        { class: "card-head" },
        h("h2", { id: "record-title" }, quoted(title)),
        h(
          "button",
          { class: "icon-button", "aria-label": "Close", onclick: () => dialog.close() },
          icon("close"),
        ),
      ),
      h("p", { class: "quiet-text" }, about),
      json(value),
      more,
      person &&
        h(
          "p",
          {},
          h(
            "a",
            { href: link(`persons/${person}`), onclick: () => dialog.close() },
            "The person it is about",
          ),
        ),
    ),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  addEventListener("hashchange", () => dialog.close(), { once: true });
  openDialog(dialog);
}
