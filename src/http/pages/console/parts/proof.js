// That a record is in the signed log (c2sp.org/tlog-proof): what of it a person wants to know,
// and the file, which is enough for others.
import { text } from "../api.js";
import { download } from "../csv.js";
import { h, replace } from "../dom.js";
import { count } from "../format.js";

// { index, origin, size } of the file; the checkpoint stands behind its first empty line.
export function proofOf(file) {
  const [origin, size] = file.slice(file.indexOf("\n\n") + 2).split("\n");
  return { index: Number(file.match(/^index (\d+)$/m)[1]), origin, size: Number(size) };
}

// A new record is proven when a checkpoint has it, which the server waits for.
export function proof(sequence) {
  const box = h("p", { class: "quiet-text proof", role: "status" }, "Asking for its proof …");
  text(`/log/${sequence}/proof`).then(
    (file) => replace(box, told(sequence, file)),
    (error) => replace(box, `No proof: ${error.message}`),
  );
  return box;
}

function told(sequence, file) {
  const { index, origin, size } = proofOf(file);
  const save = () => download(`${sequence}.tlog-proof`, file, "text/plain;charset=utf-8");
  return [
    `Proven: entry ${index} of the ${count(size)} that `,
    h("span", { class: "mono" }, origin),
    " has signed. ",
    h("button", { class: "button", type: "button", onclick: save }, "Download the proof"),
  ];
}
