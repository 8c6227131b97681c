"""Pelton and a real Kafka broker, one after the other, same client (librdkafka; franz-go for latency), same settings, same
machine: produce and consume throughput, end-to-end latency at fixed rates, memory and start-up time. Prints a Markdown table.

    bench.py KAFKA_LIB_FOLDER FRANZ_PROGRAM [REPEATS [kafka|drivers]]

With `drivers`, Pelton over io_uring is set beside Pelton over epoll instead. Rounds alternate between the two, so that a busy
minute hits both. A throughput takes a fraction of a second: it is taken three times in each round, each with a topic of its own.
The median of all is printed. What one wrote is removed, and the disk has done, before the other starts: neither waits for the
other's bytes.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from broker import Broker, free_port
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

LIB, FRANZ, REPEATS = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 3
KINDS = {"kafka": {"Pelton": (), "Kafka 4.1": None},
         "drivers": {"io_uring": ("--io", "io-uring"), "epoll": ("--io", "portable")}}[sys.argv[4] if len(sys.argv) > 4 else "kafka"]

TAKES = 3


class Kafka:
    def __init__(self):
        self.data, self.port, controller = tempfile.mkdtemp(prefix="kafka-"), free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        open(self.data + "/s.properties", "w").write(f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://{self.address}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={self.data}/logs
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
num.partitions=4
""")
        java = ["java", "-cp", LIB + "/*"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        uuid = subprocess.run([*java, "kafka.tools.StorageTool", "random-uuid"], capture_output=True, text=True).stdout.split()[-1]
        subprocess.run([*java, "kafka.tools.StorageTool", "format", "-t", uuid, "-c", self.data + "/s.properties"], check=True, **quiet)
        self.process = subprocess.Popen(["java", "-Xmx1g", "-cp", LIB + "/*", "kafka.Kafka", self.data + "/s.properties"], **quiet)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def ready(address):
    a = AdminClient({"bootstrap.servers": address, "log_level": 0})
    while True:
        try:
            if a.list_topics(timeout=1).brokers:
                return a
        except Exception:
            time.sleep(0.02)


def make(admin, topic):
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()


def produce(address, topic, size, count, acks, codec):
    p = Producer({"bootstrap.servers": address, "acks": acks, "compression.type": codec, "linger.ms": 5,
                  "queue.buffering.max.messages": 1_000_000, "enable.idempotence": False})
    value = (b"%064d" % 7 + os.urandom(64)) * (size // 128)
    p.produce(topic, value)
    p.flush(30)
    start = time.perf_counter()
    for i in range(count):
        while True:
            try:
                p.produce(topic, value)
                break
            except BufferError:
                p.poll(0.01)
    assert p.flush(60) == 0
    return count / (time.perf_counter() - start)


def consume(address, topic, count):
    c = Consumer({"bootstrap.servers": address, "group.id": "bench", "enable.auto.commit": False, "queued.min.messages": 1_000_000,
                  # With the default of 64 MB a fast broker fills the queue, and the client then waits a second.
                  "queued.max.messages.kbytes": 2_000_000})
    c.assign([TopicPartition(topic, 0, 0)])
    n, start = 0, None
    while n < count:
        n += len(c.consume(10_000, 1))
        start = start or time.perf_counter()
    took = time.perf_counter() - start
    c.close()
    return count / took


def latency(address, topic, rate, seconds):
    """By franz-go: Python cannot send and receive 20,000 records a second on its own."""
    out = subprocess.run([FRANZ, address, "latency", topic, str(rate), str(seconds)], capture_output=True, text=True, timeout=120)
    assert out.returncode == 0, out.stderr
    return map(float, out.stdout.split())


def resident_mb(pid):
    """Memory of its own, without mapped files: those are the page cache's, which Kafka uses as well and does not map."""
    return int(next(l for l in open(f"/proc/{pid}/status") if l.startswith("RssAnon")).split()[1]) / 1024


def processor_s(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(kind):
    start = time.perf_counter()
    flags = KINDS[kind]
    b = Kafka() if flags is None else Broker(*flags)
    admin = ready(b.address)
    if flags is None:
        # Without the formatting, which is done once.
        b.stop()
        start = time.perf_counter()
        b.process = subprocess.Popen(["java", "-Xmx1g", "-cp", LIB + "/*", "kafka.Kafka", b.data + "/s.properties"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        admin = ready(b.address)
    figures = {"start, s": time.perf_counter() - start}
    figures["memory at start, MB"] = resident_mb(b.process.pid)
    make(admin, "warm")
    produce(b.address, "warm", 128, 200_000, 1, "none")
    for take in range(TAKES):
        for size, count in ((128, 400_000), (1024, 200_000)):
            for acks in (1, "all"):
                for codec in ("none", "lz4", "zstd"):
                    topic = f"p-{size}-{acks}-{codec}-{take}"
                    make(admin, topic)
                    rate = produce(b.address, topic, size, count, acks, codec)
                    figures.setdefault(f"produce {size} B, acks={acks}, {codec}, records/s", []).append(rate)
            for codec in ("none", "lz4"):
                rate = consume(b.address, f"p-{size}-1-{codec}-{take}", count)
                figures.setdefault(f"consume {size} B, {codec}, records/s", []).append(rate)
    for rate in (1_000, 20_000):
        make(admin, f"l-{rate}")
        figures[f"end to end at {rate}/s, p50, ms"], figures[f"end to end at {rate}/s, p99, ms"] = latency(b.address, f"l-{rate}", rate, 5)
    figures["processor time of the broker, s"] = processor_s(b.process.pid)
    figures["memory after all, MB"] = resident_mb(b.process.pid)
    b.stop()
    shutil.rmtree(b.data)
    os.sync()
    return {name: found if isinstance(found, list) else [found] for name, found in figures.items()}


rounds = {kind: [] for kind in KINDS}
for _ in range(REPEATS):
    for kind in rounds:
        rounds[kind].append(measure(kind))
        print(kind, rounds[kind][-1], file=sys.stderr)
print(f"| | {' | '.join(KINDS)} | |\n|---|---:|---:|---:|")
for name in next(iter(rounds.values()))[0]:
    a, b = (statistics.median(x for r in rounds[k] for x in r[name]) for k in KINDS)
    show = (lambda x: f"{x:,.0f}") if a > 100 or b > 100 else (lambda x: f"{x:.1f}" if x > 10 else f"{x:.2f}")
    print(f"| {name} | {show(a)} | {show(b)} | {a / b:.2f} |")
