// What an operator looks after: who is set aside, the tokens.
import { replace } from "../dom.js";
import { count, momentOf } from "../format.js";
import { listing } from "../parts/listing.js";
import { heading } from "../parts/notes.js";

export async function show(root, { signal }) {
  replace(root, heading("Operations"),
    listing("Quarantine", "/admin/quarantine", [
      { name: "Whose", class: "mono", show: (row) => row.person_id ?? row.anonymous_id },
      { name: "Record", number: true, show: (row) => count(row.sequence) },
      { name: "Since", class: "time", show: (row) => momentOf(row.quarantined_at) },
      { name: "Why", show: (row) => row.reason },
    ], "Nobody is set aside.", signal).box,
    listing("Tokens", "/admin/tokens", [
      { name: "Name", show: (row) => row.name },
      { name: "May", show: (row) => row.scopes.join(", ") },
      { name: "Made", class: "time", show: (row) => momentOf(row.created_at) },
    ], "There are none: only this machine is served, and nobody on it is asked.", signal).box);
}
