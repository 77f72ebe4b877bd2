// Access tokens: listed without their secrets, made, revoked.
import { ask } from "../api.js";
import { announce, h, newId, replace } from "../dom.js";
import { bytes, count, momentOf } from "../format.js";
import { token, useToken } from "../token.js";
import { code } from "./code.js";
import { confirmTyped } from "./confirm.js";
import { empty, failed, note } from "./notes.js";
import { section } from "./section.js";
import { table } from "./table.js";

const SCOPES = [
  ["read", "persons, events and statistics"],
  ["write", "every change"],
  ["audit", "the log"],
  ["metrics", "the metrics"],
  ["erase", "erase persons for good"],
  ["ingest", "append, and learn nothing: for pages"],
  ["admin", "everything"],
];

export function tokens(signal) {
  const told = h("div", {});
  const listed = section("Access tokens", signal, async () => {
    const { data } = await ask("/admin/tokens?timestamps=rfc3339", { signal });
    return [
      told,
      data.length === 0
        ? empty(
            "There are none: only this machine is served, and nobody on it is asked. From the first one on every request must bring one: make one with the scope admin first, below.",
          )
        : table("Access tokens", columns(revoke), data),
      form,
    ];
  });
  const revoke = async (name) => {
    const sure = await confirmTyped({
      title: `Revoke ${name}?`,
      text: "Whatever brings this token is refused from the next second on.",
      word: name,
      action: "Revoke",
    });
    if (!sure) return;
    try {
      await ask(`/admin/tokens/${encodeURIComponent(name)}`, { method: "DELETE" });
      replace(told, note("ok", `${name} is revoked.`));
      announce("Revoked");
    } catch (error) {
      replace(told, failed(error));
    }
    await listed.load();
  };
  const form = makeForm(async (made) => {
    // The first one shuts out who has none.
    const adopted = token() === null && made.scopes.includes("admin");
    if (adopted) useToken(made.token);
    replace(told, secret(made, adopted));
    announce("The token is made");
    await listed.load();
  });
  return listed.box;
}

function columns(revoke) {
  return [
    { name: "Name", show: (row) => row.name },
    {
      name: "May",
      show: (row) =>
        row.scopes.map((each) => [
          h("span", { class: `badge ${each === "admin" ? "warn" : ""}` }, each),
          " ",
        ]),
    },
    { name: "Bounds", show: (row) => boundsOf(row) },
    { name: "Made", class: "time", show: (row) => momentOf(row.created_at) },
    {
      name: h("span", { class: "unseen" }, "Revoke"),
      number: true,
      show: (row) =>
        h(
          "button",
          {
            class: "button danger",
            "aria-label": `Revoke ${row.name}`,
            onclick: () => revoke(row.name),
          },
          "Revoke…",
        ),
    },
  ];
}

function boundsOf(row) {
  return [
    row.rate && `${count(row.rate)}/s`,
    row.address_rate && `${count(row.address_rate)}/s an address`,
    row.bytes_a_day && `${bytes(row.bytes_a_day)} a day`,
    row.origins?.length > 0 && row.origins.join(", "),
  ]
    .filter(Boolean)
    .join(" · ");
}

function secret(made, adopted) {
  return h(
    "div",
    { class: "card-body" },
    note(
      "ok",
      `${made.name} is made. ${adopted ? "From now on every request must bring a token; this tab brings this one. " : ""}This is its secret, shown this once:`,
    ),
    code(made.token),
  );
}

function makeForm(made) {
  const name = field("Name", {
    required: true,
    pattern: "[A-Za-z0-9._\\-]+",
    title: "letters, digits, '.', '_' and '-'",
  });
  const rate = field("Events a second", { type: "number", min: "1", placeholder: "no bound" });
  const day = field("Bytes a day", { type: "number", min: "1", placeholder: "no bound" });
  const origins = field("Origins of pages", {
    placeholder: "Scheme and host; several with commas",
  });
  const boxes = SCOPES.map(([scope, may]) => [
    scope,
    h("input", { type: "checkbox", value: scope }),
    may,
  ]);
  const trouble = h("div", {});
  const submit = async (event) => {
    event.preventDefault();
    const scopes = boxes.filter(([, box]) => box.checked).map(([scope]) => scope);
    const from = origins.input.value.split(/[,\s]+/).filter(Boolean);
    try {
      if (scopes.length === 0) throw new Error("Choose what it may do.");
      const { data } = await ask("/admin/tokens?timestamps=rfc3339", {
        method: "POST",
        body: {
          name: name.input.value.trim(),
          scopes,
          ...(rate.input.value && { rate: Number(rate.input.value) }),
          ...(day.input.value && { bytes_a_day: Number(day.input.value) }),
          ...(from.length > 0 && { origins: from }),
        },
      });
      replace(trouble);
      event.target.reset();
      box.open = false;
      await made(data);
    } catch (error) {
      replace(trouble, note("bad", error.message));
    }
  };
  const box = h(
    "details",
    {},
    h("summary", {}, "Make a token"),
    h(
      "form",
      { class: "stack", onsubmit: submit },
      h("div", { class: "filters" }, name.box, rate.box, day.box, origins.box),
      h(
        "fieldset",
        {},
        h("legend", {}, "It may"),
        boxes.map(([scope, input, may]) =>
          h(
            "label",
            { class: "check" },
            input,
            h("span", {}, h("strong", {}, scope), h("span", { class: "quiet-text" }, ` – ${may}`)),
          ),
        ),
      ),
      trouble,
      h("div", {}, h("button", { class: "button primary" }, "Make it")),
    ),
  );
  return box;
}

function field(name, more) {
  const input = h("input", {
    id: newId("token"),
    autocomplete: "off",
    spellcheck: "false",
    ...more,
  });
  return { input, box: h("div", { class: "field" }, h("label", { for: input.id }, name), input) };
}
