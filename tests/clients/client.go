// Calls every operation by the client that openapi-generator has made for Go.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"

	client "daybook.test/daybook/client"
)

func same(found, expected any) {
	if !reflect.DeepEqual(found, expected) {
		panic(fmt.Sprintf("%#v is not %#v", found, expected))
	}
}

// do calls an operation, which must succeed.
func do[T any](execute func() (T, *http.Response, error), operation string) T {
	answer, _, err := execute()
	if err != nil {
		var refused *client.GenericOpenAPIError
		if errors.As(err, &refused) {
			panic(operation + ": " + err.Error() + ": " + string(refused.Body()))
		}
		panic(operation + ": " + err.Error())
	}
	fmt.Println("called " + operation)
	return answer
}

func text(value string) client.NullableString { return *client.NewNullableString(&value) }

func one[T any](value T) *T { return &value }

func main() {
	settings := client.NewConfiguration()
	settings.Servers = client.ServerConfigurations{{URL: os.Args[1]}}
	api := client.NewAPIClient(settings)
	ctx := context.WithValue(context.Background(), client.ContextAccessToken,
		os.Getenv("DAYBOOK_TOKEN"))

	id := tryPersons(ctx, api)
	tryEvents(ctx, api, id)
	tryStatistics(ctx, api)
	tryExternalIds(ctx, api)
	tryProofs(ctx, api)
	tryRest(ctx, api)
	tryDelete(ctx, api, id)
}

func tryPersons(ctx context.Context, api *client.APIClient) string {
	email := "ada@go.test"
	person := do(api.PersonsAPI.CreatePerson(ctx).CreatePerson(client.CreatePerson{
		Email: text(email), FirstName: text("Ada"), LastName: text("L"),
		Properties: map[string]any{"plan": "pro", "n": map[string]any{"deep": []any{1}}},
	}).Execute, "createPerson").Data
	same(*person.Email.Get(), email)
	same(person.Properties["n"], map[string]any{"deep": []any{1.0}})
	same(person.Events[0].EventType, "signup")
	id := person.Id
	same(do(api.PersonsAPI.GetPerson(ctx, id).Execute, "getPerson").Data.Id, id)
	found := do(api.PersonsAPI.ListPersons(ctx).Email(email).Properties(`{"plan":"pro"}`).
		Count("exact").Order("desc").Timestamps("rfc3339").Execute, "listPersons")
	same(len(found.Data), 1)
	same(*found.Response.Count, int64(1))
	same(strings.HasSuffix(found.Data[0].DatetimeCreated, "Z"), true)
	replaced := do(api.PersonsAPI.ReplacePerson(ctx, id).ReplacePerson(client.ReplacePerson{
		Role: "admin", Email: text(email), FirstName: text("Ada"), LastName: text("King"),
	}).Execute, "replacePerson").Data
	same(*replaced.LastName.Get(), "King")
	patched := do(api.PersonsAPI.PatchPerson(ctx, id).PatchPerson(client.PatchPerson{
		Properties: map[string]any{"plan": nil},
	}).Execute, "patchPerson").Data
	same(patched.Properties, map[string]any{"n": map[string]any{"deep": []any{1.0}}})

	alias := do(api.PersonsAPI.CreateAlias(ctx, id).CreateAlias(client.CreateAlias{
		AnonymousId: "a/go",
	}).Execute, "createAlias").Data
	same(alias.PersonId, id)
	aliases := do(api.PersonsAPI.ListAliases(ctx, id).Execute, "listAliases").Data
	same(aliases[0].AnonymousId, "a/go")
	same(do(api.PersonsAPI.PersonHistory(ctx, id).Limit(1).Execute,
		"personHistory").Data[0].SubjectId, id)
	return id
}

func statuses(verdicts []client.Verdict) (all []int32) {
	for _, verdict := range verdicts {
		all = append(all, verdict.Status)
	}
	return all
}

func tryEvents(ctx context.Context, api *client.APIClient, id string) {
	event := do(api.EventsAPI.CreateEvent(ctx).CreateEvent(client.CreateEvent{
		EventType: "Order Completed", AnonymousId: one("a/go"),
		Properties: map[string]any{"sum": 1.5, "of": []any{"x"}},
	}).Execute, "createEvent").Data
	same(*event.PersonId.Get(), id)
	same(event.Properties, map[string]any{"sum": 1.5, "of": []any{"x"}})
	at, other := "0d9c3a52-8f0f-4a1b-9a53-0c7be4b0a001", "0d9c3a52-8f0f-4a1b-9a53-0c7be4b0a002"
	placed := do(api.EventsAPI.CreateEventAt(ctx, at).CreateEvent(client.CreateEvent{
		EventType: "click", PersonId: &id,
	}).Execute, "createEventAt").Data
	same(placed.Id, at)
	click := client.BatchItem{EventType: one("click"), PersonId: &id}
	batch := do(api.EventsAPI.CreateEvents(ctx).CreateEvents(client.BatchAsCreateEvents(
		&client.Batch{Context: map[string]any{"page": "/"}, Items: []client.BatchItem{
			click,
			{Person: &client.CreatePerson{ExternalId: text("in a batch")}},
			{Alias: &client.BatchAlias{AnonymousId: "b/go", ExternalId: one("in a batch")}},
		}})).Execute, "createEvents")
	same(statuses(batch.Data), []int32{201, 201, 201})
	batch = do(api.EventsAPI.CreateEvents(ctx).CreateEvents(
		client.ArrayOfBatchItemAsCreateEvents(&[]client.BatchItem{
			click, {EventType: one("click"), PersonId: &other},
		})).Execute, "createEvents")
	same(statuses(batch.Data), []int32{201, 404})
	same(*batch.Response.Refused, int32(1))
	got := do(api.EventsAPI.GetEvent(ctx, event.Id).Include("received").Execute, "getEvent")
	same(got.Data.EventType, "Order Completed")
	listed := do(api.EventsAPI.ListEvents(ctx).PersonId(id).Order("desc").Count("exact").
		Keyword([]string{"click", "Order Completed"}).Include("received").Execute,
		"listEvents")
	same(*listed.Response.Count, int64(4))
	same(listed.Data[0].Received != nil, true)
	listed = do(api.EventsAPI.ListEvents(ctx).AnonymousId("a/go").
		Properties(`{"sum":1.5}`).Execute, "listEvents")
	same(listed.Data[0].Id, event.Id)
	deleted := do(api.EventsAPI.DeleteEvent(ctx, event.Id).DeleteEvent(client.DeleteEvent{
		Id: &event.Id, PersonId: &id,
	}).Execute, "deleteEvent")
	same(len(deleted.Data), 0)
}

func tryExternalIds(ctx context.Context, api *client.APIClient) {
	value := "crm/7 é"
	put := do(api.PersonsAPI.PutPersonByExternalId(ctx, value).
		ReplacePersonBy(client.ReplacePersonBy{
			FirstName: text("Cy"), AnonymousId: text("c"),
		}).Execute, "putPersonByExternalId").Data
	same(*put.ExternalId, value)
	got := do(api.PersonsAPI.GetPersonByExternalId(ctx, value).Execute,
		"getPersonByExternalId").Data
	same(got.Email.Get() == nil, true)
	patched := do(api.PersonsAPI.PatchPersonByExternalId(ctx, value).
		PatchPerson(client.PatchPerson{FirstName: text("Cyd")}).Execute,
		"patchPersonByExternalId").Data
	same(*patched.FirstName.Get(), "Cyd")
	alias := do(api.PersonsAPI.CreateAliasByExternalId(ctx, value).
		CreateAliasBy(client.CreateAliasBy{AnonymousId: "d"}).Execute,
		"createAliasByExternalId").Data
	same(alias.AnonymousId, "d")
	aliases := do(api.PersonsAPI.ListAliasesByExternalId(ctx, value).Execute,
		"listAliasesByExternalId").Data
	same(len(aliases), 2)
	do(api.PersonsAPI.DeleteAliasByExternalId(ctx, value, "d").Execute,
		"deleteAliasByExternalId")
	// Where an optional body is left out, this client sends null.
	do(api.PersonsAPI.DeletePersonByExternalId(ctx, value).Execute,
		"deletePersonByExternalId")
}

// The stream has no end, so it is read by hand.
func firstOfStream(api *client.APIClient) string {
	request, _ := http.NewRequest("GET", os.Args[1]+"/log/stream?after=0", nil)
	request.Header.Set("Authorization", "Bearer "+os.Getenv("DAYBOOK_TOKEN"))
	answer, err := api.GetConfig().HTTPClient.Do(request)
	if err != nil {
		panic("streamLog: " + err.Error())
	}
	defer answer.Body.Close()
	line, _ := bufio.NewReader(answer.Body).ReadString('\n')
	fmt.Println("called streamLog")
	return line
}

func tryStatistics(ctx context.Context, api *client.APIClient) {
	events := api.EventsAPI
	types := do(events.EventTypes(ctx).Execute, "eventTypes").Data
	same(types[0].Count > 0, true)
	stats := do(events.EventStats(ctx).By("month").Unique("true").Execute, "eventStats").Data
	same(*stats[0].Persons > 0, true)
	funnel := do(events.EventFunnel(ctx).Steps("signup,click").Execute, "eventFunnel").Data
	same(len(funnel.Steps), 2)
	cohorts := do(events.EventRetention(ctx).First("signup").Then("click").Execute,
		"eventRetention").Data
	same(cohorts[0].Persons > 0, true)
}

func tryRest(ctx context.Context, api *client.APIClient) {
	same(do(api.LogAPI.GetRecord(ctx, 1).Execute, "getRecord").Data.Type, "person.created")
	same(do(api.LogAPI.ListLog(ctx).Limit(2).Execute, "listLog").Data[1].Sequence, int64(2))
	same(do(api.AdminAPI.GetBackups(ctx).Execute, "getBackups").Response.Status, int32(200))
	same(do(api.AdminAPI.GetCluster(ctx).Execute, "getCluster").Data.Role, "single")
	_, alone, _ := api.AdminAPI.HandOver(ctx).HandOver(client.HandOver{Node: "db2"}).Execute()
	same(alone.StatusCode, 404)
	fmt.Println("called handOver")
	same(len(do(api.AdminAPI.ListQuarantine(ctx).Limit(10).Execute, "listQuarantine").Data), 0)
	same(do(api.AdminAPI.RetryQuarantine(ctx).Execute, "retryQuarantine").Data.Retried, int64(0))
	made := do(api.AdminAPI.MakeToken(ctx).MakeToken(client.MakeToken{
		Name: "go", Scopes: []string{"read"}}).Execute, "makeToken").Data
	same(made.Token[:4], "dbk_")
	tokens := do(api.AdminAPI.ListTokens(ctx).Execute, "listTokens").Data
	same(tokens[len(tokens)-1].Name, "go")
	same(do(api.AdminAPI.GetOwnToken(ctx).Execute, "getOwnToken").Data.Scopes[0], "admin")
	do(api.AdminAPI.RevokeToken(ctx, "go").Execute, "revokeToken")
	same(firstOfStream(api), "retry: 3000\n")
	// Where an optional body is left out, this client sends null.
	begun := do(api.AdminAPI.StartRebuild(ctx).Execute, "startRebuild").Data
	same(begun.State == "running" || begun.State == "done", true)
	do(api.AdminAPI.StopRebuild(ctx).Execute, "stopRebuild")
	same(do(api.AdminAPI.GetRebuild(ctx).Execute, "getRebuild").Data.State != "idle", true)
	same(do(api.AboutAPI.Health(ctx).Execute, "health").Data.Status, "ok")
	same(do(api.AboutAPI.HealthLive(ctx).Execute, "healthLive").Data.Status, "ok")
	same(do(api.AboutAPI.HealthLeader(ctx).Execute, "healthLeader").Data.Leader, true)
	same(len(do(api.AboutAPI.HealthReady(ctx).Execute, "healthReady").Data.Reasons), 0)
	text := do(api.AboutAPI.Metrics(ctx).Execute, "metrics")
	same(strings.Contains(text, "daybook_commits_total"), true)
	same(do(api.AboutAPI.Index(ctx).Execute, "index").Data.Name, "Daybook")
	page := do(api.AboutAPI.Docs(ctx).Execute, "docs")
	same(strings.Contains(page, "<html"), true)
	file := do(api.AboutAPI.DocsFile(ctx, "errors.md").Execute, "docsFile")
	same(strings.Contains(file, "not-found"), true)
	page = do(api.AboutAPI.Console(ctx).Execute, "console")
	same(strings.Contains(page, "<html"), true)
	file = do(api.AboutAPI.ConsoleFile(ctx, "icon.svg").Execute, "consoleFile")
	same(strings.Contains(file, "<svg"), true)
	document := do(api.AboutAPI.Openapi(ctx).Execute, "openapi")
	same(*document["openapi"], any("3.1.0"))
}

func tryProofs(ctx context.Context, api *client.APIClient) {
	clicks := make([]client.BatchItem, 256) // so that there is a whole tile
	for i := range clicks {
		clicks[i] = client.BatchItem{EventType: one("click"), AnonymousId: one("tile/go")}
	}
	do(api.EventsAPI.CreateEvents(ctx).CreateEvents(
		client.ArrayOfBatchItemAsCreateEvents(&clicks)).Execute, "createEvents")
	note := do(api.AuditAPI.GetCheckpoint(ctx).Execute, "getCheckpoint")
	same(strings.Contains(note, "\n\n\u2014 "), true)
	proof := do(api.AuditAPI.GetProof(ctx, 1).Execute, "getProof")
	same(strings.HasPrefix(proof, "c2sp.org/tlog-proof@v1\nindex 0\n"), true)
	same(size(do(api.AuditAPI.GetTile(ctx, "0", "000").Execute, "getTile")), int64(8192))
	same(size(do(api.AuditAPI.GetPartialTile(ctx, "entries", "000", 3).Execute,
		"getPartialTile")), int64(3*34))
}

func size(file *os.File) int64 {
	state, err := file.Stat()
	if err != nil {
		panic(err)
	}
	return state.Size()
}

func tryDelete(ctx context.Context, api *client.APIClient, id string) {
	same(len(do(api.PersonsAPI.ExportPerson(ctx, id).Execute, "exportPerson").
		Data.Records) > 2, true)
	since := do(api.PersonsAPI.RestrictPerson(ctx, id).Execute, "restrictPerson").Data
	same(do(api.PersonsAPI.GetRestriction(ctx, id).Execute, "getRestriction").Data.Sequence,
		since.Sequence)
	do(api.PersonsAPI.UnrestrictPerson(ctx, id).Execute, "unrestrictPerson")
	do(api.PersonsAPI.DeleteAlias(ctx, id, "a/go").Execute, "deleteAlias")
	do(api.PersonsAPI.DeletePerson(ctx, id).DeletePerson(client.DeletePerson{Id: &id}).
		Execute, "deletePerson")
	_, _, err := api.PersonsAPI.GetPerson(ctx, id).Execute()
	var refused *client.GenericOpenAPIError
	same(errors.As(err, &refused), true)
	same(refused.Model().(client.Error).Response.Type, "/docs/errors.md#not-found")
	// Who was deleted can be erased, too.
	erased := do(api.PersonsAPI.DeletePerson(ctx, id).Erase(true).Execute, "deletePerson").Data
	receipt := do(api.PersonsAPI.GetReceipt(ctx, id).Execute, "getReceipt").Data
	same(receipt.Sequence > 0 && erased["sequence"] != nil, true)
	same(receipt.Done.GetKeys(), "destroyed")
	_, _, err = api.PersonsAPI.GetPerson(ctx, id).Execute()
	same(errors.As(err, &refused), true)
	same(refused.Model().(client.Error).Response.Type, "/docs/errors.md#erased")
	same(do(api.PersonsAPI.ExportPerson(ctx, id).Execute, "exportPerson").Data.Erased, true)
}
