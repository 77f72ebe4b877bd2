// What an empty store is to be told: lines that work as they are pasted.
import { ask } from "../api.js";
import { h } from "../dom.js";
import { pause } from "../pulse.js";
import { token } from "../token.js";
import { code } from "./code.js";

const EVERY = 2000;

// token: null where none is asked for. It does not stand in the lines, which a shell keeps.
export function firstLines(origin, token) {
  const asked = token === null ? "" : "TOKEN=dbk_...   # one with the scopes read and write\n";
  const headers = `${token === null ? "" : ` -H "Authorization: Bearer $TOKEN"`} -H 'Content-Type: application/json'`;
  return `${asked}API=${origin}
PERSON=$(curl -s $API/persons${headers} \\
  -d "{\\"email\\": \\"kate-$(date +%s)@marauders.mock\\", \\"first_name\\": \\"Kate\\", \\"last_name\\": \\"Pryde\\"}")
ID=$(echo "$PERSON" | grep -oE '[0-9a-f-]{36}' | head -n 1)
curl -s $API/events${headers} \\
  -d "{\\"event_type\\": \\"click\\", \\"person_id\\": \\"$ID\\", \\"properties\\": {\\"page\\": \\"/home\\"}}"
`;
}

// come(): once something is recorded, for a view that does not look by itself.
export function sendYourFirstEvent(come, signal) {
  if (come) wait(come, signal);
  return h(
    "section",
    { class: "card" },
    h("h2", {}, "Send your first event"),
    h(
      "p",
      { class: "lead" },
      "Nothing is recorded yet. These lines, pasted into a shell, make a person and an event of theirs; this page shows it as it comes.",
    ),
    code(firstLines(location.origin, token())),
    h(
      "p",
      { class: "hint" },
      "Every route, to read and to try, is at ",
      h("a", { href: "/docs" }, "/docs"),
      ".",
    ),
  );
}

async function wait(come, signal) {
  for (;;) {
    await pause(EVERY, signal);
    if (signal.aborted) return;
    const health = await ask("/health", { signal, allow: [503] }).catch(() => null);
    if (signal.aborted) return;
    if (health?.data?.head > 0) return come();
  }
}
