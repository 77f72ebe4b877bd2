// How many persons did the steps one after the other: a bar a step.
import { address, ask, typeList } from "../api.js";
import { announce, h, newId, replace } from "../dom.js";
import { count, percent } from "../format.js";
import { icon } from "../icons.js";
import { card, empty, failed, loading } from "./notes.js";
import { rangeChoice, rangeOf } from "./range.js";

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

export function funnel(asked, story, keep, signal) {
  let steps = asked.steps?.split(",") ?? story;
  while (steps.length < STEPS_MIN) steps.push("");
  let chosen = asked.frange ?? "30d";
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
            pattern: "[^,]+",
            title: "a type, without a comma",
            oninput: (event) => {
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
    steps = next;
    paint();
    fields.children[focus].querySelector("input").focus();
  };
  const draw = async () => {
    const typed = steps.map((each) => each.trim());
    if (typed.some((each) => each === ""))
      return replace(result, empty("Choose two steps or more."));
    keep({ steps: typed.join(","), within: within.value, frange: chosen });
    replace(result, loading());
    const { since, until } = rangeOf(chosen);
    try {
      const { data } = await ask(
        address("/events/funnel", {
          steps: typeList(typed),
          within: within.value,
          since: since.toISOString(),
          until: until.toISOString(),
        }),
        { signal },
      );
      replace(result, picture(data.steps));
      announce(
        `${count(data.steps.at(-1).persons)} of ${count(data.steps[0].persons)} persons did all steps`,
      );
    } catch (error) {
      if (!signal.aborted) replace(result, failed(error));
    }
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
  if (steps[0].persons === 0) return empty(`Nobody did “${steps[0].event_type}” in this time.`);
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
          h("span", { class: "funnel-name" }, `${at + 1}. ${step.event_type}`),
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
