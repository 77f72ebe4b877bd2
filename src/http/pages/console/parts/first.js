// What an empty store is to be told: lines that work as they are pasted.
import { h } from "../dom.js";
import { code } from "./code.js";
import { token } from "../token.js";

function lines() {
  const bearer = token() === null ? "" : ` -H "Authorization: Bearer $TOKEN"`;
  const asked = token() === null ? "" : `TOKEN=dbk_...   # one with the scopes read and write\n`;
  return `${asked}API=${location.origin}
PERSON=$(curl -s $API/persons${bearer} -H 'Content-Type: application/json' \\
  -d "{\\"email\\": \\"kate-$(date +%s)@marauders.mock\\", \\"first_name\\": \\"Kate\\"}")
ID=$(echo "$PERSON" | grep -oE '[0-9a-f-]{36}' | head -n 1)
curl -s $API/events${bearer} -H 'Content-Type: application/json' \\
  -d "{\\"event_type\\": \\"click\\", \\"person_id\\": \\"$ID\\", \\"properties\\": {\\"page\\": \\"/home\\"}}"`;
}

export function sendYourFirstEvent() {
  return h("section", { class: "card" },
    h("h2", {}, "Send your first event"),
    h("p", { class: "lead" }, "Nothing is recorded yet. These lines, pasted into a shell, make a person and an event of theirs; this page shows it as it comes."),
    code(lines()),
    h("p", { class: "hint" }, "Every route, to read and to try, is at ", h("a", { href: "/docs" }, "/docs"), "."));
}
