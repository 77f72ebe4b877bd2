// The tables made again from the log: started, watched to its end, stopped.
import { ask } from "../api.js";
import { announce, h, replace } from "../dom.js";
import { count, duration, momentOf } from "../format.js";
import { pause } from "../pulse.js";
import { note } from "./notes.js";
import { section } from "./section.js";

const EVERY = 1000;
const PATH = "/admin/rebuild?timestamps=rfc3339";

export function rebuild(signal) {
  const old = h("input", { type: "checkbox" });
  const start = h(
    "button",
    { class: "button", onclick: () => order("POST", { keep_old: old.checked }) },
    "Rebuild the tables",
  );
  const stop = h("button", { class: "button danger", onclick: () => order("DELETE") }, "Stop it");
  const keep = h("label", { class: "check" }, old, "Keep the old tables, to swap back");
  const shown = h("div", { class: "card-body" }),
    trouble = h("div", {});
  let watching = false;

  const order = async (method, body) => {
    start.disabled = stop.disabled = true;
    replace(trouble);
    try {
      show((await ask("/admin/rebuild", { method, body })).data);
      watch();
    } catch (error) {
      replace(trouble, note("bad", error.message));
      start.disabled = stop.disabled = false;
    }
  };
  const show = (now) => {
    const running = now.state === "running";
    start.hidden = keep.hidden = running;
    start.disabled = false;
    stop.hidden = !running;
    stop.disabled = false;
    replace(shown, stateOf(now));
    return running;
  };
  const watch = async () => {
    if (watching) return;
    watching = true;
    while (!signal.aborted) {
      await pause(EVERY, signal);
      try {
        const { data } = await ask(PATH, { signal });
        replace(trouble);
        if (show(data)) continue;
        announce(`The rebuild is ${data.state}`);
        break;
      } catch (error) {
        if (signal.aborted) return;
        replace(trouble, note("warn", error.message));
      }
    }
    watching = false;
  };
  return section("Rebuild", signal, async () => {
    if (show((await ask(PATH, { signal })).data)) watch();
    return [
      h(
        "p",
        { class: "lead" },
        "The tables that answer reads are made again from the log beside the old ones, and swapped in. Reads and writes go on.",
      ),
      shown,
      trouble,
      h("div", { class: "filters" }, start, stop, keep),
    ];
  }).box;
}

function stateOf(now) {
  if (now.state === "idle") return null;
  if (now.state === "running") return progress(now);
  const when = now.ended_at ? `${momentOf(now.ended_at)}: ` : "";
  if (now.state === "done") return note("ok", `${when}done. `, resultOf(now.result));
  return note(
    now.state === "failed" ? "bad" : "warn",
    `${when}${now.state}. `,
    now.reason ?? "The old tables are as they were.",
  );
}

function progress({ phase, done, total, unit, seconds_left: left, started_at: began }) {
  const known = total > 0;
  // Without a value it says that it goes on, and not how far it is.
  const far = known ? { max: total, value: done } : {};
  const bar = h("progress", { ...far, "aria-label": "Progress of the rebuild" });
  return h(
    "div",
    { class: "progress" },
    h(
      "p",
      {},
      h("strong", {}, phase ?? "Running"),
      began && h("span", { class: "quiet-text" }, ` since ${momentOf(began)}`),
    ),
    bar,
    known &&
      h(
        "p",
        { class: "hint" },
        `${count(done)} of ${count(total)} ${unit ?? ""}`,
        left !== null && left !== undefined && `, about ${duration(left)} left`,
      ),
  );
}

function resultOf(result) {
  if (!result) return "";
  const { persons, events, seconds, quarantined, kept } = result;
  return [
    `${count(persons)} persons and ${count(events)} events in ${duration(seconds)}.`,
    quarantined > 0 && ` ${count(quarantined)} set aside.`,
    kept && [" The old tables are in the schema ", h("code", {}, kept), "."],
  ];
}
