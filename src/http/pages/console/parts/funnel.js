// How many persons did the steps one after the other: a bar a step.
import { address, ask, typeList, typesOf } from "../api.js";
import { announce, h, newId, quoted, replace } from "../dom.js";
import { count, percent } from "../format.js";
import { icon } from "../icons.js";
import { statistics } from "./bytype.js";
import { card, empty, failed, loading } from "./notes.js";
import { rangeChoice, rangeOf } from "./range.js";
import { storyOf, typesIn } from "./types.js";

const STEPS_MIN = 2,
  STEPS_MAX = 10;
const WITHIN = [
  ["30m", "30 minutes"],
  ["12h", "12 hours"],
  ["1d", "a day"],
  ["7d", "a week"],
  ["30d", "30 days"],
  ["90d", "90 days"],
];

const filled = (steps) => [...steps, "", ""].slice(0, Math.max(STEPS_MIN, steps.length));

// known: the types that there are. Where nobody has said which steps, they are of those that
// came in the range chosen.
export function funnel(asked, known, keep, signal) {
  let own = asked.steps !== undefined,
    steps = filled(own ? typesOf(asked.steps) : []);
  let chosen = asked.range ?? "30d",
    last = new AbortController();
  const fields = h("ol", { class: "funnel-steps" }),
    result = h("div", { class: "card-body" });
  const within = h(
    "select",
    { id: newId("within") },
    WITHIN.map(([value, text]) =>
      h("option", { value, selected: value === (asked.within ?? "7d") }, text),
    ),
  );
  const add = h(
    "button",
    { type: "button", class: "button", onclick: () => change([...steps, ""], steps.length) },
    "Add a step",
  );
  const range = rangeChoice(chosen, (name) => {
    chosen = name;
    draw();
  });

  const paint = () => {
    replace(
      fields,
      steps.map((step, at) =>
        h(
          "li",
          {},
          h("input", {
            value: step,
            list: "known-types",
            "aria-label": `Step ${at + 1}`,
            placeholder: "Type of event",
            spellcheck: "false",
            autocomplete: "off",
            required: true,
            oninput: (event) => {
              own = true;
              steps[at] = event.target.value;
            },
          }),
          h(
            "button",
            {
              type: "button",
              class: "icon-button",
              "aria-label": `Remove step ${at + 1}`,
              hidden: steps.length <= STEPS_MIN,
              onclick: () =>
                change(
                  steps.filter((_, other) => other !== at),
                  Math.max(0, at - 1),
                ),
            },
            icon("close"),
          ),
        ),
      ),
    );
    add.hidden = steps.length >= STEPS_MAX;
  };
  const change = (next, focus) => {
    own = true;
    steps = next;
    paint();
    fields.children[focus].querySelector("input").focus();
  };
  const draw = async () => {
    last.abort();
    last = new AbortController();
    const until = AbortSignal.any([signal, last.signal]);
    replace(result, loading());
    try {
      const shown = await look(rangeOf(chosen), until);
      if (!until.aborted) replace(result, shown);
    } catch (error) {
      if (!until.aborted) replace(result, failed(error));
    }
  };
  const look = async (stretch, until) => {
    if (!own) {
      const rows = await statistics(stretch, until, { group: "type" });
      steps = filled(storyOf(typesIn(rows, known)));
      paint();
      if (steps[0] === "") return empty("No events in this time. Choose a longer range above.");
    }
    const typed = steps.map((each) => each.trim());
    keep({ steps: own ? typeList(typed) : null, within: within.value, range: chosen });
    if (typed.some((each) => each === ""))
      return empty("A funnel has two steps or more: type what else they did, or choose a longer range.");
    const { data } = await ask(
      address("/events/funnel", {
        steps: typeList(typed),
        within: within.value,
        since: stretch.since.toISOString(),
        until: stretch.until.toISOString(),
      }),
      { signal: until },
    );
    announce(
      `${count(data.steps.at(-1).persons)} of ${count(data.steps[0].persons)} persons did all steps`,
    );
    return picture(data.steps);
  };
  paint();
  draw();
  return card(
    null,
    h("div", { class: "card-head" }, h("h2", {}, "Funnel"), range.box),
    h(
      "form",
      {
        class: "stack",
        onsubmit: (event) => {
          event.preventDefault();
          draw();
        },
      },
      fields,
      h(
        "div",
        { class: "filters" },
        add,
        h("div", { class: "field narrow" }, h("label", { for: within.id }, "All within"), within),
        h("button", { class: "button primary" }, "Show"),
      ),
    ),
    result,
  );
}

function picture(steps) {
  if (steps[0].persons === 0)
    return empty(
      "Nobody did “",
      quoted(steps[0].event_type),
      "” in this time. Choose a longer range, or another first step.",
    );
  return h(
    "ol",
    { class: "funnel" },
    steps.map((step, at) => {
      const before = at > 0 ? steps[at - 1].persons : step.persons;
      const bar = h("div", { class: "funnel-bar" });
      bar.style.width = `${Math.max(step.share * 100, step.persons > 0 ? 0.5 : 0)}%`;
      return h(
        "li",
        {},
        h(
          "div",
          { class: "funnel-words" },
          h("span", { class: "funnel-name" }, `${at + 1}. `, quoted(step.event_type)),
          h(
            "span",
            {},
            h("strong", {}, count(step.persons)),
            at > 0 && ` · ${percent(step.share)} of all`,
          ),
        ),
        h("div", { class: "funnel-track", "aria-hidden": "true" }, bar),
        at > 0 &&
          h(
            "p",
            { class: "hint" },
            before === 0
              ? "Nobody came as far."
              : `${percent(step.persons / before)} of the step before; ${count(before - step.persons)} left`,
          ),
      );
    }),
  );
}
