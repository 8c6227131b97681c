"""Python's three clients against each other: every codec, keys, headers twice, timestamps, groups whose members come and
go, static members, a restart in the middle. Prints what it has seen; any difference ends it.

    matrix.py everybody | operators | group ASSIGNOR static|dynamic
"""

import asyncio
import sys
import threading
import time
import uuid

import aiokafka
import kafka
from broker import Broker
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, AlterConfigOpType, ConfigEntry, NewPartitions, NewTopic, OffsetSpec

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
HEADERS = [("a", b"1"), ("a", b"2"), ("empty", b"")]
N = 50


def confluent_produce(b, topic, codec):
    p = Producer({"bootstrap.servers": b.address, "compression.type": codec, "linger.ms": 5})
    for i in range(N):
        p.produce(topic, key=f"k{i}", value=f"confluent-{codec}-{i}" * 20, headers=HEADERS, timestamp=1_000_000 + i)
    assert p.flush(20) == 0


def kafka_python_produce(b, topic, codec):
    p = kafka.KafkaProducer(bootstrap_servers=b.address, compression_type=None if codec == "none" else codec, linger_ms=5)
    for i in range(N):
        p.send(topic, key=f"k{i}".encode(), value=(f"kafka-python-{codec}-{i}" * 20).encode(), headers=HEADERS, timestamp_ms=1_000_000 + i)
    p.flush()
    p.close()


async def aiokafka_produce(b, topic, codec):
    p = aiokafka.AIOKafkaProducer(bootstrap_servers=b.address, compression_type=None if codec == "none" else codec)
    await p.start()
    for i in range(N):
        await p.send(topic, key=f"k{i}".encode(), value=(f"aiokafka-{codec}-{i}" * 20).encode(), headers=HEADERS, timestamp_ms=1_000_000 + i)
    await p.stop()


def expected():
    return {(f"k{i}".encode(), (f"{c}-{codec}-{i}" * 20).encode(), tuple(HEADERS), 1_000_000 + i)
            for c in ("confluent", "kafka-python", "aiokafka") for codec in CODECS for i in range(N)}


def confluent_read(b, topic, count):
    c = Consumer({"bootstrap.servers": b.address, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"})
    c.subscribe([topic])
    out = []
    deadline = time.time() + 30
    while len(out) < count and time.time() < deadline:
        for m in c.consume(500, 1):
            assert not m.error(), m.error()
            out.append((m.key(), m.value(), tuple(m.headers()), m.timestamp()[1]))
    c.close()
    return out


def kafka_python_read(b, topic, count):
    c = kafka.KafkaConsumer(topic, bootstrap_servers=b.address, group_id=uuid.uuid4().hex, auto_offset_reset="earliest", consumer_timeout_ms=20_000)
    out = []
    for m in c:
        out.append((m.key, m.value, tuple(m.headers), m.timestamp))
        if len(out) == count:
            break
    c.close()
    return out


async def aiokafka_read(b, topic, count):
    c = aiokafka.AIOKafkaConsumer(topic, bootstrap_servers=b.address, group_id=uuid.uuid4().hex, auto_offset_reset="earliest")
    await c.start()
    out = []
    deadline = time.time() + 30
    while len(out) < count and time.time() < deadline:
        for ms in (await c.getmany(timeout_ms=1000)).values():
            out += [(m.key, m.value, tuple(m.headers), m.timestamp) for m in ms]
    await c.stop()
    return out


def every_client_reads_what_every_client_writes():
    b = Broker()
    for codec in CODECS:
        confluent_produce(b, "all", codec)
        kafka_python_produce(b, "all", codec)
        asyncio.run(aiokafka_produce(b, "all", codec))
    want = expected()
    for name, got in [("confluent", confluent_read(b, "all", len(want))), ("kafka-python", kafka_python_read(b, "all", len(want))),
                      ("aiokafka", asyncio.run(aiokafka_read(b, "all", len(want))))]:
        assert len(got) == len(want) and set(got) == want, (name, len(got), len(set(got) & want))
    b.stop()
    print(f"every client reads what every client writes: {len(want)} records, {len(CODECS)} codecs, 3 x 3 clients")


def groups_share_while_members_come_and_go(strategy, static):
    b = Broker()
    admin = AdminClient({"bootstrap.servers": b.address})
    admin.create_topics([NewTopic("g", 6, 1)])["g"].result()
    lock, seen, stop = threading.Lock(), {}, threading.Event()
    failures = []

    def member(n, until):
        config = {"bootstrap.servers": b.address, "group.id": "group", "auto.offset.reset": "earliest", "enable.auto.commit": False,
                  "partition.assignment.strategy": strategy, "session.timeout.ms": 6000, "heartbeat.interval.ms": 300}
        if static:
            config["group.instance.id"] = f"static-{n}"
        c = Consumer(config)
        c.subscribe(["g"])
        while not until.is_set():
            m = c.poll(0.1)
            if m is None:
                continue
            if m.error():
                failures.append(str(m.error()))
                continue
            with lock:
                seen.setdefault((m.partition(), m.offset()), []).append(m.value())
            try:
                c.commit(m, asynchronous=False)
            except Exception as e:  # a rebalance may take the partition first: the record comes again
                code = e.args[0].code()
                if code not in (KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS, KafkaError.UNKNOWN_MEMBER_ID):
                    failures.append(str(e))
        c.close()

    p = Producer({"bootstrap.servers": b.address, "enable.idempotence": True})
    total = 1500
    leave = threading.Event()
    members = [threading.Thread(target=member, args=(n, stop)) for n in range(2)]
    for m in members:
        m.start()
    for i in range(total):
        p.produce("g", key=str(i), value=str(i))
        p.poll(0)
        if i == 400:
            guest = threading.Thread(target=member, args=(9, leave))
            guest.start()
        if i == 900:
            leave.set()
        if i == 1200:
            p.flush(10)
            b.stop()
            b.start()
        time.sleep(0.002)
    assert p.flush(20) == 0
    deadline = time.time() + 40
    while time.time() < deadline and len({v[0] for v in seen.values()}) < total:
        time.sleep(0.1)
    stop.set()
    for m in members + [guest]:
        m.join()
    values = {v[0] for v in seen.values()}
    assert len(values) == total and len(seen) == total, (strategy, static, len(values), len(seen))
    assert not failures, failures[:3]
    again = sum(len(v) - 1 for v in seen.values())
    b.stop()
    print(f"group ({strategy}, static={static}): {total} records, a member joined and left, the broker "
          f"restarted; {again} delivered twice around rebalances")


def what_operators_ask():
    b = Broker()
    a = AdminClient({"bootstrap.servers": b.address})
    a.create_topics([NewTopic("ops", 2, 1, config={"retention.ms": "3600000"})])["ops"].result()
    resource = ConfigResource("topic", "ops")
    assert a.describe_configs([resource])[resource].result()["retention.ms"].value == "3600000"
    changed = ConfigResource("topic", "ops", incremental_configs=[ConfigEntry("retention.ms", "7200000", incremental_operation=AlterConfigOpType.SET)])
    a.incremental_alter_configs([changed])[changed].result()
    assert a.describe_configs([resource])[resource].result()["retention.ms"].value == "7200000"
    a.create_partitions([NewPartitions("ops", 4)])["ops"].result()
    assert len(a.list_topics("ops").topics["ops"].partitions) == 4
    p = Producer({"bootstrap.servers": b.address})
    for i in range(10):
        p.produce("ops", partition=0, value=str(i), timestamp=1000 + i * 10)
    p.flush(10)
    c = Consumer({"bootstrap.servers": b.address, "group.id": "note"})
    assert c.get_watermark_offsets(TopicPartition("ops", 0)) == (0, 10)
    assert c.offsets_for_times([TopicPartition("ops", 0, 1035)])[0].offset == 4
    c.commit(offsets=[TopicPartition("ops", 0, 7, metadata="a note")], asynchronous=False)
    got = c.committed([TopicPartition("ops", 0), TopicPartition("ops", 1)])
    assert (got[0].offset, got[0].metadata, got[1].offset) == (7, "a note", -1001), got
    latest = a.list_offsets({TopicPartition("ops", 0): OffsetSpec.max_timestamp()})
    assert list(latest.values())[0].result().offset == 9
    deleted = a.delete_records([TopicPartition("ops", 0, 5)])
    assert list(deleted.values())[0].result().low_watermark == 5
    assert c.get_watermark_offsets(TopicPartition("ops", 0)) == (5, 10)
    c.close()
    assert "note" in [g.group_id for g in a.list_consumer_groups().result().valid]
    a.describe_consumer_groups(["note"])["note"].result()
    a.delete_consumer_groups(["note"])["note"].result()
    a.delete_topics(["ops"])["ops"].result()
    assert "ops" not in a.list_topics().topics
    b.stop()
    print("admin: topics, options, partitions, offsets by time, metadata of commits, records and groups deleted")


match sys.argv[1:]:
    case ["everybody"]:
        every_client_reads_what_every_client_writes()
    case ["operators"]:
        what_operators_ask()
    case ["group", strategy, "static" | "dynamic" as membership]:
        groups_share_while_members_come_and_go(strategy, membership == "static")
    case other:
        raise SystemExit(f"{other}: see the head of this file")
