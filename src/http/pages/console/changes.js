// What a person's records come to: each update as fields, old and new.

import { isNumberAsWritten } from "./json.js";

const FIELDS = ["email", "first_name", "last_name", "role", "external_id", "properties"];

// [[name, old, new], …] for each record that says something of the fields; a member of
// properties is named by its path. Records are one person's, the oldest first.
export function changesOf(records) {
  let known = {};
  const changes = new Map();
  for (const record of records) {
    if (record.type === "person.created" || record.type === "person.updated") {
      const next = { ...known };
      for (const name of FIELDS) {
        if (name in (record.data ?? {})) next[name] = record.data[name];
      }
      changes.set(record.sequence, differences(known, next));
      known = next;
    } else if (record.type === "person.deleted") {
      known = {};
    }
  }
  return changes;
}

export function differences(before, after) {
  const old = flat(before),
    now = flat(after);
  const names = [...new Set([...old.keys(), ...now.keys()])];
  return names
    .filter((name) => JSON.stringify(old.get(name)) !== JSON.stringify(now.get(name)))
    .map((name) => [name, old.get(name), now.get(name)]);
}

// Objects by the paths of what is in them; lists are whole, and null is nothing.
function flat(value, path = "", found = new Map()) {
  if (value && typeof value === "object" && !Array.isArray(value) && !isNumberAsWritten(value)) {
    for (const [name, each] of Object.entries(value))
      flat(each, path ? `${path}.${name}` : name, found);
  } else if (value !== null && value !== undefined) {
    found.set(path, value);
  }
  return found;
}
