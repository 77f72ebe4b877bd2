// What is around every view: the places, the theme, the token, and what failed.
import { announce, h, quoted, replace } from "./dom.js";
import { icon } from "./icons.js";
import { has, own, reason } from "./may.js";
import { PLACES, placeOf } from "./router.js";
import { applyTheme, nextTheme, theme } from "./theme.js";
import { forgetToken, token } from "./token.js";
import { failed, heading, refused } from "./parts/notes.js";

const THEMES = { auto: "as the system", light: "light", dark: "dark" };

const main = h("main", { id: "main", tabindex: "-1" });
const nav = h("nav", { id: "places", "aria-label": "Views" });
let leave = new AbortController();

export function start() {
  applyTheme();
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#main", onclick: skip }, "Skip to the content"),
    h(
      "header",
      { class: "side" },
      h(
        "div",
        { class: "brand" },
        h("a", { href: "#/overview" }, logo(), h("span", {}, "Daybook")),
        menuButton(),
      ),
      nav,
      h(
        "div",
        { class: "side-end" },
        themeButton(),
        tokenButton(),
        h("a", { class: "side-link", href: "/docs" }, icon("routes"), h("span", {}, "API")),
      ),
    ),
    main,
    h("div", { id: "said", class: "unseen", role: "status", "aria-live": "polite" }),
  );
  addEventListener("hashchange", () => show(true));
  show(false);
}

function skip(event) {
  event.preventDefault();
  main.focus();
}

function logo() {
  return h("img", { src: "/console/icon.svg", alt: "", width: "24", height: "24" });
}

function menuButton() {
  const button = h(
    "button",
    {
      class: "icon-button menu",
      "aria-expanded": "false",
      "aria-controls": "places",
      "aria-label": "Menu",
      onclick: () => {
        const open = document.body.classList.toggle("menu-open");
        button.setAttribute("aria-expanded", String(open));
      },
    },
    icon("menu"),
  );
  addEventListener("hashchange", () => {
    document.body.classList.remove("menu-open");
    button.setAttribute("aria-expanded", "false");
  });
  return button;
}

function themeButton() {
  const button = h("button", {
    class: "side-link",
    onclick: () => {
      nextTheme();
      paint();
      announce(`Theme: ${THEMES[theme()]}`);
    },
  });
  const paint = () => replace(button, icon(theme()), h("span", {}, `Theme: ${theme()}`));
  paint();
  return button;
}

// Whose token this tab has, and how to be rid of it.
function tokenButton() {
  const name = h("span", {}, "Forget token");
  const button = h("button", { class: "side-link", onclick: forgetToken }, icon("key"), name);
  const paint = async () => {
    button.hidden = token() === null;
    if (button.hidden) return;
    const its = await own().catch(() => null);
    if (its?.name) replace(name, "Forget token ", quoted(its.name));
  };
  addEventListener("tokenchange", paint);
  paint();
  return button;
}

function show(moved) {
  const place = placeOf(location.hash);
  leave.abort();
  leave = new AbortController();
  place.signal = leave.signal;
  replace(
    nav,
    PLACES.map((each) =>
      h(
        "a",
        {
          href: `#/${each.path}`,
          "aria-current": each.path === place.path && "page",
        },
        icon(each.path),
        h("span", {}, each.name),
      ),
    ),
  );
  document.title = `${place.name} · Daybook`;
  main.scrollTop = 0;
  scrollTo(0, 0);
  replace(main);
  fill(place).catch((error) => {
    if (place.signal.aborted) return;
    if (!main.querySelector("h1")) main.append(heading(place.name));
    main.append(failed(error));
  });
  if (moved) {
    main.focus({ preventScroll: true });
    announce(place.name);
  }
}

// The view, or why the tab's token has nothing of it.
async function fill(place) {
  if (place.scope) {
    const its = await own();
    if (place.signal.aborted) return;
    if (!has(its, place.scope))
      return replace(main, heading(place.name), refused(reason(`The view ${place.name}`, place.scope, its)));
  }
  await place.view.show(main, place);
}
