// One person: the fields, and the days.
import { address, ask } from "../api.js";
import { announce, h, newId, quoted, replace, visible } from "../dom.js";
import { momentOf } from "../format.js";
import { has, own, reason } from "../may.js";
import { icon } from "../icons.js";
import { json } from "../parts/code.js";
import { confirmTyped } from "../parts/confirm.js";
import { card, failed, loading, note } from "../parts/notes.js";
import { timeline } from "../parts/timeline.js";
import { nameOf } from "./persons.js";

export async function show(root, { id, signal }) {
  const head = h("div", { class: "heading" }),
    fields = h("div", { class: "columns" }),
    days = h("div", {}, loading());
  const trouble = h("div", {});
  replace(
    root,
    h("a", { class: "back", href: "#/persons" }, icon("back"), "Persons"),
    head,
    trouble,
    fields,
    card("Timeline", days),
  );
  replace(head, h("h1", {}, "Person"));
  timeline(id, signal).then(
    (shown) => replace(days, shown),
    (error) => {
      if (!signal.aborted) replace(days, failed(error));
    },
  );
  try {
    const { data } = await ask(
      address(`/persons/${id}`, { events_limit: 0, timestamps: "rfc3339" }),
      { signal },
    );
    replace(head, h("h1", {}, quoted(nameOf(data))), deleting(data, await own(), trouble));
    replace(fields, fieldsOf(data), await aliasesOf(id, signal));
  } catch (error) {
    if (signal.aborted) return;
    replace(
      trouble,
      error.status === 404
        ? note(
            "quiet",
            "Nobody has this id now. What the log has of it is below: who was deleted stays in the log.",
          )
        : failed(error),
    );
  }
}

function fieldsOf(person) {
  const { properties, events, ...plain } = person;
  return [
    card(
      "Fields",
      h(
        "dl",
        { class: "pairs" },
        Object.entries(plain).map(([name, value]) => [
          h("dt", {}, name),
          h(
            "dd",
            { class: name.endsWith("id") && "mono" },
            name.startsWith("datetime_") ? momentOf(value) : value === null ? "–" : String(value),
          ),
        ]),
      ),
    ),
    properties && card("Properties", json(properties)),
  ];
}

async function aliasesOf(id, signal) {
  try {
    const { data } = await ask(`/persons/${id}/aliases?timestamps=rfc3339`, { signal });
    if (data.length === 0) return null;
    return card(
      "Anonymous ids",
      h(
        "dl",
        { class: "pairs" },
        data.map((each) => [
          h("dt", { class: "mono" }, each.anonymous_id),
          h("dd", {}, `since ${momentOf(each.datetime_created)}`),
        ]),
      ),
    );
  } catch (error) {
    return signal.aborted ? null : failed(error);
  }
}

// The button; where the token may not, it cannot be pressed, and says why.
function deleting(person, its, trouble) {
  const why = has(its, "write") ? null : reason("Deleting", "write", its);
  const about = h("p", { id: newId("why"), class: "hint", hidden: why === null }, why);
  const button = h(
    "button",
    {
      class: "button danger",
      disabled: why !== null,
      "aria-describedby": why && about.id,
      onclick: () => remove(person, trouble),
    },
    "Delete…",
  );
  return [button, about];
}

async function remove(person, trouble) {
  const sure = await confirmTyped({
    title: ["Delete ", quoted(nameOf(person)), "?"],
    text: "The person and their events leave every answer but the log's. This is not undone; what was written stays in the log and in backups.",
    word: person.email && visible(person.email) === person.email ? person.email : person.id,
    action: "Delete",
  });
  if (!sure) return;
  try {
    await ask(`/persons/${person.id}`, { method: "DELETE" });
    announce("Deleted");
    location.hash = "#/persons";
  } catch (error) {
    replace(trouble, failed(error));
  }
}
