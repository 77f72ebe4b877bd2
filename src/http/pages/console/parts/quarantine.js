// Who is set aside, and why; tried again at a button.
import { ask } from "../api.js";
import { announce, h, replace } from "../dom.js";
import { count, momentOf } from "../format.js";
import { pause } from "../pulse.js";
import { link } from "../router.js";
import { empty, failed, note } from "./notes.js";
import { section } from "./section.js";
import { table } from "./table.js";

const POSTED = [0, 1000, 2000]; // when the list is asked for again: it is posted meanwhile

const COLUMNS = [
  {
    name: "Whose",
    class: "mono",
    show: (row) =>
      row.person_id
        ? h("a", { href: link(`persons/${row.person_id}`) }, row.person_id)
        : row.anonymous_id,
  },
  { name: "Why", class: "wide-cell", show: (row) => row.reason },
  { name: "Record", number: true, show: (row) => count(row.sequence) },
  { name: "Since", class: "time", show: (row) => momentOf(row.quarantined_at) },
];

export function quarantine(signal) {
  const told = h("div", {});
  const retry = h(
    "button",
    { class: "button", hidden: true, onclick: () => tryAgain() },
    "Try them again",
  );
  const tryAgain = async () => {
    retry.disabled = true;
    try {
      const { data } = await ask("/admin/quarantine/retry", { method: "POST" });
      replace(
        told,
        note("ok", `${count(data.retried)} tried again. Who is still set aside is listed.`),
      );
      announce("Tried again");
      for (const wait of POSTED) {
        await pause(wait, signal);
        if (signal.aborted) return;
        await listed.load();
      }
    } catch (error) {
      replace(told, failed(error));
    }
    retry.disabled = false;
  };
  const listed = section(
    "Quarantine",
    signal,
    async () => {
      const { data, next } = await ask("/admin/quarantine?timestamps=rfc3339", { signal });
      retry.hidden = data.length === 0;
      if (data.length === 0)
        return [told, empty("Nobody is set aside: PostgreSQL has taken every record. There is nothing to do.")];
      return [
        told,
        table("Quarantine", COLUMNS, data),
        next &&
          h(
            "p",
            { class: "hint" },
            `The first ${count(data.length)}; `,
            h("code", {}, "daybook status"),
            " has all.",
          ),
      ];
    },
    retry,
  );
  return listed.box;
}
