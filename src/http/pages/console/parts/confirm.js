// Asks before what cannot be undone, and has a word typed for it.
import { h, newId, openDialog } from "../dom.js";

// True where the word was typed and the button pressed.
export function confirmTyped({ title, text, word, action }) {
  const input = h("input", {
    id: newId("confirm"),
    autocomplete: "off",
    spellcheck: "false",
    class: "mono",
    oninput: () => {
      button.disabled = input.value.trim() !== word;
    },
  });
  const button = h(
    "button",
    { class: "button danger primary", value: "yes", disabled: true },
    action,
  );
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": "confirm-title" },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id: "confirm-title" }, title),
      h("p", {}, text),
      h("label", { for: input.id }, "To confirm, type ", h("code", {}, h("bdi", {}, word))),
      input,
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", class: "button", onclick: () => dialog.close("") }, "Cancel"),
        button,
      ),
    ),
  );
  return openDialog(dialog).then((closed) => closed === "yes");
}
