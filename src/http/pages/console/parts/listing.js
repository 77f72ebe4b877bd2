// A card that asks a route and shows its rows as a table.
import { ask } from "../api.js";
import { h, replace } from "../dom.js";
import { card, empty, failed, loading } from "./notes.js";
import { table } from "./table.js";

export function listing(title, path, columns, none, signal) {
  const body = h("div", {}, loading());
  const load = async () => {
    try {
      const { data } = await ask(path, { signal });
      replace(body, data.length === 0 ? empty(none) : table(title, columns, data));
    } catch (error) {
      if (!signal.aborted) replace(body, failed(error));
    }
  };
  load();
  return { box: card(title, body), load };
}
