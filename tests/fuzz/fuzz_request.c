/* fuzz_request.c - whatever a client sends, from the request line to the last byte of the
 * body: the answer is well-formed HTTP and JSON, nothing comes of it without the right
 * token, and it is one line of the server's log, as text and as JSON.
 *
 * The first byte tells what comes of a write, and whether tokens are asked for; the rest
 * is the request (fake_connection.h).
 */
#include "access.h"
#include "budget.h"
#include "dispatch.h"
#include "fake_connection.h"
#include "fake_submit.h"
#include "fuzz.h"
#include "http/tokens.h"
#include "json_check.h"
#include "limiter.h"
#include "logger.h"
#include "rebuilder.h"
#include "serve_report.h"
#include "spares.h"
#include "store/utf8.h"
#include "worker.h"

#include <ctype.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

/* What reader may do, and its secret; the file has its hash. */
#define SECRET "dbk_fuzz"
#define TOKENS_ASKED 8 /* in the first byte */

/* Made once. */
static struct {
    bool made;
    char dir[64];
    struct dbk_log *log;
    struct limiter limiter;
    struct budget budget;
    struct spares spares;
    struct service open, closed; /* the second asks for tokens */
    struct worker *worker;
    struct logger text, json;
} world;

static void in_dir(char out[128], const char *name)
{
    snprintf(out, 128, "%s/%s", world.dir, name);
}

static void remove_world(void)
{
    static const char *const files[] = {"tokens", "log/data.mdb", "log/lock.mdb"};
    char path[128];

    rebuilder_destroy(world.open.rebuilder);
    rebuilder_destroy(world.closed.rebuilder);
    access_destroy(world.open.access);
    access_destroy(world.closed.access);
    dbk_log_close(world.log);
    worker_destroy(world.worker);
    limiter_finish(&world.limiter);
    fake_connection_finish();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        in_dir(path, files[i]);
        unlink(path);
    }
    in_dir(path, "log");
    rmdir(path);
    rmdir(world.dir);
}

/* One that may read persons, events and the log, and change nothing. */
static void make_tokens(void)
{
    unsigned char hash[DBK_TOKEN_HASH];
    char hex[2 * DBK_TOKEN_HASH + 1], path[128];
    int fd;

    in_dir(path, "tokens");
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    crypto_generichash(hash, sizeof hash, (const unsigned char *)SECRET, strlen(SECRET),
                       NULL, 0);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    require(fd >= 0);
    require(dprintf(fd,
                    "daybook tokens 1\nreader read,audit 2026-11-25T10:16:17.330037 "
                    "%s\n",
                    hex) > 0);
    close(fd);
}

/* The log's own. */
enum dbk_code __real_dbk_log_submit(struct dbk_log *log,
                                    struct dbk_command *const *commands, size_t count,
                                    const struct dbk_idempotency *idempotency,
                                    bool *replayed, struct dbk_error *err);

static void add_record(const struct dbk_record *draft)
{
    struct dbk_command *command = dbk_command_create();

    require(command && dbk_command_add(command, draft, NULL) == DBK_OK);
    require(__real_dbk_log_submit(world.log, &command, 1, NULL, NULL, NULL) == DBK_OK);
    require(dbk_command_verdict(command)->code == DBK_OK);
    dbk_command_destroy(command);
}

/* An event with the sequence 3, of a person whose id the corpus knows. */
static void make_log(void)
{
    struct dbk_log_options options = {.map_size = (size_t)1 << 24};
    struct dbk_record person = {.type = DBK_PERSON_CREATED,
                                .person = {.has = DBK_HAS_ALL,
                                           .email = dbk_slice("kate@marauders.mock"),
                                           .first_name = dbk_slice("Kate\n\x1b[31m"),
                                           .last_name = dbk_slice("Pryde"),
                                           .role = DBK_ROLE_USER}};
    struct dbk_record event = {.type = DBK_EVENT_RECORDED,
                               .event_type = dbk_slice("click"),
                               .properties = dbk_slice("{\"page\": \"/home\"}")};

    char path[128];

    in_dir(path, "log");
    require(dbk_log_open(path, &options, &world.log, NULL) == DBK_OK);
    require(
        dbk_uuid_parse("9c65af1a-c109-4c17-9bf1-5f4bcac95e3c", 36, &person.subject));
    require(dbk_uuid_parse("7ffcbbde-aa9d-586d-84e8-15808d806fc3", 36, &event.subject));
    event.person_id = person.subject;
    add_record(&person);
    add_record(&event);
}

static void log_access(void *context, const struct dbk_access *entry)
{
    (void)context;
    serve_report_access(&world.text, entry);
    serve_report_access(&world.json, entry);
}

static void make_service(struct service *service, const char *tokens_dir)
{
    struct access_options access = {.dir = tokens_dir, .address = "127.0.0.1"};
    struct dbk_error err;

    service->log = world.log;
    service->limiter = &world.limiter;
    service->budget = &world.budget;
    service->spares = &world.spares;
    service->options = (struct dbk_server_options){
        .address = "127.0.0.1",
        .tokens_dir = tokens_dir,
        .body_max = 4096,
        .batch_body_max = 8192,
        .batch_items_max = 20,
        .request_timeout_ms = 30000,
        .idempotency_keep_us = INT64_C(86400000000),
        .threads = 1,
        .access = log_access,
    };
    require(access_create(&access, &service->access, &err) == DBK_OK);
    service->rebuilder = rebuilder_create(world.log, &service->options);
    require(service->rebuilder != NULL);
}

static void make_world(void)
{
    if (world.made)
        return;
    world.made = true;
    strcpy(world.dir, "/tmp/daybook-fuzz-XXXXXX");
    require(sodium_init() >= 0 && mkdtemp(world.dir) != NULL);
    make_tokens();
    make_log();
    limiter_init(&world.limiter);
    budget_init(&world.budget, 1 << 20);
    spares_init(&world.spares);
    make_service(&world.open, NULL);
    make_service(&world.closed, world.dir);
    world.worker = worker_create();
    world.text = (struct logger){.fd = memfd_create("text", MFD_CLOEXEC),
                                 .level = LOG_LEVEL_DEBUG};
    world.json = (struct logger){.fd = memfd_create("json", MFD_CLOEXEC),
                                 .level = LOG_LEVEL_DEBUG,
                                 .json = true};
    require(world.worker && world.text.fd >= 0 && world.json.fd >= 0);
    atexit(remove_world);
}

/* UTF-8, and no character that ends a line, moves a cursor or turns the text around. */
static void require_plain(const char *at, const char *end)
{
    while (at < end) {
        uint32_t point;
        size_t length = dbk_utf8_decode(at, end, &point);
        require(length > 0);
        require(point >= 0x20 && !(point >= 0x7f && point < 0xa0));
        require(point != 0x2028 && point != 0x2029 && point != 0x202e);
        at += length;
    }
}

/* One line has come to the log; it is emptied. */
static void require_line(const struct logger *logger)
{
    char line[8192];
    ssize_t length = pread(logger->fd, line, sizeof line, 0);

    require(length > 1 && length < (ssize_t)sizeof line);
    require(line[length - 1] == '\n');
    require_plain(line, line + length - 1);
    if (logger->json)
        require(json_check(line, (size_t)length, SIZE_MAX, NULL) == DBK_OK);
    require(ftruncate(logger->fd, 0) == 0 && lseek(logger->fd, 0, SEEK_SET) == 0);
}

/* A header line "Name: value" of printable characters; returns what is behind it. */
static const char *require_header(const char *at)
{
    const char *end = strstr(at, "\r\n"), *colon = strchr(at, ':');

    require(end && colon && colon > at && colon < end && colon[1] == ' ');
    for (const char *c = at; c < end; c++)
        require((unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7f);
    for (const char *c = at; c < colon; c++)
        require(isalnum((unsigned char)*c) || *c == '-');
    return end + 2;
}

/* The value of a header of the answer, or NULL. */
static const char *find_header(const char *head, const char *name)
{
    char wanted[64];
    const char *found;

    snprintf(wanted, sizeof wanted, "\r\n%s: ", name);
    found = strstr(head, wanted);
    return found ? found + strlen(wanted) : NULL;
}

static bool is_text(const char *value, const char *wanted)
{
    return value && strncmp(value, wanted, strlen(wanted)) == 0;
}

/* The envelope, which says the status again at its end, or what kind of failure it is. */
static void require_envelope(const char *body, size_t length, int status)
{
    char end[32], type[] = ",\"type\":\"/docs/errors.md#";
    size_t wanted = (size_t)snprintf(end, sizeof end, "\"status\":%d}}", status);

    require(json_check(body, length, SIZE_MAX, NULL) == DBK_OK);
    if (status < 400)
        require(length > wanted && memcmp(body + length - wanted, end, wanted) == 0);
    else
        require(memmem(body, length, end, wanted - 2) &&
                memmem(body, length, type, sizeof type - 1));
    require(memchr(body, '\n', length) == NULL && memchr(body, 0, length) == NULL);
}

/* The body, all of it in one piece, or none. */
static void require_body(const char *head, const char *body, const char *end,
                         int status)
{
    const char *length = find_header(head, "Content-Length");
    const char *type = find_header(head, "Content-Type");

    if (body == end)
        return; /* HEAD, 204, 304 */
    require(is_text(length, "") && strtoul(length, NULL, 10) == (size_t)(end - body));
    if (find_header(head, "Content-Encoding"))
        return; /* tests/http/message/test_coded.c */
    if (is_text(type, "application/json") && !is_text(body, "{\n"))
        require_envelope(body, (size_t)(end - body), status);
}

static void require_answer(int status)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const char *answer, *at, *end;
    size_t length;

    answer = fake_answer(&length);
    end = answer + length;
    if (strncmp(answer, go_on, strlen(go_on)) == 0)
        answer += strlen(go_on);
    require(strncmp(answer, "HTTP/1.1 ", 9) == 0);
    require(strtol(answer + 9, NULL, 10) == status && status >= 200 && status < 600);
    require(status != 500);
    at = strstr(answer, "\r\n");
    require(at != NULL);
    at += 2;
    while (strncmp(at, "\r\n", 2) != 0)
        at = require_header(at);
    require_body(answer, at + 2, end, status);
}

/* Whether the one Authorization header is our token's, read as naively as can be. */
static bool brings_token(const struct head *head)
{
    const char *value = NULL;
    size_t length;

    for (size_t i = 0; i < head->count; i++) {
        if (strcasecmp(head->fields[i].name, "Authorization") == 0 && value)
            return false;
        if (strcasecmp(head->fields[i].name, "Authorization") == 0)
            value = head->fields[i].value;
    }
    if (!value || strncasecmp(value, "Bearer ", 7) != 0)
        return false;
    value += 6 + strspn(value + 6, " ");
    length = strlen(value);
    while (length > 0 && strchr(" \t", value[length - 1]))
        length--;
    return length == strlen(SECRET) && memcmp(value, SECRET, length) == 0;
}

/* Without the token nothing is told, and with it nothing is changed. */
static void require_guarded(int status)
{
    const struct request *rq = &world.worker->request;
    const struct route *route = rq->match.route;

    if (!route || route->scope == 0)
        return;
    if (!brings_token(rq->head))
        require(status >= 400);
    else
        require(strcmp(rq->actor, "reader") == 0 || status >= 400);
    if (route->scope == DBK_SCOPE_WRITE)
        require(status >= 400);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum dbk_code codes[] = {DBK_OK,         DBK_EXISTS,     DBK_CONFLICT,
                                          DBK_NOT_FOUND,  DBK_MOVED,      DBK_BUSY,
                                          DBK_KEY_REUSED, DBK_UNAVAILABLE};
    bool closed = size > 0 && data[0] & TOKENS_ASKED;
    struct mg_connection *connection;
    char *text;
    int status;

    make_world();
    if (size == 0)
        return 0;
    text = copy_bytes(data + 1, size - 1);
    connection = fake_connection(text, size - 1);
    fake_submit_answer(codes[data[0] % 8]);
    status =
        dispatch(closed ? &world.closed : &world.open, world.worker, connection, NULL);
    require_answer(status);
    require_line(&world.text);
    require_line(&world.json);
    if (closed)
        require_guarded(status);
    free(text);
    return 0;
}
