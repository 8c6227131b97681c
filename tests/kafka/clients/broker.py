"""Starts, stops and kills `pelton serve` for the tests beside this file."""

import atexit
import os
import signal
import socket
import subprocess
import tempfile
import time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Broker:
    def __init__(self, *flags, advertise=None):
        self.data = tempfile.mkdtemp(prefix="pelton-")
        self.port = free_port()
        self.flags = list(flags) + (["--advertise", advertise] if advertise else [])
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        command = [os.environ["PELTON"], "serve", "--data", self.data, "--listen", self.address, *self.flags]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                        stderr=open(self.data + "/stderr", "a"))
        atexit.register(self.process.kill)
        deadline = time.time() + 20
        while time.time() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, open(self.data + "/stderr").read()
                time.sleep(0.01)
        raise AssertionError("the broker does not listen")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, open(self.data + "/stderr").read()

    def kill(self):
        self.process.kill()
        self.process.wait()
