/* Calls every operation by the client that openapi-generator has made for Java. */

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.AboutApi;
import org.openapitools.client.api.AdminApi;
import org.openapitools.client.api.AuditApi;
import org.openapitools.client.api.EventsApi;
import org.openapitools.client.api.LogApi;
import org.openapitools.client.api.PersonsApi;
import org.openapitools.client.model.*;

public class Client {
    static PersonsApi persons;
    static EventsApi events;
    static LogApi log;
    static AboutApi about;
    static AdminApi admin;
    static AuditApi audit;

    static <T> T called(String operation, T answer) {
        System.out.println("called " + operation);
        return answer;
    }

    static void same(Object found, Object expected) {
        if (!Objects.equals(found, expected))
            throw new AssertionError(found + " is not " + expected);
    }

    static UUID tryPersons() throws ApiException {
        String email = "ada@java.test";
        UpdatedPerson person = called("createPerson", persons.createPerson(
            new CreatePerson().email(email).firstName("Ada").lastName("L")
                .properties(Map.of("plan", "pro", "n", Map.of("deep", List.of(1)))),
            null, null, null, null, null)).getData();
        UUID id = person.getId();
        same(person.getEmail(), email);
        same(person.getProperties().get("n"), Map.of("deep", List.of(1.0)));
        same(person.getEvents().get(0).getEventType(), "signup");
        same(called("getPerson", persons.getPerson(id, null, null, null, null, null, null, null))
            .getData().getId(), id);
        PersonListAnswer found = called("listPersons", persons.listPersons(null, email, null,
            null, "{\"plan\":\"pro\"}", null, null, null, "desc", "exact", null, "rfc3339",
            null, null, null));
        same(found.getData().size(), 1);
        same(found.getResponse().getCount(), 1L);
        same(found.getData().get(0).getDatetimeCreated().endsWith("Z"), true);
        same(called("replacePerson", persons.replacePerson(id,
            new ReplacePerson().role(ReplacePerson.RoleEnum.ADMIN).email(email)
                .firstName("Ada").lastName("King"),
            null, null, null, null, null, null)).getData().getLastName(), "King");
        same(called("patchPerson", persons.patchPerson(id,
            new PatchPerson().properties(Map.of("plan", "free")),
            null, null, null, null, null, null)).getData().getProperties(),
            Map.of("plan", "free", "n", Map.of("deep", List.of(1.0))));
        same(called("createAlias", persons.createAlias(id,
            new CreateAlias().anonymousId("a/java"), null, null, null, null, null))
            .getData().getPersonId(), id);
        same(called("listAliases", persons.listAliases(id, null, null, null, null))
            .getData().get(0).getAnonymousId(), "a/java");
        same(called("personHistory", persons.personHistory(id, 1, null, null, null, null, null))
            .getData().get(0).getSubjectId(), id);
        return id;
    }

    static List<Integer> statuses(BatchAnswer answer) {
        return answer.getData().stream().map(Verdict::getStatus).toList();
    }

    static void tryEvents(UUID id) throws ApiException {
        Event event = called("createEvent", events.createEvent(
            new CreateEvent().eventType("Order Completed").anonymousId("a/java")
                .properties(Map.of("sum", 1.5, "of", List.of("x"))),
            null, null, null, null, null, null)).getData();
        same(event.getPersonId(), id);
        same(event.getProperties(), Map.of("sum", 1.5, "of", List.of("x")));
        UUID at = UUID.randomUUID();
        same(called("createEventAt", events.createEventAt(at,
            new CreateEvent().eventType("click").personId(id),
            null, null, null, null, null, null, null)).getData().getId(), at);
        BatchItem click = new BatchItem().eventType("click").personId(id);
        same(statuses(called("createEvents", events.createEvents(new CreateEvents(
            new Batch().context(Map.of("page", "/")).items(List.of(click,
                new BatchItem().person(new CreatePerson().externalId("in a batch")),
                new BatchItem().alias(new BatchAlias().anonymousId("b/java")
                    .externalId("in a batch"))))),
            null, null, null, null))), List.of(201, 201, 201));
        BatchAnswer mixed = called("createEvents", events.createEvents(new CreateEvents(
            List.of(click, new BatchItem().eventType("click").personId(UUID.randomUUID()))),
            null, null, null, null));
        same(statuses(mixed), List.of(201, 404));
        same(mixed.getResponse().getRefused(), 1);
        same(called("getEvent", events.getEvent(event.getId(), null, null, "received", null,
            null, null, null)).getData().getEventType(), "Order Completed");
        EventListAnswer listed = called("listEvents", events.listEvents(
            List.of("click", "Order Completed"), id, null, null, null, null, null, null,
            null, null, "desc", "exact", null, "received", null, null, null, null));
        same(listed.getResponse().getCount(), 4L);
        same(listed.getData().get(0).getReceived() != null, true);
        listed = called("listEvents", events.listEvents(null, null, null, null, "a/java",
            null, null, "{\"sum\":1.5}", null, null, null, null, null, null, null, null,
            null, null));
        same(listed.getData().get(0).getId(), event.getId());
        same(called("deleteEvent", events.deleteEvent(event.getId(), null, null, null, null, null,
            new DeleteEvent().id(event.getId()).personId(id))).getData(), null);
    }

    static void tryExternalIds() throws ApiException {
        String value = "crm/7 é";
        same(called("putPersonByExternalId", persons.putPersonByExternalId(value,
            new ReplacePersonBy().firstName("Cy").anonymousId("c"),
            null, null, null, null, null, null)).getData().getExternalId(), value);
        same(called("getPersonByExternalId", persons.getPersonByExternalId(value, null, null,
            null, null, null, null, null)).getData().getEmail(), null);
        same(called("patchPersonByExternalId", persons.patchPersonByExternalId(value,
            new PatchPerson().firstName("Cyd"), null, null, null, null, null, null))
            .getData().getFirstName(), "Cyd");
        same(called("createAliasByExternalId", persons.createAliasByExternalId(value,
            new CreateAliasBy().anonymousId("d"), null, null, null, null, null))
            .getData().getAnonymousId(), "d");
        same(called("listAliasesByExternalId", persons.listAliasesByExternalId(value, null,
            null, null, null)).getData().size(), 2);
        called("deleteAliasByExternalId", persons.deleteAliasByExternalId(value, "d", null, null));
        called("deletePersonByExternalId", persons.deletePersonByExternalId(value, null, null,
            null, null, null, null, null, null));
    }

    /* The stream has no end, so it is read by hand. */
    static String firstOfStream(String url) throws IOException {
        URLConnection stream = URI.create(url + "/log/stream?after=0").toURL()
            .openConnection();
        stream.setRequestProperty("Authorization",
            "Bearer " + System.getenv("DAYBOOK_TOKEN"));
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                 stream.getInputStream(), StandardCharsets.UTF_8))) {
            return called("streamLog", lines.readLine());
        }
    }

    static void tryStatistics() throws ApiException {
        same(called("eventTypes", events.eventTypes(null, null, null, null, null)).getData().get(0)
            .getCount() > 0, true);
        same(called("eventStats", events.eventStats("month", null, null, null, null, null,
            "true", null, null, null, null, null)).getData().get(0).getPersons() > 0, true);
        same(called("eventFunnel", events.eventFunnel("signup,click", null, null, null, null,
            null, null)).getData().getSteps().size(), 2);
        same(called("eventRetention", events.eventRetention("signup", "click", null, null,
            null, null, null, null, null, null)).getData().get(0).getPersons() > 0, true);
    }

    static void tryProofs() throws ApiException {
        called("createEvents", events.createEvents(new CreateEvents(Collections.nCopies(256,
            new BatchItem().eventType("click").anonymousId("tile/java"))),
            null, null, null, null)); /* so that there is a whole tile */
        same(called("getCheckpoint", audit.getCheckpoint(null)).contains("\n\n\u2014 "), true);
        same(called("getProof", audit.getProof(1L, null, null, null))
            .startsWith("c2sp.org/tlog-proof@v1\nindex 0\n"), true);
        same(called("getTile", audit.getTile("0", "000", null)).length(), 8192L);
        same(called("getPartialTile", audit.getPartialTile("entries", "000", 3, null))
            .length(), 3L * 34);
    }

    static void tryRest() throws ApiException {
        same(called("getRecord", log.getRecord(1L, null, null, null, null)).getData().getType(),
            org.openapitools.client.model.Record.TypeEnum.PERSON_CREATED);
        same(called("listLog", log.listLog(2, null, null, null, null, null, null)).getData().get(1)
            .getSequence(), 2L);
        same(called("getBackups", admin.getBackups(null, null, null)).getData().getLast(),
            null);
        same(called("getCluster", admin.getCluster(null, null, null)).getData().getLeads(),
            true);
        handOver();
        same(called("listQuarantine", admin.listQuarantine(10, null, null, null, null))
            .getData().size(), 0);
        same(called("retryQuarantine", admin.retryQuarantine(null)).getData().getRetried(),
            0L);
        same(called("makeToken", admin.makeToken(new MakeToken().name("java")
            .addScopesItem("read").rate(5L), null, null, null)).getData().getRate(), 5L);
        var tokens = called("listTokens", admin.listTokens(null, null, null)).getData();
        same(tokens.get(tokens.size() - 1).getName(), "java");
        same(called("getOwnToken", admin.getOwnToken(null)).getData().getScopes().get(0), "admin");
        called("revokeToken", admin.revokeToken("java", null));
        called("startRebuild", admin.startRebuild(null, null, null,
            new StartRebuild().keepOld(false)));
        called("stopRebuild", admin.stopRebuild(null, null, null));
        same(called("getRebuild", admin.getRebuild(null, null, null)).getData()
            .getStartedAt() != null, true);
        same(called("health", about.health(null)).getData().getStatus(),
            Health.StatusEnum.OK);
        same(called("healthLive", about.healthLive(null)).getData().getStatus(),
            Live.StatusEnum.OK);
        same(called("healthLeader", about.healthLeader(null)).getData().getLeader(), true);
        same(called("healthReady", about.healthReady(null)).getData().getReasons().size(),
            0);
        same(called("metrics", about.metrics(null)).contains("daybook_commits_total"), true);
        same(called("index", about.index(null, null)).getData().getName(), "Daybook");
        same(called("docs", about.docs(null, null)).contains("<html"), true);
        same(called("docsFile", about.docsFile("errors.md", null, null))
            .contains("not-found"), true);
        same(called("console", about.console(null, null)).contains("<html"), true);
        same(called("consoleFile", about.consoleFile("icon.svg", null, null))
            .contains("<svg"), true);
        same(((Map<?, ?>) called("openapi", about.openapi(null, null))).get("openapi"),
            "3.1.0");
    }

    static void handOver() {
        try {
            admin.handOver(new HandOver().node("db2"), null);
        } catch (ApiException alone) {
            same(called("handOver", alone.getCode()), 404);
            return;
        }
        throw new AssertionError("who is alone hands over");
    }

    static void gone(UUID id, int status, String type) {
        try {
            persons.getPerson(id, null, null, null, null, null, null, null);
        } catch (ApiException gone) {
            same(gone.getCode(), status);
            same(gone.getResponseBody().contains("/docs/errors.md#" + type), true);
            return;
        }
        throw new AssertionError("who was deleted is there");
    }

    static void tryDelete(UUID id) throws ApiException {
        same(called("exportPerson", persons.exportPerson(id, null, null, null, null))
            .getData().getRecords().size() > 2, true);
        long since = called("restrictPerson", persons.restrictPerson(id, null, null, null, null))
            .getData().getSequence();
        same(called("getRestriction", persons.getRestriction(id, null, null, null, null))
            .getData().getSequence(), since);
        called("unrestrictPerson", persons.unrestrictPerson(id, null, null));
        called("deleteAlias", persons.deleteAlias(id, "a/java", null, null));
        called("deletePerson", persons.deletePerson(id, null, null, null, null, null, null, null,
            null));
        gone(id, 404, "not-found");
        called("deletePerson", persons.deletePerson(id, true, null, null, null, null, null, null,
            null)); // who was deleted can be erased, too
        same(called("getReceipt", persons.getReceipt(id, null, null, null, null))
            .getData().getDone().getKeys(), "destroyed");
        gone(id, 410, "erased");
        same(called("exportPerson", persons.exportPerson(id, null, null, null, null))
            .getData().getErased(), true);
    }

    public static void main(String[] arguments) throws ApiException, IOException {
        ApiClient client = new ApiClient().setBasePath(arguments[0]);
        client.setBearerToken(System.getenv("DAYBOOK_TOKEN"));
        persons = new PersonsApi(client);
        events = new EventsApi(client);
        log = new LogApi(client);
        about = new AboutApi(client);
        admin = new AdminApi(client);
        audit = new AuditApi(client);
        UUID id = tryPersons();
        tryEvents(id);
        tryExternalIds();
        tryStatistics();
        tryProofs();
        tryRest();
        same(firstOfStream(arguments[0]), "retry: 3000");
        tryDelete(id);
        System.exit(0); // or its pool of connections keeps it
    }
}
