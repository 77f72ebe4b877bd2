// A table of rows. columns: [{ name, show(row), number }]; it scrolls within itself where
// it is too wide.
import { h } from "../dom.js";

export function table(title, columns, rows) {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          columns.map((each) =>
            h("th", { scope: "col", class: each.number && "number" }, each.name),
          ),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((row) => tableRow(columns, row)),
      ),
    ),
  );
}

export function tableRow(columns, row) {
  return h(
    "tr",
    {},
    columns.map((each) => h("td", { class: each.number ? "number" : each.class }, each.show(row))),
  );
}
