// A card whose content is asked for, and asked for again.
import { h, replace } from "../dom.js";
import { card, failed, loading } from "./notes.js";

// draw() resolves to what is shown. load() asks again.
export function section(title, signal, draw, ...beside) {
  const body = h("div", { class: "card-body" }, loading());
  const load = async () => {
    try {
      const shown = await draw();
      if (!signal.aborted) replace(body, shown);
    } catch (error) {
      if (!signal.aborted) replace(body, failed(error));
    }
  };
  load();
  return {
    box: card(null, h("div", { class: "card-head" }, h("h2", {}, title), beside), body),
    load,
  };
}
