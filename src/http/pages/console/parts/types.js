// The types of events there are, for the fields that ask for one.
import { ask } from "../api.js";
import { h, replace } from "../dom.js";

export function knownTypes(signal) {
  const list = h("datalist", { id: "known-types" });
  const known = ask("/events/types?limit=200", { signal }).then(
    ({ data }) => {
      const names = data.map((each) => each.event_type);
      replace(
        list,
        names.map((value) => h("option", { value })),
      );
      return names;
    },
    () => [],
  );
  return { list, known };
}
