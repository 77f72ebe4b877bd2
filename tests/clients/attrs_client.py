"""Calls every operation by the client that openapi-python-client has made."""

import os
import sys
import uuid

from daybook_client import AuthenticatedClient, models
from daybook_client.api.about import (console, console_file, docs, docs_file, health,
                                      health_leader, health_live, health_ready, index,
                                      metrics, openapi)
from daybook_client.api.admin import (
    get_backups, get_cluster, get_own_token, get_rebuild, hand_over, list_quarantine,
    list_tokens, make_token, retry_quarantine, revoke_token, start_rebuild, stop_rebuild)
from daybook_client.api.audit import get_checkpoint, get_partial_tile, get_proof, get_tile
from daybook_client.api.events import (create_event, create_event_at, create_events,
                                       delete_event, event_funnel, event_retention,
                                       event_stats, event_types, get_event, list_events)
from daybook_client.api.log import get_record, list_log
from daybook_client.api.persons import (
    create_alias, create_alias_by_external_id, create_person, delete_alias,
    delete_alias_by_external_id, delete_person, delete_person_by_external_id, export_person,
    get_person, get_person_by_external_id, get_receipt, get_restriction, list_aliases,
    list_aliases_by_external_id, list_persons, patch_person, patch_person_by_external_id, person_history,
    put_person_by_external_id, replace_person, restrict_person, unrestrict_person)

# The first page is JSON for programs that say so.
client = AuthenticatedClient(base_url=sys.argv[1], token=os.environ["DAYBOOK_TOKEN"],
                             headers={"Accept": "application/json"})


def call(operation, *arguments, **named):
    answer = operation.sync(*arguments, client=client, **named)
    words = operation.__name__.rpartition(".")[2].split("_")
    print("called " + words[0] + "".join(word.capitalize() for word in words[1:]))
    return answer


def same(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


traits = models.CreatePersonPropertiesType0.from_dict({"plan": "pro", "n": {"deep": [1]}})
person = call(create_person, body=models.CreatePerson(
    email="ada@attrs.test", first_name="Ada", last_name="L", properties=traits)).data
same(type(person), models.Person)
same((person.email, person.role), ("ada@attrs.test", models.PersonRole.USER))
same(person.properties["n"], {"deep": [1]})
same(person.events[0].event_type, "signup")
shown = call(get_person, person.id).data
same(shown.id, person.id)
found = call(list_persons, email="ada@attrs.test", properties='{"plan":"pro"}',
             count=models.ListPersonsCount.EXACT, order=models.ListPersonsOrder.DESC,
             timestamps=models.ListPersonsTimestamps.RFC3339)
same([each.id for each in found.data], [person.id])
same(found.response.count, 1)
assert found.data[0].datetime_created.endswith("Z")
changed = call(replace_person, person.id, body=models.ReplacePerson(
    role=models.ReplacePersonRole.ADMIN, email="ada@attrs.test", first_name="Ada",
    last_name="King")).data
same((changed.last_name, changed.role), ("King", models.UpdatedPersonRole.ADMIN))
changed = call(patch_person, person.id, body=models.PatchPerson(
    properties=models.PatchPersonPropertiesType0.from_dict({"plan": None}))).data
same(changed.properties.to_dict(), {"n": {"deep": [1]}})

alias = call(create_alias, person.id, body=models.CreateAlias(anonymous_id="a/attrs")).data
same((alias.anonymous_id, alias.person_id), ("a/attrs", person.id))
same([each.anonymous_id for each in call(list_aliases, person.id).data], ["a/attrs"])

event = call(create_event, body=models.CreateEvent(
    event_type="Order Completed", anonymous_id="a/attrs",
    properties=models.CreateEventProperties.from_dict({"sum": 1.5, "of": ["x"]}))).data
same((event.person_id, event.properties["of"]), (person.id, ["x"]))
at = uuid.uuid4()
same(call(create_event_at, at, body=models.CreateEvent(
    event_type="click", person_id=person.id)).data.id, at)
verdicts = call(create_events, body=models.Batch(
    context=models.BatchContext.from_dict({"page": "/"}),
    items=[models.BatchItem(event_type="click", person_id=person.id),
           models.BatchItem(person=models.CreatePerson(external_id="in a batch")),
           models.BatchItem(alias=models.BatchAlias(anonymous_id="b/attrs",
                                                    external_id="in a batch"))])).data
same([each.status for each in verdicts], [201, 201, 201])
verdicts = call(create_events, body=[
    models.BatchItem(event_type="click", person_id=person.id),
    models.BatchItem(event_type="click", person_id=uuid.uuid4())])
same([each.status for each in verdicts.data], [201, 404])
same((verdicts.response.status, verdicts.response.refused), (207, 1))
same(call(get_event, event.id, include=models.GetEventInclude.RECEIVED).data.event_type,
     "Order Completed")
listed = call(list_events, person_id=person.id, keyword=["click", "Order Completed"],
              count=models.ListEventsCount.EXACT, order=models.ListEventsOrder.DESC,
              include=models.ListEventsInclude.RECEIVED)
same(listed.response.count, 4)
assert listed.data[0].received
found = call(list_events, anonymous_id="a/attrs", properties='{"sum":1.5}').data
same([each.id for each in found], [event.id])
same(call(delete_event, event.id, body=models.DeleteEvent(
    id=event.id, person_id=person.id)).data, None)

made = call(put_person_by_external_id, "crm/7 é", body=models.ReplacePersonBy(
    first_name="Cy", anonymous_id="c")).data
same((type(made), made.external_id), (models.Person, "crm/7 é"))
same(call(get_person_by_external_id, "crm/7 é").data.email, None)
same(call(patch_person_by_external_id, "crm/7 é", body=models.PatchPerson(
    first_name="Cyd")).data.first_name, "Cyd")
same(call(create_alias_by_external_id, "crm/7 é", body=models.CreateAliasBy(
    anonymous_id="d")).data.person_id, made.id)
same([each.anonymous_id for each in call(list_aliases_by_external_id, "crm/7 é").data],
     ["c", "d"])
same(call(delete_alias_by_external_id, "crm/7 é", "d").data, None)
same(call(delete_person_by_external_id, "crm/7 é").response.status, 200)

same(call(event_types).data[0].count > 0, True)
same(call(event_stats, type_="signup").data[0].count > 0, True)
same(len(call(event_funnel, steps="signup,click").data.steps), 2)
same(call(event_retention, first="signup", then="click").data[0].persons > 0, True)

call(create_events, body=[  # so that there is a whole tile
    models.BatchItem(event_type="click", anonymous_id="tile/attrs") for _ in range(256)])
assert "\n\n— " in call(get_checkpoint)
assert call(get_proof, 1).startswith("c2sp.org/tlog-proof@v1\nindex 0\n")
same(len(call(get_tile, "0", "000").payload.read()), 8192)
same(len(call(get_partial_tile, "entries", "000", 3).payload.read()), 3 * 34)

same(call(get_record, 1).data.type_, models.RecordType.PERSON_CREATED)
same([each.sequence for each in call(list_log, limit=2).data], [1, 2])
same(call(person_history, person.id, limit=1).data[0].subject_id, person.id)
same(call(get_backups).data.last, None)
same(call(get_cluster).data.role, models.ClusterRole.SINGLE)
alone = call(hand_over, body=models.HandOver(node="db2"))
same(alone.response.type_, "/docs/errors.md#not-found")
same(call(list_quarantine, limit=10).data, [])
same(call(retry_quarantine).data.retried, 0)
made = call(make_token, body=models.MakeToken(name="attrs", scopes=["read"], rate=5)).data
same((made.token[:4], made.rate, made.origins), ("dbk_", 5, []))
same(call(list_tokens).data[-1].name, "attrs")
same(call(get_own_token).data.scopes, ["admin"])
same(call(revoke_token, "attrs").data, None)
with client.get_httpx_client().stream("GET", "/log/stream?after=0") as stream:
    same(next(stream.iter_lines()), "retry: 3000")  # without end, so read by hand
    print("called streamLog")
assert call(start_rebuild, body=models.StartRebuild(keep_old=False)).data.started_at
call(stop_rebuild)
assert call(get_rebuild).data.started_at
same(call(health).data.status, models.HealthStatus.OK)
assert call(health_leader).data.leader
same(call(health_live).data.status, models.LiveStatus.OK)
same(call(health_ready).data.reasons, [])
assert "daybook_commits_total" in call(metrics)
same(call(index).data.name, "Daybook")
assert "<html" in call(docs)
assert "not-found" in call(docs_file, "errors.md")
assert "<html" in call(console)
assert "<svg" in call(console_file, "icon.svg")
same(call(openapi)["openapi"][:3], "3.1")

assert len(call(export_person, person.id).data.records) > 2
since = call(restrict_person, person.id).data
same(call(get_restriction, person.id).data.sequence, since.sequence)
same(call(unrestrict_person, person.id).data, None)
same(call(delete_alias, person.id, "a/attrs").data, None)
same(call(delete_person, person.id).data, None)
none = call(get_person, person.id)
same((type(none), none.response.type_), (models.Error, "/docs/errors.md#not-found"))
erased = call(delete_person, person.id, erase=True).data  # who was deleted can be, too
receipt = call(get_receipt, person.id).data
same((receipt.sequence, receipt.done.keys), (erased["sequence"], "destroyed"))
gone = call(get_person, person.id)
same((type(gone), gone.response.type_), (models.Error, "/docs/errors.md#erased"))
same(call(export_person, person.id).data.erased, True)
