// One person: the fields, and the days.
import { address, ask } from "../api.js";
import { announce, h, newId, quoted, replace, visible } from "../dom.js";
import { momentOf } from "../format.js";
import { has, own, reason } from "../may.js";
import { icon } from "../icons.js";
import { json } from "../parts/code.js";
import { confirmTyped } from "../parts/confirm.js";
import { erased } from "../parts/erased.js";
import { card, failed, loading, note } from "../parts/notes.js";
import { erasing, restrictedBadge, restrictedNote, restrictedSince, rights } from "../parts/rights.js";
import { historyOf, timeline } from "../parts/timeline.js";
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
  const past = historyOf(id, signal);
  past.then(
    (told) => replace(days, timeline(told)),
    (error) => {
      if (!signal.aborted) replace(days, failed(error));
    },
  );
  const again = async () => {
    await show(root, { id, signal });
    root.closest("main")?.focus({ preventScroll: true }); // what was pressed is there no more
  };
  try {
    const { data } = await ask(
      address(`/persons/${id}`, { events_limit: 0, timestamps: "rfc3339" }),
      { signal },
    );
    const its = await own();
    const since = await restrictedSince(id, its, await past, signal);
    replace(
      head,
      h("h1", {}, quoted(nameOf(data))),
      since && restrictedBadge(),
      deleting(data, its, trouble),
      rights({ id, name: nameOf(data), word: wordOf(data) }, { its, since, trouble, again }),
    );
    replace(trouble, since && restrictedNote(since));
    replace(fields, fieldsOf(data), await aliasesOf(id, signal));
  } catch (error) {
    if (signal.aborted) return;
    if (error.status === 410) {
      replace(head, h("h1", {}, "Person"), h("span", { class: "badge bad" }, "Erased"));
      replace(trouble, await erased(id, signal));
    } else if (error.status === 404) {
      const its = await own();
      replace(
        trouble,
        note(
          "quiet",
          "Nobody has this id now. What the log has of it is below: who was deleted stays in the log, until erased.",
        ),
      );
      if (has(its, "erase")) replace(head, h("h1", {}, "Person"), erasing({ id, name: id, word: id }, trouble, again));
    } else {
      if (error.status === 403 && /restricted/.test(error.message))
        replace(head, h("h1", {}, "Person"), restrictedBadge());
      replace(trouble, failed(error));
    }
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

// What is typed to confirm: an email, where what is seen is what it is.
const wordOf = ({ email, id }) => (email && visible(email) === email ? email : id);

async function remove(person, trouble) {
  const sure = await confirmTyped({
    title: ["Delete ", quoted(nameOf(person)), "?"],
    text: "The person and their events leave every answer but the log's. This is not undone; what was written stays in the log and in backups.",
    word: wordOf(person),
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
