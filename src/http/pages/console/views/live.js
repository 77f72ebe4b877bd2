// The tail of the log as it grows, the newest first: bounded, filtered, paused.
import { ask } from "../api.js";
import { announce, h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { count } from "../format.js";
import { sendYourFirstEvent } from "../parts/first.js";
import { card, empty, failed, heading, note } from "../parts/notes.js";
import { recordLine, TYPES } from "../parts/record.js";
import { remember } from "../router.js";
import { follow } from "../stream.js";

const KEPT = 500; // records; older ones leave the list
const BEFORE = 50; // of the log, shown at first;
const SEARCHED = 1000; // those among so many that fit, where it is filtered

export async function show(root, { query, signal }) {
  const filters = {
    type: query.get("type"),
    event_type: query.get("event_type"),
    person_id: query.get("person_id"),
  };
  const stand = h("span", { class: "stand", role: "status" });
  let paused = false,
    stands = ["away", "Connecting"];
  // What is connected and paused is not live to who looks at it.
  const say = (...now) => {
    stands = now;
    const [state, text] = paused ? ["away", "Paused"] : stands;
    replace(stand, h("span", { class: `dot ${state}`, "aria-hidden": "true" }), text);
  };
  const rows = tail((now) => {
    paused = now;
    say(...stands);
  });
  const trouble = h("div", {}),
    first = h("div", {});
  let last = new AbortController();
  const listen = async () => {
    last.abort();
    last = new AbortController();
    const filtered = Object.values(filters).some(Boolean);
    rows.clear(
      ...(filtered
        ? [
            `None of the last ${count(SEARCHED)} records is like that. What comes appears here; or `,
            h("a", { href: "#/live" }, "see all records"),
            ".",
          ]
        : ["Nothing has come yet. Records appear here as they are written."]),
    );
    replace(trouble);
    say("away", "Connecting");
    try {
      const { data } = await ask("/health", { signal, allow: [503] });
      replace(first, data?.head === 0 && sendYourFirstEvent());
      const before = filtered ? SEARCHED : BEFORE;
      await follow(
        filters,
        Math.max(0, (data?.head ?? 0) - before),
        {
          record: (record) => {
            replace(first);
            rows.add(record);
          },
          state: (state, sentence) => {
            say(state, state === "live" ? "Live" : "Away");
            replace(trouble, sentence && note("warn", sentence));
          },
        },
        AbortSignal.any([signal, last.signal]),
      );
    } catch (error) {
      say("away", "Not live");
      replace(trouble, failed(error));
    }
  };
  replace(
    root,
    heading("Live", stand, rows.button),
    filterForm(filters, () => {
      remember("live", filters);
      listen();
    }),
    trouble,
    first,
    card(null, rows.box),
  );
  listen();
}

// The list. While it is paused what comes is kept aside, as much as the list would hold.
function tail(pauses) {
  const list = h("ol", { class: "records", "aria-label": "Records, the newest first" });
  const none = empty();
  let paused = false,
    aside = [],
    coming = [],
    drawing = false;
  const button = h("button", { class: "button", "aria-pressed": "false", onclick: () => toggle() });
  const paint = () =>
    replace(
      button,
      icon(paused ? "play" : "pause"),
      paused
        ? `Go on${aside.length > 0 ? ` (${count(aside.length)}${aside.length === KEPT ? " or more" : ""} new)` : ""}`
        : "Pause",
    );
  const toggle = () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    if (!paused) {
      coming.push(...aside);
      aside = [];
      draw();
    }
    pauses(paused);
    announce(paused ? "Paused" : "Going on");
    paint();
  };
  // At most once a frame, however many come; while nobody looks at the page there is none.
  const draw = () => {
    drawing = false;
    const shown = coming.slice(-KEPT).reverse();
    coming = [];
    list.prepend(...shown.map((record) => h("li", {}, recordLine(record))));
    while (list.childElementCount > KEPT) list.lastChild.remove();
    none.hidden = list.childElementCount > 0;
  };
  const add = (record) => {
    if (paused) {
      aside = [...aside.slice(1 - KEPT), record];
      paint();
      return;
    }
    coming.push(record);
    if (coming.length > 2 * KEPT) coming = coming.slice(-KEPT);
    if (!drawing) requestAnimationFrame(draw);
    drawing = true;
  };
  // why: what is said while there is nothing.
  const clear = (...why) => {
    list.replaceChildren();
    replace(none, why);
    aside = [];
    coming = [];
    none.hidden = false;
    paint();
  };
  paint();
  return { box: h("div", {}, none, list), button, add, clear };
}

function filterForm(filters, changed) {
  const type = h(
    "select",
    { id: "live-type" },
    h("option", { value: "" }, "All"),
    TYPES.map((each) => h("option", { value: each, selected: each === filters.type }, each)),
  );
  const event = h("input", {
    id: "live-event",
    value: filters.event_type ?? "",
    spellcheck: "false",
    autocomplete: "off",
  });
  const person = h("input", {
    id: "live-person",
    class: "mono",
    value: filters.person_id ?? "",
    spellcheck: "false",
    autocomplete: "off",
    pattern: "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    title: "an id: 8-4-4-4-12 hex digits",
  });
  return h(
    "form",
    {
      class: "filters",
      onsubmit: (submitted) => {
        submitted.preventDefault();
        Object.assign(filters, {
          type: type.value || null,
          event_type: event.value.trim() || null,
          person_id: person.value.trim() || null,
        });
        changed();
      },
    },
    h("div", { class: "field" }, h("label", { for: type.id }, "Record"), type),
    h("div", { class: "field" }, h("label", { for: event.id }, "Event type"), event),
    h("div", { class: "field wide" }, h("label", { for: person.id }, "Person (id)"), person),
    h("button", { class: "button" }, "Filter"),
  );
}
