"""A real trackerd on a data directory of its own, for tests. Python's standard library only."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

START_DEADLINE_S = 60
STOP_DEADLINE_S = 60
LAST_WORDS = 25  # lines of a log
KNOWN = []       # the daemons of this program, for last_words


class Failure(Exception):
    """A reply that is not what the test asked for."""


def forget_ended():
    """What follows is not about the daemons that have ended."""
    KNOWN[:] = [daemon for daemon in KNOWN if daemon.process.poll() is None]


def last_words():
    """The ends of the logs of the daemons since forget_ended, for whoever has to understand a failure."""
    return "".join(f"---- the log of trackerd {daemon.process.pid} on port {daemon.port}, "
                   f"{'which runs' if daemon.process.poll() is None else f'which ended with {daemon.process.poll()}'}:\n"
                   + "".join(daemon.log_lines[-LAST_WORDS:]) for daemon in KNOWN[-3:])


def reserve_port():
    """A socket that holds a port of the kernel's choice, and does not listen: servers that reuse addresses may listen
    there, again and again, and nobody gets it in between."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


class Daemon:
    """Starts on a port that the kernel chooses and that stays its own; a context manager that stops it and removes the
    data."""

    def __init__(self, binary, data=None, options=(), env=None):
        self.binary = binary
        self.env = env
        self.owns_data = data is None
        self.data = data or tempfile.mkdtemp(prefix="trackerd-test-")
        self.options = list(options)
        self.process = None
        self.reserved = reserve_port()
        self.port = self.reserved.getsockname()[1]
        self.log_lines = []
        KNOWN.append(self)
        self.start()

    def start(self, port=0):
        """Returns when the daemon says that it listens: on the port that it had, unless another one is named."""
        self.process = subprocess.Popen(
            [self.binary, "--data", self.data, "--listen", f"127.0.0.1:{port or self.port}", *self.options],
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=self.env, text=True, errors="replace")
        listening = threading.Event()
        self.reader = threading.Thread(target=self._read_log, args=(self.process.stderr, listening), daemon=True)
        self.reader.start()
        deadline = time.monotonic() + START_DEADLINE_S
        while not listening.wait(0.01):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.reader.join(5)
                raise Failure(f"trackerd did not start, its status is {self.process.poll()}:\n"
                              + "".join(self.log_lines[-20:]))

    def _read_log(self, stream, listening):
        for line in stream:
            self.log_lines.append(line)
            match = re.search(r"event=listening .*\bport=(\d+)", line)
            if match:
                self.port = int(match.group(1))
                listening.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def kill(self):
        """kill -9: no chance to say goodbye."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_DEADLINE_S)
        self.reader.join(5)

    def stop(self):
        """SIGTERM, and the exit status, which must be 0."""
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(STOP_DEADLINE_S)
        self.reader.join(5)
        if status != 0:
            raise Failure(f"trackerd ended with status {status}:\n" + "".join(self.log_lines[-60:]))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            self.stop()
        finally:
            self.reserved.close()
            if self.owns_data:
                shutil.rmtree(self.data, ignore_errors=True)

    def connect(self):
        return Client(self.port)


class Client:
    """One keep-alive connection. Raises OSError or http.client.HTTPException when the daemon is away."""

    def __init__(self, port, timeout=60):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def raw(self, method, path, body=None, headers=None):
        """(status, headers, bytes)"""
        try:
            self.connection.request(method, path, body, headers or {})
        except BrokenPipeError:
            pass  # refused before all was sent: the reply says why
        reply = self.connection.getresponse()
        return reply.status, reply.headers, reply.read()

    def call(self, method, path, body=None, expect=200):
        """A JSON request to an MLflow path ("runs/create") or a whole one; the decoded reply."""
        if not path.startswith("/"):
            path = "/api/2.0/mlflow/" + path
        data = None if body is None else json.dumps(body)
        status, _, reply = self.raw(method, path, data, {"Content-Type": "application/json"} if data else {})
        if status != expect:
            raise Failure(f"{method} {path}: {status} instead of {expect}: {reply[:500]!r}")
        return json.loads(reply) if reply else None

    def close(self):
        self.connection.close()


def binary(argv, name="trackerd"):
    """The program under test from the folder that scripts/test hands to each test."""
    if len(argv) < 2:
        raise SystemExit(f"usage: {os.path.basename(argv[0])} FOLDER_OF_BINARIES")
    return os.path.join(argv[1], name)
