"""Pelton and a real Kafka broker, side by side: same client (librdkafka; franz-go for latency), same settings, same machine: produce
and consume throughput, end-to-end latency at fixed rates, memory and start-up time. Prints a Markdown table.

    bench.py KAFKA_LIB_FOLDER FRANZ_PROGRAM [REPEATS [kafka|drivers]]

With `drivers`, Pelton over io_uring is set beside Pelton over epoll instead. Both brokers run; each figure is taken of one and then of
the other, a fraction of a second each, so that whoever else wants the processors disturbs both alike; who comes first changes from
one take to the next. Before each the disk has done: neither waits for the other's bytes. A throughput is taken TAKES times in each
round, each with a topic of its own. The median of all is printed.
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


class Side:
    """One broker and what was seen of it."""

    def __init__(self, kind):
        flags = KINDS[kind]
        start = time.perf_counter()
        self.broker = Kafka() if flags is None else Broker(*flags)
        self.admin = ready(self.broker.address)
        if flags is None:
            # Without the formatting, which is done once.
            self.broker.stop()
            start = time.perf_counter()
            self.broker.process = subprocess.Popen(["java", "-Xmx1g", "-cp", LIB + "/*", "kafka.Kafka", self.broker.data + "/s.properties"],
                                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.admin = ready(self.broker.address)
        self.seen = {}
        self.note("start, s", time.perf_counter() - start)
        self.note("memory at start, MB", resident_mb(self.broker.process.pid))

    def note(self, name, figure):
        self.seen.setdefault(name, []).append(figure)

    def warm(self):
        make(self.admin, "warm")
        produce(self.broker.address, "warm", 128, 200_000, 1, "none")

    def produce(self, size, count, acks, codec, take):
        topic = f"p-{size}-{acks}-{codec}-{take}"
        make(self.admin, topic)
        os.sync()
        rate = produce(self.broker.address, topic, size, count, acks, codec)
        self.note(f"produce {size} B, acks={acks}, {codec}, records/s", rate)

    def consume(self, size, count, codec, take):
        # Half a second each: several, or chance decides.
        for _ in range(4):
            rate = consume(self.broker.address, f"p-{size}-1-{codec}-{take}", count)
            self.note(f"consume {size} B, {codec}, records/s", rate)

    def latency(self, rate, take):
        make(self.admin, f"l-{rate}-{take}")
        os.sync()
        p50, p99 = latency(self.broker.address, f"l-{rate}-{take}", rate, 2)
        self.note(f"end to end at {rate}/s, p50, ms", p50)
        self.note(f"end to end at {rate}/s, p99, ms", p99)

    def end(self):
        self.note("processor time of the broker, s", processor_s(self.broker.process.pid))
        self.note("memory after all, MB", resident_mb(self.broker.process.pid))
        self.broker.stop()
        shutil.rmtree(self.broker.data)
        os.sync()


def measure():
    sides = {kind: Side(kind) for kind in KINDS}
    order = list(sides.values())

    def each(step):
        for side in order:
            step(side)
        order.reverse()

    each(Side.warm)
    for take in range(TAKES):
        for size, count in ((128, 400_000), (1024, 200_000)):
            for acks in (1, "all"):
                for codec in ("none", "lz4", "zstd"):
                    # Compressed ones go quicker: more of them, or a pause of the client decides.
                    more = count if codec == "none" else 3 * count
                    each(lambda side: side.produce(size, more, acks, codec, take))
            for codec in ("none", "lz4"):
                each(lambda side: side.consume(size, count, codec, take))
        for rate in (1_000, 20_000):
            each(lambda side: side.latency(rate, take))
    for side in order:
        side.end()
    return {kind: side.seen for kind, side in sides.items()}


rounds = {kind: [] for kind in KINDS}
for _ in range(REPEATS):
    for kind, seen in measure().items():
        rounds[kind].append(seen)
        print(kind, seen, file=sys.stderr, flush=True)
print(f"| | {' | '.join(KINDS)} | |\n|---|---:|---:|---:|")
for name in next(iter(rounds.values()))[0]:
    a, b = (statistics.median(x for r in rounds[k] for x in r[name]) for k in KINDS)
    show = (lambda x: f"{x:,.0f}") if a > 100 or b > 100 else (lambda x: f"{x:.1f}" if x > 10 else f"{x:.2f}")
    print(f"| {name} | {show(a)} | {show(b)} | {a / b:.2f} |")
