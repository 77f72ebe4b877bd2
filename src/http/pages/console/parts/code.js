// Text to be copied, and JSON to be read.
import { announce, h } from "../dom.js";
import { icon } from "../icons.js";

export function code(text, shown) {
  const button = h(
    "button",
    {
      class: "icon-button",
      "aria-label": "Copy",
      title: "Copy",
      onclick: async () => {
        try {
          await navigator.clipboard.writeText(text);
          announce("Copied");
          button.replaceChildren(icon("ok"));
        } catch {
          announce("The browser did not let it be copied");
        }
      },
    },
    icon("copy"),
  );
  return h("div", { class: "code" }, h("pre", { tabindex: "0" }, shown ?? text), button);
}

export function json(value) {
  const text = JSON.stringify(value, null, 2);
  const block = code(text, coloured(text));
  block.classList.add("json");
  return block;
}

const PART = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d[\d.eE+-]*/g;

function coloured(text) {
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(PART)) {
    parts.push(text.slice(at, found.index));
    if (found[2]) parts.push(h("bdi", { class: "key" }, found[1]), found[2]);
    else parts.push(h("bdi", { class: found[1] ? "text" : "plain" }, found[0]));
    at = found.index + found[0].length;
  }
  parts.push(text.slice(at));
  return parts;
}
