// The routes, asked with the tab's token. Every answer is {data, response}; what fails
// becomes a Failure whose message is a sentence to show.
import { parseJson } from "./json.js";
import { askForToken, token } from "./token.js";

export class Failure extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

const GONE = "The server cannot be reached. It may be restarting; this page asks again.";

function sentenceOf(status, envelope, path) {
  const told = envelope?.response?.details;
  if (status === 403) return told ?? "The token lacks the scope for this.";
  if (status === 404 && !told) return `This server does not have ${path.split("?")[0]}.`;
  if (status === 429) return told ?? "Too many requests. Wait a moment.";
  return told ?? `The server answered ${status}.`;
}

async function send(path, options) {
  const headers = { Accept: "application/json", ...options.headers };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  let body;
  if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(options.body);
  }
  try {
    return await fetch(path, {
      method: options.method ?? "GET",
      headers,
      body,
      signal: options.signal,
      cache: "no-store",
      credentials: "omit",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(0, GONE);
  }
}

// The answer, whatever its status, but for 401: then a token is asked for, and it is sent
// again. Failure: nobody answers, or no token was given.
export async function request(path, options = {}) {
  for (;;) {
    const brought = token();
    const answer = await send(path, options);
    if (answer.status !== 401) return answer;
    if (brought === token() && !(await askForToken(brought !== null)))
      throw new Failure(401, "This needs an access token.");
  }
}

// The answer of what is text.
export async function text(path, options = {}) {
  const answer = await request(path, options);
  const told = await answer.text();
  if (answer.ok) return told;
  let envelope = null;
  try {
    envelope = parseJson(told);
  } catch {
    // a proxy's, perhaps
  }
  throw new Failure(answer.status, sentenceOf(answer.status, envelope, path));
}

// The envelope of a JSON answer. options.allow: statuses besides those of success whose
// data is an answer too.
export async function ask(path, options = {}) {
  const answer = await request(path, options);
  let envelope = null;
  try {
    envelope = parseJson(await answer.text());
  } catch (error) {
    if (error.name === "AbortError") throw error;
  }
  if ((answer.ok && envelope) || options.allow?.includes(answer.status)) {
    return { ...envelope, status: answer.status, next: nextOf(answer), date: dateOf(answer) };
  }
  throw new Failure(answer.status, sentenceOf(answer.status, envelope, path));
}

function nextOf(answer) {
  return answer.headers.get("Link")?.match(/<([^>]+)>\s*;\s*rel="next"/)?.[1] ?? null;
}

// The server's clock, in milliseconds.
function dateOf(answer) {
  const date = Date.parse(answer.headers.get("Date") ?? "");
  return Number.isNaN(date) ? null : date;
}

// Types as one parameter: a comma or backslash of theirs has a backslash before it.
export const typeList = (types) => types.map((each) => each.replace(/[\\,]/g, "\\$&")).join(",");

// And back, without blanks around them.
export function typesOf(text) {
  const parts = text.match(/(?:\\.|[^,])+/gs) ?? [];
  return parts.map((each) => each.trim().replace(/\\(.)/gs, "$1")).filter(Boolean);
}

// "/events" and {type: "a", since: ""}: what is empty is left out, lists are repeated.
export function address(path, params) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const each of [value].flat()) {
      if (each !== undefined && each !== null && each !== "") query.append(name, each);
    }
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}
