"""Nothing acknowledged is lost and nothing is stored twice: with the broker killed again and again (kill -9 at random
moments, acks=all), and through a proxy that cuts connections: all of them, or after swallowing answers, or the answers' way
alone, so that requests still arrive.

    exactly.py kills TIMES | cuts TIMES | answers TIMES
"""

import random
import socket
import sys
import threading
import time

from broker import Broker, free_port
from confluent_kafka import Consumer, Producer, TopicPartition

seed = int(time.time())
print(f"seed {seed}")
random.seed(seed)


def read_all(address, topic):
    c = Consumer({"bootstrap.servers": address, "group.id": "reader", "enable.partition.eof": False})
    partitions = [TopicPartition(topic, p) for p in c.list_topics(topic, 10).topics[topic].partitions]
    ends = {p.partition: c.get_watermark_offsets(p)[1] for p in partitions}
    c.assign([TopicPartition(topic, p.partition, 0) for p in partitions])
    out, at = [], dict.fromkeys(ends, 0)
    deadline = time.time() + 60
    while any(at[p] < ends[p] for p in ends) and time.time() < deadline:
        for m in c.consume(1000, 1):
            assert not m.error(), m.error()
            out.append(m.value())
            at[m.partition()] = m.offset() + 1
    c.close()
    return out


def check(name, address, topic, acknowledged, sent):
    got = read_all(address, topic)
    assert len(got) == len(set(got)), f"{name}: {len(got) - len(set(got))} stored twice"
    missing = acknowledged - set(got)
    assert not missing, f"{name}: {len(missing)} acknowledged records are gone: {sorted(missing)[:3]}"
    # Every record was retried until it was acknowledged.
    assert len(acknowledged) == sent, f"{name}: {sent - len(acknowledged)} were never acknowledged"
    return len(got)


class Load:
    """Sends numbered records until told to stop; keeps those that were acknowledged."""

    def __init__(self, address, topic):
        self.p = Producer({"bootstrap.servers": address, "enable.idempotence": True, "acks": "all", "linger.ms": 1,
                           "message.timeout.ms": 120_000, "reconnect.backoff.ms": 5, "reconnect.backoff.max.ms": 50,
                           "retry.backoff.ms": 5, "socket.timeout.ms": 3_000, "log_level": 0})
        self.topic, self.sent, self.acknowledged, self.stopped = topic, 0, set(), False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopped:
            value = str(self.sent).encode()
            try:
                self.p.produce(self.topic, key=value, value=value, on_delivery=self.delivered)
                self.sent += 1
            except BufferError:
                self.p.poll(0.01)
            self.p.poll(0)
            if self.sent % 20 == 0:
                time.sleep(0.002)

    def delivered(self, error, message):
        assert error is None, error
        self.acknowledged.add(message.value())

    def finish(self):
        self.stopped = True
        self.thread.join()
        assert self.p.flush(90) == 0


def killed(times):
    b = Broker()
    load = Load(b.address, "k")
    for _ in range(times):
        time.sleep(random.uniform(0.02, 0.25))
        b.kill()
        b.start()
    load.finish()
    n = check("kill -9", b.address, "k", load.acknowledged, load.sent)
    b.stop()
    print(f"kill -9: {times} times, {n} records, each acknowledged one present and none twice")


class Proxy:
    """Forwards until told to cut: everything, or only the way of the answers."""

    def __init__(self, port, to):
        self.to, self.pairs, self.swallow, self.swallowed = to, [], False, 0
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                client.close()
                continue
            self.pairs.append((client, server))
            threading.Thread(target=self.pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, True), daemon=True).start()

    def pump(self, a, b, is_answer):
        try:
            while data := a.recv(65536):
                if is_answer and self.swallow:
                    self.swallowed += len(data)
                else:
                    b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def cut_answers(self):
        """The client sees its connection end; what it has sent is still handed on."""
        pairs, self.pairs = self.pairs, []
        for client, _ in pairs:
            try:
                client.shutdown(socket.SHUT_WR)
            except OSError:
                pass


def proxied(cuts, only_answers):
    port = free_port()
    b = Broker(advertise=f"127.0.0.1:{port}")
    proxy = Proxy(port, b.port)
    load = Load(f"127.0.0.1:{port}", "p")
    for i in range(cuts):
        time.sleep(random.uniform(0.02, 0.2))
        if only_answers:
            # Until an answer has really been lost.
            before, proxy.swallow = proxy.swallowed, True
            deadline = time.time() + 10
            while proxy.swallowed == before and time.time() < deadline:
                time.sleep(0.001)
            assert proxy.swallowed > before, "no answer came"
            proxy.cut_answers()
        else:
            proxy.cut()
        proxy.swallow = False
    load.finish()
    n = check("proxy", f"127.0.0.1:{port}", "p", load.acknowledged, load.sent)
    b.stop()
    what = "of the answers alone" if only_answers else "of whole connections"
    print(f"proxy: {cuts} cuts {what}: {n} records, none lost and none twice")


match sys.argv[1:]:
    case ["kills", times]:
        killed(int(times))
    case ["cuts" | "answers" as what, times]:
        proxied(int(times), what == "answers")
    case other:
        raise SystemExit(f"{other}: see the head of this file")
