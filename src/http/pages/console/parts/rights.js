// What a person may ask for: to be told what is held, to have it kept but shown no more, to be
// erased. Each is offered to who may do it; to others it is said which scope that takes.
import { ask, text } from "../api.js";
import { download } from "../csv.js";
import { announce, h, quoted, replace } from "../dom.js";
import { momentOf } from "../format.js";
import { has } from "../may.js";
import { confirmTyped } from "./confirm.js";
import { failed, note } from "./notes.js";

// Since when the person is restricted, as the records say, of which `whole` says that these are
// all; null: is not, or the token may not know.
export async function restrictedSince(id, its, { records, whole }, signal) {
  if (!has(its, "admin")) return null;
  const last = records.findLast(({ type }) => /^person\.(un)?restricted$/.test(type));
  if (whole) return last?.type === "person.restricted" ? last.recorded_at : null;
  const path = `/persons/${id}/restriction?timestamps=rfc3339`;
  const answer = await ask(path, { signal, allow: [404, 410] });
  return answer.status === 200 ? answer.data.datetime_created : null;
}

export const restrictedBadge = () => h("span", { class: "badge warn" }, "Restricted");

export const restrictedNote = (since) =>
  note(
    "warn",
    `Restricted since ${momentOf(since)}: what is held is kept, goes on being recorded, and is shown to tokens with the scope admin only.`,
  );

// f() is done, and says whether the person is another now, who is shown anew then.
const doing = (what, f, trouble, again) => async () => {
  try {
    if (!(await f())) return;
    announce(what);
    await again();
  } catch (error) {
    replace(trouble, failed(error));
  }
};

const button = (name, onclick, danger) =>
  h("button", { class: danger ? "button danger" : "button", type: "button", onclick }, name);

// person: { id, name, word }, the word being what is typed to confirm. trouble is where a failure
// is told; again() shows the person anew.
export const erasing = (person, trouble, again) =>
  button("Erase for good…", doing("Erased", () => erase(person), trouble, again), true);

// Of a person who is there: buttons for what this token may.
export function rights(person, { its, since, trouble, again }) {
  const restrict = (method) => () => ask(`/persons/${person.id}/restriction`, { method });
  const lacks = [
    !has(its, "erase") && "erasing takes the scope erase",
    !has(its, "admin") && "exporting and restricting take the scope admin",
  ].filter(Boolean);
  return [
    has(its, "admin") && [
      button("Export everything held", doing("", () => save(person), trouble, again)),
      since === null
        ? button("Restrict", doing("Restricted", restrict("POST"), trouble, again))
        : button("Restrict no more", doing("No more restricted", restrict("DELETE"), trouble, again)),
    ],
    has(its, "erase") && erasing(person, trouble, again),
    lacks.length > 0 && h("p", { class: "hint" }, `For this person, ${lacks.join("; ")}.`),
  ];
}

async function save({ id }) {
  download(`person-${id}.json`, await text(`/persons/${id}/export`), "application/json");
  announce("Exported");
  return false; // nothing is to be shown anew
}

async function erase({ id, name, word }) {
  const sure = await confirmTyped({
    title: ["Erase ", quoted(name), " for good?"],
    text: "The keys of all that the log has of this person are destroyed. Nobody can read it again, here or in any copy of the log, and no backup brings it back. This cannot be undone. The receipt is shown afterwards: keep it.",
    word,
    action: "Erase for good",
  });
  if (!sure) return false;
  return ask(`/persons/${id}?erase=true`, { method: "DELETE" });
}
