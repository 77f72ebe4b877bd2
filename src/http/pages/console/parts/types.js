// The types of events there are, for the fields that ask for one; the most frequent first.
import { ask } from "../api.js";
import { h, replace } from "../dom.js";

// The three most frequent in the order in which they first came: rather what persons do one
// after the other than what they do most.
export function storyOf(types) {
  return types
    .slice(0, 3)
    .sort((one, other) => (one.first < other.first ? -1 : one.first > other.first ? 1 : 0))
    .map((each) => each.event_type);
}

export function knownTypes(signal) {
  const list = h("datalist", { id: "known-types" });
  const known = ask("/events/types?limit=200", { signal }).then(
    ({ data }) => {
      replace(
        list,
        data.map(({ event_type: value }) => h("option", { value })),
      );
      return data;
    },
    () => [],
  );
  return { list, known };
}
