import { heading, empty } from "../parts/notes.js";
import { replace } from "../dom.js";
export async function show(root) { replace(root, heading("Person"), empty("Soon.")); }
