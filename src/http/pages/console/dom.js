// Elements made by calls. Whatever is text stays text: nothing here reads markup, so what a
// client sent cannot be any.

// h("a", { class: "link", href: "#/", onclick: f, hidden: false }, "text", child, [more])
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

// The same for a picture.
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "selected") element[name] = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) add(element, child);
    else if (typeof child === "string") element.append(visible(child));
    else if (child != null && child !== false) element.append(child);
  }
}

// Characters that turn round what is behind them, also behind the element that they are in
// (an isolate is closed by a client's U+2069), are shown as JSON would write them.
export const visible = (text) =>
  text.replace(/[\u202a-\u202e\u2066-\u2069]/g, (each) => `\\u${each.charCodeAt(0).toString(16)}`);

export function replace(element, ...children) {
  element.replaceChildren();
  add(element, children);
  return element;
}

// Until it is closed; resolves to what the button that closed it stands for.
export function openDialog(dialog) {
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}

// Text of a client within a sentence of ours: letters that are written from right to left
// turn round nothing but themselves.
export const quoted = (text) => h("bdi", {}, text);

let last = 0;
export const newId = (word) => `${word}-${++last}`;

// Said to those who do not see what changes.
export function announce(text) {
  document.getElementById("said").textContent = text;
}
