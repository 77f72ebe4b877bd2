// Numbers, times and sizes as people read them. Times are shown as this browser's zone has
// them; the API's are UTC.
const whole = new Intl.NumberFormat("en");
const rate = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat("en", {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
});
const clock = new Intl.DateTimeFormat("en", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const moment = new Intl.DateTimeFormat("en", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

export const count = (n) => whole.format(n);
export const perSecond = (n) => rate.format(n);
export const percent = (share) => `${rate.format(share * 100)} %`;

// The API's times have no zone where none is asked for; they are UTC.
export const parseTime = (text) => new Date(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);

export const dayOf = (text) => day.format(parseTime(text));
export const clockOf = (text) => clock.format(parseTime(text));
export const momentOf = (text) => moment.format(parseTime(text));

export function bytes(n) {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let at = 0;
  for (; n >= 1000 && at < units.length - 1; at++) n /= 1000;
  return `${at === 0 ? n : n.toPrecision(3)} ${units[at]}`;
}

// 75 -> "1 min 15 s"
export function duration(seconds) {
  const parts = [
    ["d", 86400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ];
  const shown = [];
  let left = Math.round(seconds);
  for (const [unit, size] of parts) {
    if (left >= size || (unit === "s" && shown.length === 0)) {
      shown.push(`${Math.floor(left / size)} ${unit}`);
      left %= size;
    }
  }
  return shown.slice(0, 2).join(" ");
}
