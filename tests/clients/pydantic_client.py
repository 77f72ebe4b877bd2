"""Calls every operation by the client that openapi-generator has made for Python."""

import os
import sys
import urllib.request
import uuid

import openapi_client as client
from openapi_client.exceptions import ApiException, NotFoundException

connection = client.ApiClient(client.Configuration(
    host=sys.argv[1], access_token=os.environ["DAYBOOK_TOKEN"]))
about, admin, audit, events, log, persons = (each(connection) for each in (
    client.AboutApi, client.AdminApi, client.AuditApi, client.EventsApi, client.LogApi,
    client.PersonsApi))


def call(operation, *arguments, **named):
    words = operation.__name__.split("_")
    print("called " + words[0] + "".join(word.capitalize() for word in words[1:]))
    return operation(*arguments, **named)


def same(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


person = call(persons.create_person, client.CreatePerson(
    email="ada@pydantic.test", first_name="Ada", last_name="L",
    properties={"plan": "pro", "n": {"deep": [1]}})).data
same((person.email, person.role), ("ada@pydantic.test", "user"))
same(person.properties["n"], {"deep": [1]})
same(person.events[0].event_type, "signup")
same(call(persons.get_person, person.id).data.id, person.id)
found = call(persons.list_persons, email="ada@pydantic.test", properties='{"plan":"pro"}',
             count="exact", order="desc", timestamps="rfc3339")
same([each.id for each in found.data], [person.id])
same(found.response.count, 1)
assert found.data[0].datetime_created.endswith("Z")
changed = call(persons.replace_person, person.id, client.ReplacePerson(
    role="admin", email="ada@pydantic.test", first_name="Ada", last_name="King")).data
same((changed.last_name, changed.role), ("King", "admin"))
changed = call(persons.patch_person, person.id, client.PatchPerson(
    properties={"plan": None})).data
same(changed.properties, {"n": {"deep": [1]}})

alias = call(persons.create_alias, person.id, client.CreateAlias(anonymous_id="a/py")).data
same((alias.anonymous_id, alias.person_id), ("a/py", person.id))
same([each.anonymous_id for each in call(persons.list_aliases, person.id).data], ["a/py"])

event = call(events.create_event, client.CreateEvent(
    event_type="Order Completed", anonymous_id="a/py",
    properties={"sum": 1.5, "of": ["x"]})).data
same((event.person_id, event.properties["of"]), (person.id, ["x"]))
at = uuid.uuid4()
same(call(events.create_event_at, at, client.CreateEvent(
    event_type="click", person_id=person.id)).data.id, at)
verdicts = call(events.create_events, client.CreateEvents(client.Batch(
    context={"page": "/"},
    items=[client.BatchItem(event_type="click", person_id=person.id),
           client.BatchItem(person=client.CreatePerson(external_id="in a batch")),
           client.BatchItem(alias=client.BatchAlias(anonymous_id="b/py",
                                                    external_id="in a batch"))]))).data
same([each.status for each in verdicts], [201, 201, 201])
verdicts = call(events.create_events, client.CreateEvents([
    client.BatchItem(event_type="click", person_id=person.id),
    client.BatchItem(event_type="click", person_id=uuid.uuid4())]))
same([each.status for each in verdicts.data], [201, 404])
same((verdicts.response.status, verdicts.response.refused), (207, 1))
same(call(events.get_event, event.id, include="received").data.event_type,
     "Order Completed")
listed = call(events.list_events, person_id=person.id, order="desc", count="exact",
              keyword=["click", "Order Completed"], include="received")
same(listed.response.count, 4)
assert listed.data[0].received
found = call(events.list_events, anonymous_id="a/py", properties='{"sum":1.5}').data
same([each.id for each in found], [event.id])
same(call(events.delete_event, event.id, delete_event=client.DeleteEvent(
    id=event.id, person_id=person.id)).data, None)

made = call(persons.put_person_by_external_id, "crm/7 é", client.ReplacePersonBy(
    first_name="Cy", anonymous_id="c")).data
same(made.external_id, "crm/7 é")
same(call(persons.get_person_by_external_id, "crm/7 é").data.email, None)
same(call(persons.patch_person_by_external_id, "crm/7 é", client.PatchPerson(
    first_name="Cyd")).data.first_name, "Cyd")
same(call(persons.create_alias_by_external_id, "crm/7 é", client.CreateAliasBy(
    anonymous_id="d")).data.person_id, made.id)
same([each.anonymous_id for each in
      call(persons.list_aliases_by_external_id, "crm/7 é").data], ["c", "d"])
same(call(persons.delete_alias_by_external_id, "crm/7 é", "d").data, None)
same([each.id for each in call(persons.list_persons, anonymous_id="c").data], [made.id])
same(call(persons.delete_person_by_external_id, "crm/7 é").response.status, 200)

same(call(events.event_types).data[0].count > 0, True)
same(call(events.event_stats, by="month", unique="true").data[0].persons > 0, True)
same(len(call(events.event_funnel, steps="signup,click").data.steps), 2)
same(call(events.event_retention, first="signup", then="click").data[0].persons > 0, True)

call(events.create_events, client.CreateEvents([  # so that there is a whole tile
    client.BatchItem(event_type="click", anonymous_id="tile/py") for _ in range(256)]))
assert "\n\n— " in call(audit.get_checkpoint)
assert call(audit.get_proof, 1).startswith("c2sp.org/tlog-proof@v1\nindex 0\n")
same(len(call(audit.get_tile, "0", "000")), 8192)
same(len(call(audit.get_partial_tile, "entries", "000", 3)), 3 * 34)

same(call(log.get_record, 1).data.type, "person.created")
same([each.sequence for each in call(log.list_log, limit=2).data], [1, 2])
same(call(persons.person_history, person.id, limit=1).data[0].subject_id, person.id)
same(call(admin.get_backups).data.last, None)
same(call(admin.get_cluster).data.role, "single")
try:
    call(admin.hand_over, client.HandOver(node="db2"))
    raise AssertionError("who is alone hands over")
except NotFoundException as alone:
    same(alone.data.response.type, "/docs/errors.md#not-found")
print("called handOver")
same(call(admin.list_quarantine, limit=10).data, [])
same(call(admin.retry_quarantine).data.retried, 0)
made = call(admin.make_token, client.MakeToken(name="py", scopes=["read"], rate=5)).data
same((made.token[:4], made.rate, made.origins), ("dbk_", 5, []))
same(call(admin.list_tokens).data[-1].name, "py")
same(call(admin.get_own_token).data.scopes, ["admin"])
same(call(admin.revoke_token, "py").data, None)
with urllib.request.urlopen(urllib.request.Request(  # without end, so read by hand
        sys.argv[1] + "/log/stream?after=0",
        headers={"Authorization": "Bearer " + os.environ["DAYBOOK_TOKEN"]})) as stream:
    same(stream.readline(), b"retry: 3000\n")
    print("called streamLog")
begun = call(admin.start_rebuild, start_rebuild=client.StartRebuild(
    keep_old=False)).data
assert begun.state in ("running", "done")
call(admin.stop_rebuild)
assert call(admin.get_rebuild).data.state in ("running", "done", "stopped")
same(call(about.health).data.status, "ok")
assert call(about.health_leader).data.leader
same(call(about.health_live).data.status, "ok")
same(call(about.health_ready).data.reasons, [])
assert "daybook_commits_total" in call(about.metrics)
same(call(about.index).data.name, "Daybook")
assert "<html" in call(about.docs)
assert "not-found" in call(about.docs_file, "errors.md")
assert "<html" in call(about.console)
# What is generated makes text of text/… and JSON only; here is what it was sent.
picture = about.console_file_without_preload_content("icon.svg")
assert b"<svg" in picture.read()
print("called consoleFile")
same(call(about.openapi)["openapi"][:3], "3.1")

assert len(call(persons.export_person, person.id).data.records) > 2
since = call(persons.restrict_person, person.id).data
same(call(persons.get_restriction, person.id).data.sequence, since.sequence)
same(call(persons.unrestrict_person, person.id).data, None)
same(call(persons.delete_alias, person.id, "a/py").data, None)
same(call(persons.delete_person, person.id).data, None)
try:
    call(persons.get_person, person.id)
    raise AssertionError("who was deleted is there")
except NotFoundException as gone:
    same(gone.data.response.type, "/docs/errors.md#not-found")
erased = call(persons.delete_person, person.id, erase=True).data  # deleted or not
receipt = call(persons.get_receipt, person.id).data
same((receipt.sequence, receipt.done.keys), (erased["sequence"], "destroyed"))
try:
    call(persons.get_person, person.id)
    raise AssertionError("who was erased is there")
except ApiException as gone:
    same((gone.status, "/docs/errors.md#erased" in gone.body), (410, True))
same(call(persons.export_person, person.id).data.erased, True)
