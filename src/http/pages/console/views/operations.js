// What an operator looks after.
import { h, replace } from "../dom.js";
import { backups } from "../parts/backups.js";
import { heading } from "../parts/notes.js";
import { quarantine } from "../parts/quarantine.js";
import { rebuild } from "../parts/rebuild.js";
import { tokens } from "../parts/tokens.js";

export async function show(root, { signal }) {
  replace(
    root,
    heading("Operations"),
    quarantine(signal),
    h("div", { class: "columns" }, rebuild(signal), backups(signal)),
    tokens(signal),
  );
}
