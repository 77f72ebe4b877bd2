// What the tab's token may do, so that what it may not is not offered, and the reason is told.
import { ask } from "./api.js";
import { token } from "./token.js";

let asked = null,
  by; // whose token

// { name, scopes }, asked once for each token; name is null where none is asked for. A token
// that only ingests may not even ask: it has no scope here. Failure: as ask has it.
export function own() {
  if (by !== token()) asked = null;
  by = token();
  asked ??= ask("/tokens/self", { allow: [403] }).then(
    ({ data }) => data ?? { name: "", scopes: [] },
    (error) => {
      asked = null;
      throw error;
    },
  );
  return asked;
}

export const has = ({ scopes }, scope) => scopes.includes(scope) || scopes.includes("admin");

// Whether it may; false where that cannot be told.
export async function may(scope) {
  return own().then(
    (its) => has(its, scope),
    () => false,
  );
}

// Why it may not, in a sentence: "Deleting needs …".
export function reason(what, scope, { name, scopes }) {
  const its = name ? `The token of this tab, “${name}”,` : "The token of this tab";
  const list = scopes.length > 0 ? `has only ${scopes.join(", ")}` : "may send events only";
  return `${what} needs a token with the scope ${scope}. ${its} ${list}.`;
}
