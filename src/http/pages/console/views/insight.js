// What persons do one after the other, and who comes back.
import { h, replace } from "../dom.js";
import { funnel } from "../parts/funnel.js";
import { sendYourFirstEvent } from "../parts/first.js";
import { heading } from "../parts/notes.js";
import { retention } from "../parts/retention.js";
import { knownTypes } from "../parts/types.js";
import { remember } from "../router.js";

export async function show(root, { query, signal }) {
  const types = knownTypes(signal);
  const asked = Object.fromEntries(query);
  const keep = (more) => remember("insight", Object.assign(asked, more));
  const first = h("div", {});
  replace(root, heading("Insight"), first, types.list);
  const known = await types.known;
  const again = () => show(root, { query, signal });
  if (signal.aborted) return;
  if (known.length === 0) return replace(first, sendYourFirstEvent(again, signal));
  root.append(funnel(asked, known, keep, signal), retention(asked, known, keep, signal));
}
