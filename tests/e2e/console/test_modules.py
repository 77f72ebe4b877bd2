"""What the console makes of what it is told: its modules that need no page, in node."""

import json
import unittest

from modules import made


class Modules(unittest.TestCase):
    def test_no_cell_of_a_csv_is_a_formula(self):
        rows = [["=1+1", "+1", "-1", "@a", "\t=1", " =1", "\r", "\uff1d1"],
                ["a,b", 'a"b', "a\nb", None, -5, {"a": "=1"}, "", "fine"]]
        text = made(f"""import {{ csv }} from "./csv.js";
            console.log(JSON.stringify(csv(["n"], {json.dumps(rows)})));""")
        self.assertEqual(text, "n\r\n'=1+1,'+1,'-1,'@a,'\t=1,' =1,\"'\r\",'\uff1d1\r\n"
                         '"a,b","a""b","a\nb",,-5,"{""a"":""=1""}",,fine\r\n')

    def test_a_proof_says_which_entry_of_which_log_it_is_about(self):
        told = made("""import { proofOf } from "./parts/proof.js";
            console.log(JSON.stringify(proofOf(
              "c2sp.org/tlog-proof@v1\\nindex 41\\nAAAA\\n\\nlog.example/a\\n1042\\nAAAA\\n\\n— x y\\n")));""")
        self.assertEqual(told, {"index": 41, "origin": "log.example/a", "size": 1042})

    def test_types_with_commas_and_backslashes_stay_what_they_are(self):
        text, back, typed = made("""import { typeList, typesOf } from "./api.js";
            const types = ["a", "b,c", "d\\\\e", ",", "f\\\\,"], text = typeList(types);
            console.log(JSON.stringify([typeList(types.slice(0, 3)),
              JSON.stringify(typesOf(text)) === JSON.stringify(types),
              typesOf(" a , b\\\\,c,, ")]));""")
        self.assertEqual(text, "a,b\\,c,d\\\\e")
        self.assertTrue(back)
        self.assertEqual(typed, ["a", "b,c"])

    def test_a_funnel_begins_with_what_came_first(self):
        types = [{"event_type": kind, "first": first} for kind, first in
                 (("edit", "2026-01-02"), ("signup", "2026-01-01"), ("buy", "2026-01-03"),
                  ("rare", "2025-01-01"))]
        story = made(f"""import {{ storyOf }} from "./parts/types.js";
            console.log(JSON.stringify([storyOf({json.dumps(types)}), storyOf([])]));""")
        self.assertEqual(story, [["signup", "edit", "buy"], []])

    def test_what_is_offered_first_came_in_the_range_chosen(self):
        known = [{"event_type": kind, "first": first} for kind, first in
                 (("old", "2020-01-01"), ("buy", "2026-01-03"), ("signup", "2026-01-01"))]
        rows = [{"event_type": kind, "count": count, "from": day} for kind, count, day in
                (("buy", 5, "2026-02-01"), ("signup", 3, "2026-02-02"), ("buy", 2, "2026-02-02"),
                 ("new", 4, "2026-02-01"))]
        types, story = made(f"""import {{ storyOf, typesIn }} from "./parts/types.js";
            const types = typesIn({json.dumps(rows)}, {json.dumps(known)});
            console.log(JSON.stringify([types.map((each) => [each.event_type, each.count]),
                                        storyOf(types)]));""")
        self.assertEqual(types, [["buy", 7], ["new", 4], ["signup", 3]])
        self.assertEqual(story, ["signup", "buy", "new"])

    def test_who_leads_is_told_where_there_are_several(self):
        told = made("""import { leaderOf } from "./parts/members.js";
            const one = { node: "n2", state: "follows", leader: "n1" };
            console.log(JSON.stringify([leaderOf({ status: "ok" }), leaderOf(undefined),
              leaderOf({ ...one, role: "follower" }),
              leaderOf({ ...one, role: "follower", leader: null }).name,
              leaderOf({ ...one, role: "leader" }).beside]));""")
        self.assertEqual(told, [None, None, {"name": "n1", "beside": "this is n2, which follows"},
                                "none", "this server"])

    def test_the_last_minutes_are_counted_in_whole_steps(self):
        times, rates, none = made("""import { stepsOf } from "./tail.js";
            const { times, rates } = stepsOf([93, 94, 94.5, 98, 98.1, 100, 100.5], 93, 100, 2);
            console.log(JSON.stringify([times, rates, stepsOf([1], 100, 100, 2).times]));""")
        self.assertEqual(times, [96, 98, 100])
        self.assertEqual(rates, [0.5, 0.5, 1])  # each ends with its time, and has it
        self.assertEqual(none, [])

    def test_of_a_log_that_is_too_long_the_end_is_counted(self):
        """Records of one a second, of which the last 5,000 are read, as pages."""
        told = made("""import { recent } from "./tail.js";
            const asked = [], now = Date.now() / 1000;
            globalThis.sessionStorage = { getItem: () => null };
            globalThis.fetch = async (path) => {
              const query = new URL(path, "http://x").searchParams;
              const after = Number(query.get("after")), limit = Number(query.get("limit"));
              asked.push([after, limit]);
              const data = Array.from({ length: limit }, (_, at) => ({ type: "event.recorded",
                recorded_at: new Date((now - 9000 + after + at + 1) * 1000).toISOString() }));
              return new Response(JSON.stringify({ data }));
            };
            const whole = await recent({ head: 9000, since: now - 300, until: now, step: 2,
                                         counted: () => true });
            const cut = await recent({ head: 9000, since: now - 6000, until: now, step: 2,
                                       counted: () => true });
            console.log(JSON.stringify([asked, whole.records, whole.times.length,
              Math.max(...whole.rates), cut.records, cut.times.length]));""")
        asked, records, steps, most, left, fewer = told
        self.assertEqual(asked, [[8000, 1000]] + [[8000 - at * 1000, 1000] for at in range(5)])
        self.assertEqual((records, steps, most), (None, 150, 1))
        self.assertEqual(left, 5000)
        self.assertIn(fewer, (2499, 2500))

    def test_what_a_token_lacks_is_said(self):
        told = made("""import { has, reason } from "./may.js";
            const look = { name: "look", scopes: ["read", "audit"] };
            console.log(JSON.stringify([has(look, "read"), has(look, "write"),
              has({ scopes: ["admin"] }, "write"), reason("Deleting", "write", look),
              reason("Persons", "read", { name: "", scopes: [] })]));""")
        self.assertEqual(told, [True, False, True,
            "Deleting needs a token with the scope write. The token of this tab, “look”, has "
            "only read, audit.",
            "Persons needs a token with the scope read. The token of this tab may send events "
            "only."])

    def test_each_update_tells_what_was_and_what_is(self):
        records = [
            {"sequence": 1, "type": "person.created",
             "data": {"email": "a@x", "properties": {"plan": "free", "a": {"b": 1}}}},
            {"sequence": 2, "type": "event.recorded", "data": {"event_type": "click"}},
            {"sequence": 3, "type": "person.updated",
             "data": {"email": None, "properties": {"a": {"b": 2}, "l": [1]}}},
            {"sequence": 4, "type": "person.updated", "data": {"first_name": "Kate"}},
        ]
        changes = made(f"""import {{ changesOf }} from "./changes.js";
            console.log(JSON.stringify([...changesOf({json.dumps(records)})]));""")
        self.assertEqual(dict(map(tuple, changes)), {
            1: [["email", None, "a@x"], ["properties.plan", None, "free"],
                ["properties.a.b", None, 1]],
            3: [["email", "a@x", None], ["properties.plan", "free", None],
                ["properties.a.b", 1, 2], ["properties.l", None, [1]]],
            4: [["first_name", None, "Kate"]]})

    def test_a_number_is_shown_as_it_was_written(self):
        text = '{"id":12345678901234567890,"f":0.12345678901234567,"n":1.50,"e":1e3,"c":7}'
        shown, able, kind = made(f"""import {{ parseJson }} from "./json.js";
            const found = parseJson({json.dumps(text)});
            console.log(JSON.stringify([JSON.stringify(found), Boolean(JSON.rawJSON),
                                        typeof found.c]));""")
        self.assertEqual(kind, "number")
        if able:  # node 22 is, as browsers are
            self.assertEqual(shown, text.replace("1.50", "1.5").replace("1e3", "1000"))

    def test_a_stream_is_read_however_it_is_cut(self):
        told = ("retry: 3000\n\n: heartbeat 5\nid: 5\n\nid: 6\nevent: event.recorded\n"
                'data: {"a":\ndata: 1}\n\nevent: end\ndata: {"reason":"slow"}\n\nid: 7\nda')
        whole = made(f"""import {{ parser }} from "./stream.js";
            const told = {json.dumps(told)}, all = [];
            for (const size of [1, 3, told.length]) {{
              const seen = [], parse = parser((event) => seen.push(event));
              for (let at = 0; at < told.length; at += size) parse(told.slice(at, at + size));
              all.push(seen);
            }}
            console.log(JSON.stringify(all));""")
        self.assertEqual(whole[0], whole[2])
        self.assertEqual(whole[1], whole[2])
        self.assertEqual([(each["id"], each["type"], each["data"]) for each in whole[0]], [
            (None, None, None), ("5", None, None), ("6", "event.recorded", '{"a":\n1}'),
            (None, "end", '{"reason":"slow"}')])
        self.assertEqual(whole[0][0]["retry"], 3000)

    def test_marks_of_direction_are_shown(self):
        told = made("""import { visible } from "./dom.js";
            console.log(JSON.stringify(visible("a\\u202eb\\u2069 עברית\\u200f")));""")
        self.assertEqual(told, "a\\u202eb\\u2069 עברית\u200f")

    def test_a_pause_leaves_nothing_with_the_signal(self):
        """One signal lasts as long as a view, which pauses all day."""
        self.assertEqual(made("""import { pause } from "./pulse.js";
            const held = new Set(), signal = {
              addEventListener: (name, told) => held.add(told),
              removeEventListener: (name, told) => held.delete(told),
            };
            for (let i = 0; i < 3; i++) await pause(1, signal);
            const over = pause(3600e3, signal);
            const during = held.size;
            held.forEach((told) => told());
            await over;
            console.log(JSON.stringify([during, held.size]));"""), [1, 0])

    def test_properties_are_typed_as_json_or_as_pairs(self):
        self.assertEqual(made("""import { propertiesOf } from "./properties.js";
            const said = (text) => { try { return propertiesOf(text); }
                                     catch (error) { return error.message; } };
            console.log(JSON.stringify([" ", "page=/home, n=3,ok = true, t={x", '{"a": [1]}',
                                        "{a}", "page"].map(said)));"""),
            [None, {"page": "/home", "n": 3, "ok": True, "t": "{x"}, {"a": [1]},
             'Properties are not JSON: an object is like {"page": "/home"}.',
             "“page” is not name=value, as page=/home is."])

    def test_bars_begin_at_midnight_and_mondays_where_the_reader_is(self):
        self.assertEqual(made("""import { barsOf } from "./parts/range.js";
            const bars = (since, until, by) => barsOf({ since: new Date(since),
              until: new Date(until), by }).map((each) => each.toISOString().slice(0, 16));
            console.log(JSON.stringify([
              bars("2026-03-28T05:00Z", "2026-03-30T05:00Z", "day"),
              bars("2026-11-26T05:00Z", "2026-12-03T05:00Z", "week"),
              bars("2026-10-25T00:10Z", "2026-10-25T02:00Z", "hour")]));"""),
            [["2026-03-27T23:00", "2026-03-28T23:00", "2026-03-29T22:00"],
             ["2026-11-22T23:00", "2026-11-29T23:00"],
             ["2026-10-25T00:00", "2026-10-25T01:00"]])

    def test_what_a_client_called_a_type_cannot_name_a_place(self):
        self.assertEqual(made("""
            import { address } from "./api.js";
            console.log(JSON.stringify(address("/events",
              { keyword: ["a&b=c", "#/x"], q: "", none: null })));"""),
            "/events?keyword=a%26b%3Dc&keyword=%23%2Fx")


if __name__ == "__main__":
    unittest.main()
