// The records of Daybook, from the topic that `daybook relay` (of a sealed log with --unseal)
// writes: each once, in the order of the log. `npm install kafkajs lz4js` brings what it needs.
//
//   const tables = new Tables();
//   await follow({brokers: ['k1:9092']}, 'daybook.records', (record) => tables.take(record));

import kafkajs from 'kafkajs';
import lz4 from 'lz4js';

const HELD_MAX = 200000; // records that wait for one before them

kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => ({
  compress: async (encoder) => Buffer.from(lz4.compress(encoder.buffer)),
  decompress: async (bytes) => Buffer.from(lz4.decompress(bytes)),
});

// From the first record on; `take` may be async. Returns what ends it. KafkaJS shows what is
// committed only, unless it is asked for more.
export async function follow(options, topic, take) {
  const kafka = new kafkajs.Kafka({logLevel: kafkajs.logLevel.ERROR, ...options});
  const consumer = kafka.consumer({groupId: `records.mjs-${process.pid}-${Date.now()}`});
  const held = new Map(); // a person's records are in order, those of several partitions are not
  let due = 1;
  await consumer.connect();
  await consumer.subscribe({topics: [topic], fromBeginning: true});
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({message}) => {
      const sequence = Number(message.headers.sequence);
      if (sequence >= due) held.set(sequence, message.value); // else it came again
      for (; held.has(due); due++) {
        await take(JSON.parse(held.get(due)));
        held.delete(due);
      }
      if (held.size > HELD_MAX) throw new Error(`record ${due} does not come`);
    },
  });
  return () => consumer.disconnect();
}

// Persons and events as the API shows them, by id.
export class Tables {
  persons = new Map();
  events = new Map();
  recorded = new Map(); // the sequence of each event

  take({type, sequence, subject_id: id, recorded_at, data}) {
    if (data?.restricted) return; // only a token with the scope admin is shown it
    if (data?.erased) return; // its key is destroyed: whoever it was about is deleted later on
    if (data?.sealed)
      throw new Error(`record ${sequence} is sealed: write the topic with daybook relay --unseal`);
    const {persons, events} = this;
    const whose = (name, value) => [...events.values()].filter((event) => event[name] === value);
    const forget = (event) => events.delete(event) && this.recorded.delete(event);
    if (type === 'person.created') {
      const created = data.datetime_created ?? recorded_at;
      persons.set(id, {email: null, first_name: null, last_name: null, ...data,
        id, datetime_created: created, datetime_modified: created});
    } else if (type === 'person.updated') {
      const person = Object.assign(persons.get(id), data, {datetime_modified: recorded_at});
      for (const name of ['external_id', 'properties'])
        if (person[name] === null) delete person[name]; // it was removed
    } else if (type === 'person.deleted' || type === 'person.erased') {
      persons.delete(id);
      for (const event of whose('person_id', id)) forget(event.id);
    } else if (type === 'event.recorded') {
      events.set(id, {datetime_created: recorded_at, ...data, id});
      this.recorded.set(id, sequence);
    } else if (type === 'event.deleted') {
      forget(id);
    } else if (type === 'events.expired') {
      for (const [event, at] of this.recorded)
        if (at <= data.through) forget(event);
    } else if (type === 'person.aliased' || type === 'person.unaliased') {
      for (const event of whose('anonymous_id', data.anonymous_id))
        event.person_id = type === 'person.aliased' ? id : null;
    } else if (!['person.restricted', 'person.unrestricted', 'log.resealed'].includes(type)) {
      throw new Error(`a record of the type ${type}`);
    }
  }
}
