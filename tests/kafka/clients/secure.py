"""TLS and SASL with librdkafka and kafka-python: right passwords by every mechanism, and wrong ones.

    secure.py CERTIFICATE KEY USERS      (USERS holds bob:builder)
"""

import sys

import kafka
from broker import Broker
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

certificate, key, users = sys.argv[1:]
b = Broker("--tls-cert", certificate, "--tls-key", key, "--users", users)
for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
    config = {"bootstrap.servers": b.address, "security.protocol": "SASL_SSL", "ssl.ca.location": certificate,
              "sasl.mechanism": mechanism, "sasl.username": "bob", "sasl.password": "builder", "log_level": 0}
    p = Producer(config)
    p.produce("s", value=mechanism)
    assert p.flush(10) == 0, mechanism
    try:
        AdminClient(config | {"sasl.password": "wrong"}).list_topics(timeout=2)
        raise SystemExit(f"{mechanism}: a wrong password was taken")
    except Exception as e:
        assert "_TRANSPORT" in str(e) or "AUTHENTICATION" in str(e).upper(), e
    k = kafka.KafkaConsumer("s", bootstrap_servers=b.address, security_protocol="SASL_SSL", ssl_cafile=certificate,
                            sasl_mechanism=mechanism, sasl_plain_username="bob", sasl_plain_password="builder",
                            auto_offset_reset="earliest", consumer_timeout_ms=8000)
    assert next(iter(k)).value
    k.close()
b.stop()
print("TLS with PLAIN, SCRAM-SHA-256, SCRAM-SHA-512: right passwords work, wrong ones do not")
