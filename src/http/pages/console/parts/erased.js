// A person who was erased for good: that, and the receipt, which says what was destroyed, what
// is left to do, and where else the data may be.
import { ask } from "../api.js";
import { download } from "../csv.js";
import { h } from "../dom.js";
import { count, momentOf } from "../format.js";
import { has, own } from "../may.js";
import { card, failed, note } from "./notes.js";

const SCOPES = ["erase", "audit"]; // each of which is told

export async function erased(id, signal) {
  const its = await own();
  const gone = note(
    "warn",
    "This person has been erased for good. The keys are destroyed, and nobody can read what the log has of the person. ",
    SCOPES.some((scope) => has(its, scope))
      ? null
      : "The receipt is shown to tokens with the scope erase or audit.",
  );
  if (!SCOPES.some((scope) => has(its, scope))) return [gone];
  try {
    const { data } = await ask(`/persons/${id}/receipt?timestamps=rfc3339`, { signal });
    return [gone, receipt(data)];
  } catch (error) {
    return signal.aborted ? [] : [gone, failed(error)];
  }
}

const lines = (pairs) =>
  h(
    "dl",
    { class: "pairs" },
    pairs.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
  );

function receipt(data) {
  const save = () =>
    download(`receipt-${data.person_id}.json`, JSON.stringify(data, null, 2), "application/json");
  return card(
    "Receipt",
    lines([
      ["Erased", momentOf(data.erased_at)],
      ["Record", count(data.sequence)],
      ["Keys destroyed", count(data.keys_destroyed)],
      ["Unreadable now", data.records === null ? "not counted" : `${count(data.records)} records`],
      ["Keys, memory, tables", [data.done.keys, data.done.memory, data.done.tables]
        .map((each) => each ?? "not known").join(", ")],
      [
        "Complete",
        data.pending
          ? "no: older copies of the ring of keys still open it, until daybook keys rotate"
          : `yes, since ${data.rotation.at ? momentOf(data.rotation.at) : "a rotation of the ring"}`,
      ],
      ["In the signed log", data.proof ? "proven" : "not signed"],
    ]),
    data.not_known.length > 0 && [
      h("h3", {}, "Where else it may be"),
      h(
        "ul",
        {},
        data.not_known.map((each) => h("li", {}, each.text)),
      ),
    ],
    h("p", {}, h("button", { class: "button", type: "button", onclick: save }, "Download the receipt")),
  );
}
