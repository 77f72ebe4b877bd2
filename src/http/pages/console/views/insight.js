// What persons do one after the other, and who comes back.
import { h, replace } from "../dom.js";
import { funnel } from "../parts/funnel.js";
import { sendYourFirstEvent } from "../parts/first.js";
import { heading } from "../parts/notes.js";
import { retention } from "../parts/retention.js";
import { knownTypes, storyOf } from "../parts/types.js";
import { remember } from "../router.js";

export async function show(root, { query, signal }) {
  const types = knownTypes(signal);
  const asked = Object.fromEntries(query);
  const keep = (more) => remember("insight", Object.assign(asked, more));
  const first = h("div", {});
  replace(root, heading("Insight"), first, types.list);
  const known = await types.known;
  const names = known.map((each) => each.event_type);
  if (signal.aborted) return;
  if (names.length === 0) replace(first, sendYourFirstEvent());
  root.append(funnel(asked, storyOf(known), keep, signal), retention(asked, names, keep, signal));
}
