// What is said instead of, or beside, data.
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { forgetToken } from "../token.js";

export function note(kind, ...children) {
  return h(
    "div",
    { class: `note ${kind}`, role: kind === "bad" ? "alert" : null },
    icon(kind === "ok" ? "ok" : "bad"),
    h("p", {}, children),
  );
}

// Where a route says no: what is missing, and who can give it.
export function failed(error) {
  if (error.name === "AbortError") return null;
  const sentence =
    error.status === undefined ? `The console failed: ${error.message}` : error.message;
  if (error.status === 401 || error.status === 403) return refused(sentence);
  return note([404, 410].includes(error.status) ? "quiet" : "bad", sentence);
}

// What the tab's token may not do, and another may.
export function refused(sentence) {
  return note(
    "quiet",
    sentence,
    " ",
    h("button", { class: "link-button", onclick: forgetToken }, "Use another token"),
  );
}

export const empty = (...children) => h("p", { class: "empty" }, children);

export const loading = () => h("p", { class: "empty", "aria-busy": "true" }, "Loading…");

// A title line with what belongs to it at its end.
export function heading(title, ...children) {
  return h("div", { class: "heading" }, h("h1", {}, title), children);
}

export function card(title, ...children) {
  return h("section", { class: "card" }, title && h("h2", {}, title), children);
}
