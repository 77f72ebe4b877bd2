// Whose events are meant by what is typed: an id, an email, an external or an anonymous id.
import { address, ask } from "./api.js";

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

// { filter, person, nobody }: what /events is asked for; the person's id where that is known;
// and where nobody is it, as what they were looked for. nobody of an anonymous id says so
// only: events may have it all the same. Failure: as ask has it.
export async function whose(text, signal) {
  if (text === "") return { filter: {}, person: null, nobody: null };
  if (ID.test(text)) return { filter: { person_id: text }, person: text, nobody: null };
  if (text.includes("@")) return looked({ email: text }, "email", signal);
  const named = await looked({ external_id: text }, "external id", signal);
  if (named.person) return named;
  const tied = await looked({ anonymous_id: text }, "external or anonymous id", signal);
  return { ...tied, filter: { anonymous_id: text } };
}

async function looked(by, as, signal) {
  const path = address("/persons", { ...by, fields: "id", limit: 1 });
  const [one] = (await ask(path, { signal })).data;
  return one
    ? { filter: { person_id: one.id }, person: one.id, nobody: null }
    : { filter: null, person: null, nobody: as };
}

// Whether somebody has this id now.
export async function isThere(id, signal) {
  const path = address(`/persons/${id}`, { events_limit: 0, fields: "id" });
  return (await ask(path, { signal, allow: [404, 410] })).status === 200;
}
