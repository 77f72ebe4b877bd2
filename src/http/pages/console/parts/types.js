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

// Those of a stretch of time, by its statistics, the most frequent there first; `first` is
// that of all time, as far as it is known.
export function typesIn(rows, known) {
  const counts = new Map();
  for (const { event_type: type, count, from } of rows) {
    const its = counts.get(type) ?? { event_type: type, count: 0, first: from };
    counts.set(type, { ...its, count: its.count + count });
  }
  const firsts = new Map(known.map((each) => [each.event_type, each.first]));
  return [...counts.values()]
    .map((each) => ({ ...each, first: firsts.get(each.event_type) ?? each.first }))
    .sort((one, other) => other.count - one.count);
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
