/* Calls every operation by openapi-fetch, typed by what openapi-typescript has made. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const client = createClient<paths>({
  baseUrl: process.argv[2],
  headers: { Authorization: "Bearer " + process.env.DAYBOOK_TOKEN },
});

/* The answer of an operation, which must have succeeded. */
async function call<T>(
  operation: string,
  answer: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await answer;
  console.log("called " + operation);
  assert(data !== undefined, `${operation}: ${response.status} ${JSON.stringify(error)}`);
  return data;
}

const email = "ada@fetch.test";
const made = await call("createPerson", client.POST("/persons", {
  body: { email, first_name: "Ada", last_name: "L", role: "user",
          properties: { plan: "pro", n: { deep: [1] } } },
}));
const person = made.data;
const id = person.id;
const path = { id };
assert.equal(person.email, email);
assert.deepEqual(person.properties?.n, { deep: [1] });
assert.equal(person.events?.[0]?.event_type, "signup");
const shown: components["schemas"]["Person"] =
  (await call("getPerson", client.GET("/persons/{id}", { params: { path } }))).data;
assert.equal(shown.id, id);
const persons = await call("listPersons", client.GET("/persons", {
  params: { query: { email, properties: '{"plan":"pro"}', count: "exact", order: "desc",
                     timestamps: "rfc3339" } },
}));
assert.deepEqual(persons.data.map((each) => each.id), [id]);
assert.equal(persons.response.count, 1);
assert.match(persons.data[0].datetime_created, /Z$/);
const few = await client.GET("/persons", {
  params: { query: { fields: ["id", "email"] } },
  querySerializer: { array: { style: "form", explode: false } }, // which it does not know
});
assert.deepEqual(Object.keys(few.data?.data[0] ?? {}).sort(), ["email", "id"]);
const replaced = await call("replacePerson", client.PUT("/persons/{id}", {
  params: { path }, body: { role: "admin", email, first_name: "Ada", last_name: "King" },
}));
assert.equal(replaced.data.last_name, "King");
const patched = await call("patchPerson", client.PATCH("/persons/{id}", {
  params: { path }, body: { properties: { plan: null } },
}));
assert.deepEqual(patched.data.properties, { n: { deep: [1] } });

const alias = await call("createAlias", client.POST("/persons/{id}/aliases", {
  params: { path }, body: { anonymous_id: "a/ts" },
}));
assert.equal(alias.data.anonymous_id, "a/ts");
const aliases = await call("listAliases",
  client.GET("/persons/{id}/aliases", { params: { path } }));
assert.deepEqual(aliases.data.map((each) => each.anonymous_id), ["a/ts"]);
const history = await call("personHistory", client.GET("/persons/{id}/history", {
  params: { path, query: { limit: 1 } } }));
assert.equal((history as components["schemas"]["RecordListAnswer"]).data[0].subject_id, path.id);

const event = (await call("createEvent", client.POST("/events", {
  body: { event_type: "Order Completed", anonymous_id: "a/ts",
          properties: { sum: 1.5, of: ["x"] } },
}))).data as components["schemas"]["Event"];
assert.equal(event.person_id, id);
assert.deepEqual(event.properties, { sum: 1.5, of: ["x"] });
const at = randomUUID();
const placed = await call("createEventAt", client.POST("/events/{id}", {
  params: { path: { id: at } }, body: { event_type: "click", person_id: id },
}));
assert.equal(placed.data.id, at);
const batch = await call("createEvents", client.POST("/events/batch", {
  body: {
    context: { page: "/" },
    items: [{ event_type: "click", person_id: id },
            { person: { external_id: "in a batch", role: "user" } },
            { alias: { anonymous_id: "b/ts", external_id: "in a batch" } }],
  },
}));
assert.deepEqual(batch.data.map((each) => each.status), [201, 201, 201]);
const mixed = await call("createEvents", client.POST("/events/batch", {
  body: [{ event_type: "click", person_id: id },
         { event_type: "click", person_id: randomUUID() }],
}));
assert.deepEqual(mixed.data.map((each) => each.status), [201, 404]);
assert.equal(mixed.response.refused, 1);
const got = await call("getEvent", client.GET("/events/{id}", {
  params: { path: { id: event.id }, query: { include: "received" } },
}));
assert.equal(got.data.event_type, "Order Completed");
const events = await call("listEvents", client.GET("/events", {
  params: { query: { person_id: id, keyword: ["click", "Order Completed"],
                     order: "desc", count: "exact", include: "received" } },
}));
assert.equal(events.response.count, 4);
assert(events.data[0].received);
const some = await call("listEvents", client.GET("/events", {
  params: { query: { anonymous_id: "a/ts", properties: '{"sum":1.5}' } },
}));
assert.deepEqual(some.data.map((each) => each.id), [event.id]);
const deleted = await call("deleteEvent", client.DELETE("/events/{id}", {
  params: { path: { id: event.id } }, body: { id: event.id, person_id: id },
}));
assert.equal(deleted.data, null);

const by = { params: { path: { value: "crm/7 é" } } };
const put = await call("putPersonByExternalId",
  client.PUT("/persons/by/external_id/{value}",
    { ...by, body: { first_name: "Cy", anonymous_id: "c" } }));
assert.equal(put.data.external_id, "crm/7 é");
const named = await call("getPersonByExternalId",
  client.GET("/persons/by/external_id/{value}", by));
assert.equal(named.data.email, null);
const renamed = await call("patchPersonByExternalId",
  client.PATCH("/persons/by/external_id/{value}", { ...by, body: { first_name: "Cyd" } }));
assert.equal(renamed.data.first_name, "Cyd");
const tied = await call("createAliasByExternalId",
  client.POST("/persons/by/external_id/{value}/aliases", { ...by, body: { anonymous_id: "d" } }));
assert.equal(tied.data.anonymous_id, "d");
const both = await call("listAliasesByExternalId",
  client.GET("/persons/by/external_id/{value}/aliases", by));
assert.deepEqual(both.data.map((each) => each.anonymous_id), ["c", "d"]);
await call("deleteAliasByExternalId",
  client.DELETE("/persons/by/external_id/{value}/aliases/{anonymous_id}",
    { params: { path: { ...by.params.path, anonymous_id: "d" } } }));
await call("deletePersonByExternalId",
  client.DELETE("/persons/by/external_id/{value}", by));

assert.ok((await call("eventTypes", client.GET("/events/types"))).data[0].count > 0);
const stats = await call("eventStats", client.GET("/events/stats",
  { params: { query: { by: "month", unique: "true" } } }));
assert.ok(stats.data[0].persons! > 0);
const funnel = await call("eventFunnel", client.GET("/events/funnel",
  { params: { query: { steps: "signup,click" } } }));
assert.equal(funnel.data.steps.length, 2);
const cohorts = await call("eventRetention", client.GET("/events/retention",
  { params: { query: { first: "signup", then: "click" } } }));
assert.ok(cohorts.data[0].persons > 0);

await call("createEvents", client.POST("/events/batch", { /* so that there is a whole tile */
  body: Array.from({ length: 256 }, () => ({ event_type: "click", anonymous_id: "tile/ts" })),
}));
assert.match(await call("getCheckpoint", client.GET("/checkpoint", { parseAs: "text" })),
  /\n\n\u2014 /);
assert.match(await call("getProof", client.GET("/log/{sequence}/proof", {
  params: { path: { sequence: 1 } }, parseAs: "text",
})), /^c2sp.org\/tlog-proof@v1\nindex 0\n/);
const tile = await call("getTile", client.GET("/tile/{level}/{index}", {
  params: { path: { level: "0", index: "000" } }, parseAs: "arrayBuffer",
}));
assert.equal((tile as unknown as ArrayBuffer).byteLength, 8192);
const part = await call("getPartialTile", client.GET("/tile/{level}/{index}.p/{width}", {
  params: { path: { level: "entries", index: "000", width: 3 } }, parseAs: "arrayBuffer",
}));
assert.equal((part as unknown as ArrayBuffer).byteLength, 3 * 34);

const record = await call("getRecord",
  client.GET("/log/{sequence}", { params: { path: { sequence: 1 } } }));
assert.equal((record as components["schemas"]["RecordAnswer"]).data.type, "person.created");
const log = await call("listLog", client.GET("/log", { params: { query: { limit: 2 } } }));
assert.deepEqual((log as components["schemas"]["RecordListAnswer"]).data
  .map((each) => each.sequence), [1, 2]);
assert.equal((await call("getBackups", client.GET("/admin/backups"))).data.last, null);
assert.equal((await call("getCluster", client.GET("/admin/cluster"))).data.role, "single");
const alone = await client.POST("/admin/cluster/hand-over", { body: { node: "db2" } });
assert.equal(alone.response.status, 404);
console.log("called handOver");
assert.deepEqual((await call("listQuarantine", client.GET("/admin/quarantine"))).data, []);
assert.equal((await call("retryQuarantine",
  client.POST("/admin/quarantine/retry"))).data.retried, 0);
const token = await call("makeToken", client.POST("/admin/tokens", {
  body: { name: "ts", scopes: ["read"], rate: 5 },
}));
assert.deepEqual([token.data.token.slice(0, 4), token.data.rate], ["dbk_", 5]);
const tokens = await call("listTokens", client.GET("/admin/tokens"));
assert.equal(tokens.data.at(-1)?.name, "ts");
assert.deepEqual((await call("getOwnToken", client.GET("/tokens/self"))).data.scopes, ["admin"]);
await call("revokeToken", client.DELETE("/admin/tokens/{name}",
  { params: { path: { name: "ts" } } }));
/* Without end, so that it is read by hand. */
const stream = await client.GET("/log/stream", { parseAs: "stream" });
const reader = stream.data!.getReader();
assert.match(new TextDecoder().decode((await reader.read()).value), /^retry: 3000\n/);
await reader.cancel();
console.log("called streamLog");
const begun = await call("startRebuild", client.POST("/admin/rebuild",
  { body: { keep_old: false } }));
assert.ok(["running", "done"].includes(begun.data.state));
await call("stopRebuild", client.DELETE("/admin/rebuild"));
assert.notEqual((await call("getRebuild", client.GET("/admin/rebuild"))).data.state, "idle");
assert.equal((await call("health", client.GET("/health"))).data.status, "ok");
assert.ok((await call("healthLeader", client.GET("/health/leader"))).data.leader);
assert.equal((await call("healthLive", client.GET("/health/live"))).data.status, "ok");
assert.deepEqual((await call("healthReady", client.GET("/health/ready"))).data.reasons, []);
assert.match(await call("metrics", client.GET("/metrics", { parseAs: "text" })), /_total/);
const index = await call("index",
  client.GET("/", { headers: { Accept: "application/json" } }));
assert.equal((index as components["schemas"]["IndexAnswer"]).data.name, "Daybook");
assert.match(await call("docs", client.GET("/docs", { parseAs: "text" })), /<html/);
assert.match(await call("docsFile", client.GET("/docs/{file}", {
  params: { path: { file: "errors.md" } }, parseAs: "text",
})), /not-found/);
assert.match(await call("console", client.GET("/console", { parseAs: "text" })), /<html/);
assert.match(await call("consoleFile", client.GET("/console/{file}", {
  params: { path: { file: "icon.svg" } }, parseAs: "text",
})), /<svg/);
assert.match(String((await call("openapi", client.GET("/openapi.json"))).openapi), /^3\.1/);

assert.ok((await call("exportPerson",
  client.GET("/persons/{id}/export", { params: { path } }))).data.records.length > 2);
const since = await call("restrictPerson",
  client.POST("/persons/{id}/restriction", { params: { path } }));
assert.equal((await call("getRestriction",
  client.GET("/persons/{id}/restriction", { params: { path } }))).data.sequence,
since.data.sequence);
await call("unrestrictPerson",
  client.DELETE("/persons/{id}/restriction", { params: { path } }));
await call("deleteAlias", client.DELETE("/persons/{id}/aliases/{anonymous_id}", {
  params: { path: { id, anonymous_id: "a/ts" } },
}));
await call("deletePerson", client.DELETE("/persons/{id}", { params: { path } }));
const none = await client.GET("/persons/{id}", { params: { path } });
assert.equal((none.error as components["schemas"]["Error"]).response.type,
  "/docs/errors.md#not-found");
const erased = await call("deletePerson", // who was deleted can be, too
  client.DELETE("/persons/{id}", { params: { path, query: { erase: true } } }));
const receipt = await call("getReceipt",
  client.GET("/persons/{id}/receipt", { params: { path } }));
assert.equal(receipt.data.sequence, erased.data?.sequence);
assert.equal(receipt.data.done.keys, "destroyed");
const gone = await client.GET("/persons/{id}", { params: { path } });
assert.equal((gone.error as components["schemas"]["Error"]).response.type,
  "/docs/errors.md#erased");
assert.equal((await call("exportPerson",
  client.GET("/persons/{id}/export", { params: { path } }))).data.erased, true);
