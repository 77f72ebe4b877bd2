// How old the last backup is, and how much it lacks.
import { ask } from "../api.js";
import { h } from "../dom.js";
import { count, duration, momentOf } from "../format.js";
import { note } from "./notes.js";
import { section } from "./section.js";

const OLD = 36 * 3600; // seconds: one a night was missed

export function backups(signal) {
  return section("Backups", signal, async () => {
    const { last } = (await ask("/admin/backups?timestamps=rfc3339", { signal })).data;
    if (!last)
      return note(
        "warn",
        "No backup is known. ",
        h("code", {}, "daybook backup TO"),
        " makes one while the server runs.",
      );
    return [
      last.age_seconds > OLD &&
        note("warn", `The last backup is ${duration(last.age_seconds)} old.`),
      h(
        "dl",
        { class: "pairs" },
        h("dt", {}, "Last"),
        h("dd", {}, `${momentOf(last.at)}, ${duration(last.age_seconds)} ago`),
        h("dt", {}, "Up to"),
        h(
          "dd",
          {},
          `record ${count(last.head)}`,
          last.records_behind === null
            ? ", of another log"
            : `, ${count(last.records_behind)} behind the log`,
        ),
        h("dt", {}, "At"),
        h("dd", { class: "mono" }, last.path),
      ),
    ];
  }).box;
}
