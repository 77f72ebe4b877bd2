// The access token: asked for only once the server wants one, and kept by the browser for
// this tab alone.
import { h, newId, openDialog } from "./dom.js";

const KEY = "daybook.token";
let waiting = null;

export const token = () => sessionStorage.getItem(KEY);

export function forgetToken() {
  sessionStorage.removeItem(KEY);
  location.reload();
}

// True once there is one, false where it was put off. Asked once, whoever waits.
export function askForToken(refused) {
  waiting ??= open(refused).finally(() => {
    waiting = null;
  });
  return waiting;
}

export function useToken(value) {
  sessionStorage.setItem(KEY, value);
  dispatchEvent(new Event("tokenchange"));
}

function open(refused) {
  const input = h("input", {
    id: newId("token"),
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
    placeholder: "dbk_…",
    "aria-describedby": "token-about",
  });
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": "token-title" },
    h(
      "form",
      { method: "dialog", onsubmit: () => useToken(input.value.trim()) },
      h("h2", { id: "token-title" }, "Access token"),
      h(
        "p",
        { id: "token-about" },
        refused
          ? "The server does not know this token: it is mistyped, or was revoked."
          : "This server asks for an access token. It stays in this tab, and is gone when the tab is closed.",
      ),
      h("label", { for: input.id }, "Token"),
      input,
      h(
        "p",
        { class: "hint" },
        "To make one, on the server: ",
        h("code", {}, "daybook token create console --scope read --scope audit --scope metrics"),
        "; with ",
        h("code", {}, "--scope admin"),
        " it may do everything.",
      ),
      h(
        "div",
        { class: "actions" },
        h(
          "button",
          { type: "button", class: "button", onclick: () => dialog.close("") },
          "Not now",
        ),
        h("button", { class: "button primary", value: "given" }, "Continue"),
      ),
    ),
  );
  return openDialog(dialog).then((closed) => closed === "given");
}
