// What happened, over all: the types of events there are.
import { h, replace } from "../dom.js";
import { count, momentOf } from "../format.js";
import { listing } from "../parts/listing.js";
import { heading } from "../parts/notes.js";
import { link } from "../router.js";

export async function show(root, { signal }) {
  replace(root, heading("Insight"), listing("Types of events", "/events/types", [
    { name: "Type", show: (row) => h("a", { href: link("events", { type: row.event_type }) }, row.event_type) },
    { name: "Events", number: true, show: (row) => count(row.count) },
    { name: "First", class: "time", show: (row) => momentOf(row.first) },
    { name: "Last", class: "time", show: (row) => momentOf(row.last) },
  ], "There are no events yet.", signal).box);
}
