"""A disk that is really full (a tmpfs of 24 MB; needs root): records are refused with an error that clients retry, what is
there is still consumed, and after records are deleted new ones are taken. Nothing acknowledged is lost on the way.
"""

import os
import subprocess
import sys
import tempfile
import time

import kafka
from broker import Broker
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

if os.geteuid() != 0:
    print("left out: mounting needs root (0 records)")
    sys.exit()
disk = tempfile.mkdtemp(prefix="pelton-full-")
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=True)
tempfile.tempdir = disk
try:
    b = Broker()
    admin = AdminClient({"bootstrap.servers": b.address})
    admin.create_topics([NewTopic("f", 1, 1, config={"segment.bytes": "1048576"})])["f"].result()
    value, accepted, refused = os.urandom(50_000), 0, None
    p = kafka.KafkaProducer(bootstrap_servers=b.address, acks="all", retries=0, enable_idempotence=False)
    while refused is None:
        assert accepted < 1_000, "24 MB take 50 MB"
        try:
            assert p.send("f", value).get(30).offset == accepted
            accepted += 1
        except kafka.errors.KafkaError as e:
            refused = e
    p.close()
    assert refused.retriable, repr(refused)
    assert accepted > 100, accepted

    def read(first, last):
        c = Consumer({"bootstrap.servers": b.address, "group.id": "full"})
        c.assign([TopicPartition("f", 0, first)])
        at, deadline = first, time.time() + 30
        while at < last and time.time() < deadline:
            for m in c.consume(100, 1):
                assert not m.error() and m.offset() == at and len(m.value()) == len(value), (m.error(), m.offset(), at)
                at += 1
        c.close()
        assert at == last, (at, last)

    read(0, accepted)
    half = accepted // 2
    assert list(admin.delete_records([TopicPartition("f", 0, half)]).values())[0].result().low_watermark == half
    # As any client does that keeps trying.
    late = Producer({"bootstrap.servers": b.address, "acks": "all", "enable.idempotence": True, "message.timeout.ms": 30_000})
    failures = []
    for _ in range(50):
        late.produce("f", value, on_delivery=lambda e, m: e and failures.append(e))
    assert late.flush(40) == 0 and not failures, failures[:1]
    read(half, accepted + 50)
    b.stop()
    b.start()
    read(half, accepted + 50)
    b.stop()
    print(f"full disk: {accepted} records of 50 kB, then {type(refused).__name__}; all consumed, half deleted, 50 more taken")
finally:
    subprocess.run(["umount", "-l", disk], check=False)
