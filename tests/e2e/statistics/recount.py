"""The statistics, counted the slow and obvious way out of a list of events: each with `at` (an
aware datetime), `type`, `person` (or None), and in the order of the log."""

from collections import defaultdict
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo


def utc(text):
    """A time of the API."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def text(at):
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")


def first_day(day, by):
    if by == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if by == "month" else day


def begin(at, by, zone):
    local = at.astimezone(ZoneInfo(zone))
    if by == "hour":
        return at - timedelta(minutes=local.minute, seconds=local.second,
                              microseconds=local.microsecond)
    day = first_day(local.date(), by)
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(timezone.utc)


def within(event, since, until):
    return (since is None or event["at"] >= since) and (
        until is None or event["at"] < until)


def stats(events, by="day", tz="UTC", types=None, person_id=None, since=None, until=None,
          unique=False, group=False):
    counts, persons = defaultdict(int), defaultdict(set)
    for event in events:
        if not within(event, since, until) or (types and event["type"] not in types) or (
                person_id and event["person"] != person_id):
            continue
        key = (begin(event["at"], by, tz), event["type"] if group else "")
        counts[key] += 1
        persons[key] |= {event["person"]} - {None}
    rows = []
    for key in sorted(counts, key=lambda key: (key[0], key[1].encode())):
        row = {"from": text(key[0])}
        if group:
            row["event_type"] = key[1]
        row["count"] = counts[key]
        if unique:
            row["persons"] = len(persons[key])
        rows.append(row)
    return rows


def types(events):
    found = defaultdict(list)
    for event in events:
        found[event["type"]].append(event["at"])
    rows = [{"event_type": type_, "count": len(times), "first": text(min(times)),
             "last": text(max(times))} for type_, times in found.items()]
    return sorted(rows, key=lambda row: (-row["count"], row["event_type"].encode()))


def by_person(events):
    found = defaultdict(list)
    for event in events:
        if event["person"]:
            found[event["person"]].append(event)
    for each in found.values():
        each.sort(key=lambda event: event["at"])  # stable: else as the log has them
    return found


def funnel(events, steps, span, since=None, until=None):
    """Each first step is tried, and behind it the next of each step taken that comes."""
    reached = [0] * len(steps)
    for each in by_person(event for event in events
                          if within(event, since, until)).values():
        furthest = 0
        for i, first in enumerate(each):
            if first["type"] != steps[0]:
                continue
            done = 1
            for event in each[i + 1:]:
                if event["at"] - first["at"] > span:
                    break
                if done < len(steps) and event["type"] == steps[done]:
                    done += 1
            furthest = max(furthest, done)
        for k in range(furthest):
            reached[k] += 1
    return reached


def behind(cohort, day, by):
    if by == "month":
        return 12 * (day.year - cohort.year) + day.month - cohort.month
    return (day - cohort).days // (7 if by == "week" else 1)


def retention(events, first, then, by="week", tz="UTC", since=None, until=None):
    def bucket(at) -> date:
        return first_day(at.astimezone(ZoneInfo(tz)).date(), by)

    cohorts, returned = defaultdict(int), defaultdict(lambda: defaultdict(int))
    last = max((bucket(event["at"]) for event in events if event["type"] == then),
               default=None)
    for each in by_person(events).values():
        firsts = [event for event in each if event["type"] == first]
        if not firsts or not within(firsts[0], since, until):
            continue
        cohort = bucket(firsts[0]["at"])
        cohorts[cohort] += 1
        for k in {behind(cohort, bucket(event["at"]), by)
                  for event in each if event["type"] == then}:
            returned[cohort][k] += 1
    rows = []
    for cohort in sorted(cohorts):
        count = max(behind(cohort, last, by), 0) + 1 if last else 1
        rows.append({
            "from": text(datetime.combine(cohort, time(), ZoneInfo(tz))),
            "persons": cohorts[cohort],
            "returned": [returned[cohort][k] for k in range(min(count, 100))]})
    return rows
