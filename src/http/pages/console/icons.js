import { svg } from "./dom.js";

const PATHS = {
  overview: "M3 12h4l3-8 4 16 3-8h4",
  live: "M12 12h.01M8.5 15.5a5 5 0 0 1 0-7M15.5 8.5a5 5 0 0 1 0 7M5.6 18.4a9 9 0 0 1 0-12.8M18.4 5.6a9 9 0 0 1 0 12.8",
  persons: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4 21a8 8 0 0 1 16 0",
  events: "M8 6h13M8 12h13M8 18h13M3.5 6h.01M3.5 12h.01M3.5 18h.01",
  insight: "M4 4h16l-6 8v7l-4 2v-9L4 4Z",
  operations: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  menu: "M4 7h16M4 12h16M4 17h16",
  light:
    "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4",
  dark: "M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5Z",
  auto: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 3v18M12 8h4.5M12 12h5M12 16h4",
  key: "M14 10a4 4 0 1 0-3.5 4L13 16.500v2h2v2h3v-3.500l-4.500-4.500",
  close: "M6 6l12 12M18 6L6 18",
  pause: "M9 5v14M15 5v14",
  play: "M7 5l12 7-12 7V5Z",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  ok: "M5 13l4 4L19 7",
  bad: "M12 8v5M12 16.500h.01M12 3 2.500 20h19L12 3Z",
  routes: "M8 7l-5 5 5 5M16 7l5 5-5 5",
  back: "M15 6l-6 6 6 6",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
};

export function icon(name) {
  return svg(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" },
    svg("path", { d: PATHS[name] }),
  );
}
