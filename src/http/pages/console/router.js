// Which view an address is of: #/persons/ID?q=kate. A view is a module with a title and
// show(root, place): it fills root, and stops what it began when place.signal is aborted. It
// is shown to a token with its scope alone; Overview has something for everybody.
import * as overview from "./views/overview.js";
import * as live from "./views/live.js";
import * as persons from "./views/persons.js";
import * as person from "./views/person.js";
import * as events from "./views/events.js";
import * as insight from "./views/insight.js";
import * as operations from "./views/operations.js";

export const PLACES = [
  { path: "overview", name: "Overview", view: overview },
  { path: "live", name: "Live", scope: "audit", view: live },
  { path: "persons", name: "Persons", scope: "read", view: persons, one: person },
  { path: "events", name: "Events", scope: "read", view: events },
  { path: "insight", name: "Insight", scope: "read", view: insight },
  { path: "operations", name: "Operations", scope: "admin", view: operations },
];

// What location.hash says; the first place where it says nothing known.
export function placeOf(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [first, id] = path.split("/");
  const known = PLACES.find((place) => place.path === first);
  const place = known ?? PLACES[0];
  const one = known && place.one && /^[\w-]+$/.test(id ?? "");
  return {
    path: place.path,
    name: place.name,
    scope: place.scope,
    view: one ? place.one : place.view,
    id: one ? id : null,
    query: new URLSearchParams(query),
  };
}

export function link(path, params = {}) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value)).toString();
  return `#/${path}${query ? `?${query}` : ""}`;
}

// Say in the address what is shown, without showing it anew.
export function remember(path, params) {
  history.replaceState(null, "", link(path, params));
}
