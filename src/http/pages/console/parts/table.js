// A table of rows. columns: [{ name, show(row), number }]; what shows nothing is "–". Where
// there is no room for its columns a row is a block of lines, each with its name, of what
// there is: nothing is out of sight. A narrow one, of three columns at most, stays as it is.
import { h } from "../dom.js";

// Roles are said, for browsers that take a table that is no grid for none.
export function table(title, columns, rows) {
  return scrolled(
    title,
    h(
      "table",
      { class: columns.length > 3 ? "stacks" : "few", role: "table", "aria-label": title },
      h(
        "thead",
        { role: "rowgroup" },
        h(
          "tr",
          { role: "row" },
          columns.map((each) =>
            h(
              "th",
              { scope: "col", role: "columnheader", class: each.number && "number" },
              each.name,
            ),
          ),
        ),
      ),
      h(
        "tbody",
        { role: "rowgroup" },
        rows.map((row) => tableRow(columns, row)),
      ),
    ),
  );
}

function tableRow(columns, row) {
  return h(
    "tr",
    { role: "row" },
    columns.map((each) => {
      const shown = each.show(row) || null;
      const looks = [each.number ? "number" : each.class, shown === null && "none"];
      return h(
        "td",
        {
          role: "cell",
          class: looks.filter(Boolean).join(" "),
          "data-name": typeof each.name === "string" ? each.name : "",
        },
        shown ?? "–",
      );
    }),
  );
}

// What may be wider than its place scrolls there, says so, and can be scrolled by keys.
export function scrolled(title, wide) {
  const hint = h("p", { class: "hint", hidden: true }, "It is wider than its place: scroll it sideways →");
  const box = h("div", { class: "scroll" }, wide);
  const look = () => {
    const over = box.scrollWidth > box.clientWidth + 1;
    hint.hidden = !over;
    if (over) {
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", `${title}, to be scrolled sideways`);
    } else {
      ["tabindex", "role", "aria-label"].forEach((name) => box.removeAttribute(name));
    }
  };
  const watch = new ResizeObserver(() => requestAnimationFrame(look));
  watch.observe(box);
  watch.observe(wide);
  return h("div", { class: "scrolled" }, hint, box);
}
