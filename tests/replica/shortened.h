/* shortened.h - brokers that lost the end of the stream. */
#ifndef SHORTENED_H
#define SHORTENED_H

#include "nodes.h"
#include "stream.h"

/* What brokers that lost their end have left: the first `count` messages of the stream, as the
 * topic "short". */
static inline void copy_stream(struct cluster *cluster, int64_t count)
{
    struct dbk_replica_options to = cluster->nodes[0].options;
    struct producer *producer;
    struct stream *stream;
    struct message message;
    int64_t offset;

    rd_kafka_mock_topic_create(cluster->mock, "short", 1, 3);
    rd_kafka_mock_topic_create(cluster->mock, "short.leader", 1, 3);
    to.topic = "short";
    assert_int_equal(producer_create(&to, &producer, &cluster->err), DBK_OK);
    assert_int_equal(stream_open(&cluster->nodes[0].options, &stream, &cluster->err),
                     DBK_OK);
    assert_int_equal(stream_seek(stream, 0, &cluster->err), DBK_OK);
    for (int64_t i = 0; i < count; i++) {
        if (stream_next(stream, WAIT_MS, &offset, &message, &cluster->err) != DBK_OK ||
            producer_send_wait(producer, &message, NULL, &offset, &cluster->err) !=
                DBK_OK)
            fail_msg("%s", cluster->err.text);
        assert_int_equal(offset, i);
    }
    stream_close(stream);
    producer_destroy(producer);
}

/* Brokers lose the last `lost` messages while all nodes are down. */
static inline void lose(struct cluster *cluster, int64_t lost)
{
    int64_t next = look(&cluster->nodes[0]).place.next;

    for (int i = 0; i < NODES; i++)
        if (cluster->nodes[i].replica)
            node_stop(&cluster->nodes[i]);
    copy_stream(cluster, next - lost);
    for (int i = 0; i < NODES; i++)
        cluster->nodes[i].options.topic = "short";
}

#endif
