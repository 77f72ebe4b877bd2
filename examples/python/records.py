"""Keeps Daybook's persons and events in a PostgreSQL of yours, from the topic that
`daybook relay` writes (of a sealed log with --unseal).

    records.py BROKERS TOPIC DATABASE [NAME=VALUE...]
    records.py k1:9092,k2:9092 daybook.records "dbname=bi" security.protocol=SASL_SSL

Run ../postgres/records.sql in that database first. However this ends, run it again: it goes on
where the tables are. Debian's packages: python3-confluent-kafka, python3-psycopg2.
"""

import sys

import psycopg2
from confluent_kafka import OFFSET_STORED, Consumer, KafkaException, TopicPartition

AT_ONCE = 1000      # messages; one transaction for those whose turn it is
HELD_MAX = 200_000  # messages that wait for one before them


def read(consumer):
    """What came, by sequence: (record as JSON, partition, offset)."""
    for message in consumer.consume(AT_ONCE, timeout=1):
        if message.error():
            raise KafkaException(message.error())
        sequence = int(dict(message.headers())["sequence"])
        yield sequence, (message.value().decode(), message.partition(), message.offset())


def main(brokers, topic, database, *properties):
    consumer = Consumer({
        **dict(each.split("=", 1) for each in properties),
        "bootstrap.servers": brokers,
        "group.id": "records.py",
        "isolation.level": "read_committed",  # nothing of a relay that died half-way
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False})
    # All partitions, and no sharing of them with others: what is before is needed first.
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, each, OFFSET_STORED) for each in partitions])
    tables = psycopg2.connect(database)
    with tables, tables.cursor() as cursor:
        cursor.execute("select sequence + 1 from taken")
        due, = cursor.fetchone()
    held = {}  # a person's records are in order, those of several partitions are not
    while True:
        held.update((sequence, each) for sequence, each in read(consumer) if sequence >= due)
        ready = []
        while due in held:
            ready.append(held.pop(due))
            due += 1
        if ready:
            with tables, tables.cursor() as cursor:
                cursor.execute("select daybook_take(record::jsonb) from unnest(%s) record",
                               ([record for record, _, _ in ready],))
            # Only now: what is not in the tables is to come again.
            places = {partition: offset + 1 for _, partition, offset in ready}
            consumer.commit(offsets=[TopicPartition(topic, *each) for each in places.items()],
                            asynchronous=False)
        if len(held) > HELD_MAX:
            sys.exit(f"records.py: record {due} does not come: has {topic} lost its beginning?")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
