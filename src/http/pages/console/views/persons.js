// Who there is: the newest, or who is searched for.
import { address, ask } from "../api.js";
import { announce, h, quoted, replace } from "../dom.js";
import { momentOf } from "../format.js";
import { sendYourFirstEvent } from "../parts/first.js";
import { card, empty, failed, heading, loading } from "../parts/notes.js";
import { table } from "../parts/table.js";
import { link, remember } from "../router.js";

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const SHOWN = {
  limit: 50,
  order: "desc",
  timestamps: "rfc3339",
  fields: "id,email,first_name,last_name,external_id,datetime_created",
};

export async function show(root, { query, signal }) {
  const input = h("input", {
    id: "person-search",
    type: "search",
    value: query.get("q") ?? "",
    spellcheck: "false",
    autocomplete: "off",
    placeholder: "Name, email, external id or id",
  });
  const found = h("div", { class: "results" }, loading());
  let last = new AbortController(); // of a search, which a later one ends
  const search = async () => {
    last.abort();
    last = new AbortController();
    const until = AbortSignal.any([signal, last.signal]);
    const text = input.value.trim();
    if (ID.test(text)) {
      location.hash = link(`persons/${text}`);
      return;
    }
    remember("persons", { q: text });
    try {
      const { rows, next, how } = await look(text, until);
      if (until.aborted) return;
      announce(`${rows.length} found`);
      replace(found, rows.length === 0 ? nobody(text, search, until) : list(rows, next, how, until));
    } catch (error) {
      if (!until.aborted) replace(found, failed(error));
    }
  };
  replace(
    root,
    heading("Persons"),
    h(
      "form",
      {
        class: "filters",
        role: "search",
        onsubmit: (event) => {
          event.preventDefault();
          search();
        },
      },
      h("div", { class: "field wide" }, h("label", { for: input.id }, "Search"), input),
      h("button", { class: "button primary" }, "Search"),
    ),
    found,
  );
  await search();
}

// An address is looked up as a whole first, any text as how a name or address begins; an
// external id is what else it may be.
async function look(text, signal) {
  if (text === "") return page({}, "The newest first", signal);
  if (/^\S+@\S+\.\S+$/.test(text)) {
    const exact = await page({ email: text }, `With the email ${text}`, signal);
    if (exact.rows.length > 0) return exact;
  }
  const begins = await page({ q: text }, `Whose email or name begins with “${text}”`, signal);
  if (begins.rows.length > 0) return begins;
  const named = await wholeName(text, signal);
  return named.rows.length > 0
    ? named
    : page({ external_id: text }, `With the external id ${text}`, signal);
}

// First and last name, as the list shows them: of those whose first one begins as the text
// does, at most a page.
async function wholeName(text, signal) {
  const [first, ...more] = text.split(/\s+/);
  if (more.length === 0) return { rows: [] };
  const found = await page({ q: first, limit: 1000 }, `Whose name begins with “${text}”`, signal);
  const begins = [first, ...more].join(" ").toLowerCase();
  found.rows = found.rows.filter((row) =>
    `${row.first_name} ${row.last_name}`.toLowerCase().startsWith(begins),
  );
  return { ...found, next: null };
}

async function page(filter, how, signal) {
  const { data, next } = await ask(address("/persons", { ...SHOWN, ...filter }), { signal });
  return { rows: data, next, how };
}

function nobody(text, search, signal) {
  return text === ""
    ? sendYourFirstEvent(search, signal)
    : card(
        null,
        empty(
          "Nobody's email or name begins with “",
          quoted(text),
          "”, and nobody has it as external id. Try less of it, or ",
          h("a", { href: link("persons") }, "see all persons"),
          ".",
        ),
      );
}

const COLUMNS = [
  { name: "Name", show: (row) => h("a", { href: link(`persons/${row.id}`) }, quoted(nameOf(row))) },
  { name: "Email", show: (row) => row.email && quoted(row.email) },
  { name: "External id", show: (row) => row.external_id && quoted(row.external_id) },
  { name: "Created", class: "time", show: (row) => momentOf(row.datetime_created) },
];

export function nameOf({ first_name: first, last_name: last, email, id }) {
  return [first, last].filter(Boolean).join(" ") || email || id;
}

function list(rows, next, how, signal) {
  const shown = h("div", { class: "card-body" }, table(how, COLUMNS, rows));
  const more = h(
    "button",
    {
      class: "button",
      hidden: !next,
      onclick: async () => {
        const answer = await ask(next, { signal });
        rows = [...rows, ...answer.data];
        next = answer.next;
        more.hidden = !next;
        replace(shown, table(how, COLUMNS, rows));
      },
    },
    "Show more",
  );
  return card(how, shown, h("div", {}, more));
}
