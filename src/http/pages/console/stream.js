// The log as it grows: GET /log/stream, read by fetch, for the browser's own reader of
// streams cannot bring a token.
import { address, Failure, request } from "./api.js";
import { parseJson } from "./json.js";
import { pause } from "./pulse.js";

const AWAY = 3000; // until it is tried again, where the server does not say

// Follow it from behind a record on, until signal is aborted: on.record(record) for each,
// on.state("live" | "away", sentence) as it goes. It takes up where it was torn. Failure:
// the server refuses.
export async function follow(filters, after, on, signal) {
  let at = String(after),
    retry = AWAY;
  const parse = parser((event) => {
    if (event.id !== null) at = event.id;
    if (event.retry !== null) retry = event.retry;
    if (event.type === "end") on.state("away", JSON.parse(event.data).details);
    else if (event.data !== null) on.record(parseJson(event.data));
  });
  while (!signal.aborted) {
    try {
      await read(filters, at, on, parse, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Failure && ![0, 429, 503].includes(error.status)) throw error;
      on.state(
        "away",
        error instanceof Failure ? error.message : "The stream was cut off; it is taken up again.",
      );
    }
    parse.clear();
    await pause(retry, signal);
  }
}

async function read(filters, at, on, parse, signal) {
  const answer = await request(
    address("/log/stream", { after: at, timestamps: "rfc3339", ...filters }),
    {
      signal,
      headers: { Accept: "text/event-stream" },
    },
  );
  if (!answer.ok) {
    const told = await answer.json().catch(() => null);
    throw new Failure(
      answer.status,
      told?.response?.details ?? `The server answered ${answer.status}.`,
    );
  }
  on.state("live", "");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    parse(value);
  }
}

// Takes text as it comes; tells each event. Source: WHATWG HTML, 9.2.6.
export function parser(tell) {
  let rest = "",
    event = blank();
  const line = (text) => {
    if (text === "") {
      tell(event);
      event = blank();
    } else if (text[0] !== ":") {
      const [, name, value] = text.match(/^([^:]*):? ?(.*)$/s);
      if (name === "data") event.data = event.data === null ? value : `${event.data}\n${value}`;
      else if (name === "event") event.type = value;
      else if (name === "id") event.id = value;
      else if (name === "retry") event.retry = Number(value);
    }
  };
  const parse = (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r/);
    rest = lines.pop();
    lines.forEach(line);
  };
  parse.clear = () => {
    rest = "";
    event = blank();
  };
  return parse;
}

const blank = () => ({ id: null, type: null, data: null, retry: null });
