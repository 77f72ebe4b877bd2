// A client of Daybook in one screen, by what Node 18 and later have built in.
//
// Everything is sent again until it is answered, with the ids and keys of the first time:
// so whatever is lost on the way, nothing is written twice.
//
//   const daybook = new Daybook('http://127.0.0.1:8080');
//   const kate = await daybook.request('POST', '/persons', {external_id: 'user-7'});
//   await daybook.send([{event_type: 'signed in', person_id: kate.id}]);

import {randomUUID} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';

const AGAIN = [408, 429, 502, 503, 504]; // what another attempt may mend
const TRIES = 8, LONGEST = 30;           // attempts; seconds between them

// What sending again does not mend: `status`, and `said`, what the answer says of it.
export class Refused extends Error {
  constructor(status, said) {
    super(`${status}: ${said.details} ${JSON.stringify(said.errors ?? '')}`);
    Object.assign(this, {status, said});
  }
}

export class Daybook {
  constructor(url, token) {
    this.url = url.replace(/\/$/, '');
    this.headers = {'Content-Type': 'application/json'};
    if (token) this.headers.Authorization = `Bearer ${token}`;
  }

  // What the answer has as data.
  async request(method, path, body) {
    const headers = {...this.headers};
    if (method === 'POST') // a PUT or DELETE is the same when it comes twice
      headers['Idempotency-Key'] = randomUUID();
    const options = {method, headers, body: body === undefined ? body : JSON.stringify(body)};
    let failed;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      let pause = Math.min(LONGEST, 2 ** attempt / 4) * (0.5 + Math.random() / 2);
      try {
        const answer = await fetch(this.url + path, {...options, signal: AbortSignal.timeout(60000)});
        const text = await answer.text();
        if (answer.ok) return JSON.parse(text).data;
        const {data, response} = said(text, answer.statusText);
        if (answer.status === 422 && data) return data; // verdicts, of which none is good
        failed = new Refused(answer.status, response);
        if (!AGAIN.includes(answer.status)) throw failed;
        pause = Math.max(pause, Number(answer.headers.get('Retry-After') ?? 0));
      } catch (error) { // no answer, or half of one
        if (error === failed) throw error;
        failed = error;
      }
      if (attempt < TRIES - 1) await sleep(pause * 1000);
    }
    throw failed;
  }

  // Record events, and persons and aliases among them; a verdict for each.
  send(items) {
    return this.request('POST', '/events/batch', items.map((item) =>
      item.id || item.event || item.person || item.alias ? item : {id: randomUUID(), ...item}));
  }
}

function said(text, otherwise) {
  try {
    const {data, response} = JSON.parse(text);
    return {data, response: response ?? {details: otherwise}};
  } catch {
    return {response: {details: otherwise}};
  }
}
