#!/usr/bin/env python3
"""Slow, greedy and vanishing peers: the daemon answers everybody else at once, keeps its memory bounded, ends what is
hopeless, and nothing of a half request is stored.

Usage: run_bad_peers.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import contextlib
import json
import os
import re
import select
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Client, Daemon, binary  # noqa: E402

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"
DEADLINE_S = 60
ANSWER_MS_MAX = 1000  # others are answered so fast, also under sanitizers, by a machine that has nothing else to do
MIB = 1 << 20


def memory(daemon):
    """Resident bytes now."""
    with open(f"/proc/{daemon.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def is_sanitized(daemon):
    """Sanitizers keep freed memory: then figures of memory mean nothing."""
    with open(f"/proc/{daemon.process.pid}/maps") as file:
        return "san.so" in file.read()


def check_memory(daemon, before, growth_max):
    now = memory(daemon)
    print(f"        memory {before / MIB:.1f} → {now / MIB:.1f} MiB")
    check(is_sanitized(daemon) or now - before <= growth_max, f"memory grew by {(now - before) / MIB:.1f} MiB")


class Watch:
    """Somebody who behaves, asking all the time, in a process of its own: how long does the longest answer take?"""

    def __init__(self, daemon):
        self.daemon = daemon

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, __file__, "--watch", str(self.daemon.port)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        check(self.process.stdout.readline() == "asking\n", "the watch did not start")
        return self

    def __exit__(self, kind, value, trace):
        self.process.stdin.close()
        text = self.process.stdout.read()
        self.process.stdout.close()
        status = self.process.wait(DEADLINE_S)
        if kind is None:
            check(status == 0, "the watch failed")
            count, longest_ms, times, stall_ms = json.loads(text)
            print(f"        {count} answers to others, the slowest after {longest_ms:.0f} ms, on a machine that is "
                  f"{times:.1f} times slower than when it is idle, and whose disk takes up to {stall_ms:.0f} ms")
            check(count > 0 and longest_ms <= ANSWER_MS_MAX * times + 2 * stall_ms, f"an answer took {longest_ms:.0f} ms")


class Pace:
    """What the machine makes of a program that has nothing to do with the daemon: how long it waits for its turn, and
    for the disk."""

    def __init__(self):
        self.wall = self.cpu = self.stall = 0.0
        self.file = tempfile.TemporaryFile(buffering=0)

    def measure(self):
        wall, cpu = time.monotonic(), time.process_time()
        while time.process_time() - cpu < 0.001:
            pass
        self.cpu += time.process_time() - cpu
        self.wall += time.monotonic() - wall
        self.file.write(b"x")
        begin = time.monotonic()
        os.fdatasync(self.file)
        self.stall = max(self.stall, time.monotonic() - begin)

    def times_slower(self):
        return max(1.0, self.wall / self.cpu)


def watch(port):
    """The watch's process: asks until its standard input ends, then prints [answers, milliseconds of the slowest, times
    that the machine is slower, milliseconds that its disk took]."""
    client, pace = Client(port, timeout=DEADLINE_S), Pace()
    run_id = client.call("POST", "runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
    count, longest = 0, 0.0
    print("asking", flush=True)
    while not select.select([sys.stdin], [], [], 0.002)[0]:
        pace.measure()
        for method, path, body in (
                ("GET", "runs/get?run_id=" + run_id, None),
                ("POST", "runs/log-metric", {"run_id": run_id, "key": "m", "value": 1, "timestamp": count, "step": 1})):
            begin = time.monotonic()
            client.call(method, path, body)
            longest = max(longest, time.monotonic() - begin)
            count += 1
    client.close()
    print(json.dumps([count, longest * 1000, pace.times_slower(), pace.stall * 1000]))


def open_peer(daemon, data=b"", receive_bytes=None):
    peer = socket.socket()
    if receive_bytes:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    peer.connect(("127.0.0.1", daemon.port))
    peer.settimeout(DEADLINE_S)
    if data:
        peer.sendall(data)
    return peer


def reset(peer):
    """Vanishes with a reset instead of an end."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def read_to_end(peer):
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := peer.recv(65536):
            data += piece
    peer.close()
    return data


def metric(client, name):
    return float(re.search(rf"^{name} (\S+)$", client.raw("GET", "/metrics")[2].decode(), re.M).group(1))


def wait_until(condition, message):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        check(time.monotonic() < deadline, message)
        time.sleep(0.01)


def check_quiet(daemon):
    """All jobs are done, all connections but ours are gone."""
    client = daemon.connect()
    wait_until(lambda: metric(client, "trackerd_jobs_in_flight") == 0, "jobs are still in flight")
    wait_until(lambda: metric(client, "trackerd_connections_open") == 1, "connections are kept")
    client.close()


def check_nothing_half(daemon, allowed_blobs=0):
    """Pieces of uploads that never ended are swept."""
    def blobs():
        with contextlib.closing(sqlite3.connect(f"file:{daemon.data}/artifacts.db?mode=ro", uri=True)) as db:
            return db.execute("SELECT count(*) FROM blobs").fetchone()[0]
    wait_until(lambda: blobs() <= allowed_blobs, f"{blobs()} blobs are kept")


def refusal(data, status, code):
    head, _, body = data.partition(b"\r\n\r\n")
    check(head.startswith(b"HTTP/1.1 %d " % status), f"{status} expected: {data[:200]}")
    check(json.loads(body)["error_code"] == code and b"\r\nConnection: close" in head, f"{data[:400]}")


@case
def who_sends_a_whole_body_before_reading_still_gets_the_refusal(program):
    body = bytes(16 * MIB)
    head = f"POST /ajax-api/2.0/mlflow/upload-artifact HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    with Daemon(program) as daemon:
        for _ in range(20):
            peer = open_peer(daemon, head.encode())
            peer.sendall(body)
            check(read_to_end(peer).startswith(b"HTTP/1.1 400 "), "the refusal did not arrive")
        check_quiet(daemon)


@case
def slow_heads(program):
    """200 peers that send a byte of a head now and then get 408 in time; others notice nothing."""
    with Daemon(program, options=["--head-timeout-ms", "1000"]) as daemon, Watch(daemon):
        before = memory(daemon)
        peers = [open_peer(daemon, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ") for _ in range(200)]
        begin = time.monotonic()
        trickle(peers, begin + 0.8)
        check_memory(daemon, before, 8 * MIB)
        for peer in peers:
            refusal(read_to_end(peer), 408, "REQUEST_TIMEOUT")
        check(time.monotonic() - begin < 20, "the head's time-out is not kept")


def trickle(peers, until):
    while time.monotonic() < until:
        for peer in peers:
            with contextlib.suppress(OSError):
                peer.send(b"x")
        time.sleep(0.05)


@case
def half_bodies(program):
    """Bodies that stop half way get 408; of peers that vanish nothing is stored."""
    with Daemon(program, options=["--body-timeout-ms", "1000"]) as daemon:
        with Watch(daemon):
            send_halves(daemon)
        check_nothing_half(daemon)
        check_quiet(daemon)


def send_halves(daemon):
    before = memory(daemon)
    json_head = b"POST /api/2.0/mlflow/runs/log-batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n{"
    put_head = b"PUT %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n"
    chunked_head = b"PUT %s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
    waiting = [open_peer(daemon, json_head) for _ in range(20)]
    for number in range(10):
        path = f"{ARTIFACTS}half/{number}.bin".encode()
        waiting.append(open_peer(daemon, put_head % path + os.urandom(2 * MIB)))
        waiting.append(open_peer(daemon, chunked_head % path))
        waiting.append(open_peer(daemon, put_head % path.replace(b"/api/2.0/mlflow-artifacts/artifacts",
                                                                 b"/api/trackerd/v1/archive") + os.urandom(1000)))
        reset(open_peer(daemon, json_head))
        reset(open_peer(daemon, put_head % path + os.urandom(3 * MIB)))
        open_peer(daemon, put_head % path + os.urandom(MIB)).close()
        open_peer(daemon, chunked_head % path).close()
    check_memory(daemon, before, 64 * MIB)
    for peer in waiting:
        refusal(read_to_end(peer), 408, "REQUEST_TIMEOUT")
    listed = daemon.connect().call("GET", ARTIFACTS[:-1] + "?path=half")
    check(listed.get("files", []) == [], f"stored: {listed}")


@case
def greedy_downloads(program):
    """40 peers ask for 64 MiB each and never read: memory stays, others are served, they are cut in the end."""
    with Daemon(program, options=["--body-timeout-ms", "1500"]) as daemon:
        client = daemon.connect()
        content = os.urandom(64 * MIB)
        check(client.raw("PUT", ARTIFACTS + "x/big.bin", content)[0] == 200, "not stored")
        client.close()
        before = memory(daemon)
        targets = [ARTIFACTS + "x/big.bin", "/api/trackerd/v1/archive/x?format=tar"]
        with Watch(daemon):
            peers = [open_peer(daemon, f"GET {targets[n % 2]} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), 4096)
                     for n in range(40)]
            for peer in peers:
                begin = peer.recv(15)
                check(begin == b"HTTP/1.1 200 OK", f"the reply begins with {begin}")
            check_memory(daemon, before, 160 * MIB)
            again = daemon.connect()
            check(again.raw("GET", ARTIFACTS + "x/big.bin")[2] == content, "a reader that reads gets other bytes")
            again.close()
            wait_until(lambda: sum("peer_does_not_read" in line for line in daemon.log_lines) == 40, "they are never cut")
        for peer in peers:
            check(len(read_to_end(peer)) < 16 * MIB, "cut, and yet all was sent")
        check_quiet(daemon)
        check_memory(daemon, before, 64 * MIB)


@case
def greedy_pipelines(program):
    """Peers that pipeline thousands of requests and do not read hold little; one that reads gets all answers in order."""
    request = b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with Daemon(program, options=["--body-timeout-ms", "2000"]) as daemon:
        before = memory(daemon)
        with Watch(daemon):
            greedy = [open_peer(daemon, receive_bytes=4096) for _ in range(20)]
            for peer in greedy:
                peer.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while True:
                        peer.send(request * 1000)
            reader = open_peer(daemon)
            sender = threading.Thread(target=reader.sendall, args=(request * 20000,))
            sender.start()
            data, count = b"", 0
            while count < 20000:
                piece = reader.recv(1 << 20)
                check(piece, f"ended after {count} answers")
                data += piece
                done = data.rfind(b"\r\n\r\n3.3.2")
                count += data.count(b"\r\n\r\n3.3.2")
                data = data[done + 9:] if done >= 0 else data
            sender.join()
            reader.close()
            check_memory(daemon, before, 32 * MIB)
            wait_until(lambda: sum("peer_does_not_read" in line for line in daemon.log_lines) == 20, "they are never cut")
        for peer in greedy:
            peer.close()


@case
def idle_connections(program):
    """500 idle connections cost little and slow nobody; they are closed when their time is over."""
    with Daemon(program, options=["--idle-timeout-ms", "3000"]) as daemon:
        before = memory(daemon)
        with Watch(daemon):
            peers = [open_peer(daemon, b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(500)]
            for peer in peers:
                check(peer.recv(4096).endswith(b"3.3.2"), "not served")
            print(f"        {(memory(daemon) - before) / 1024 / 500:.1f} KiB a connection")
            check_memory(daemon, before, 16 * MIB)
            for peer in peers:
                check(read_to_end(peer) == b"", "more than an end")
        check_quiet(daemon)


@case
def too_many_connections(program):
    """Beyond --connections-max new ones are told so with 503 and Retry-After; when one goes, the next is served."""
    with Daemon(program, options=["--connections-max", "10"]) as daemon:
        peers = [open_peer(daemon, b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(10)]
        for peer in peers:
            check(peer.recv(4096).endswith(b"3.3.2"), "not served")
        data = read_to_end(open_peer(daemon))
        refusal(data, 503, "TEMPORARILY_UNAVAILABLE")
        check(b"\r\nRetry-After: " in data, data)
        flood = [open_peer(daemon) for _ in range(200)]
        for peer in flood:
            read_to_end(peer)
        peers.pop().close()
        wait_until(lambda: is_served(daemon), "nobody is served")
        check(daemon.process.poll() is None, "the daemon died")
        for peer in peers:
            peer.close()


def is_served(daemon):
    peer = open_peer(daemon)
    with contextlib.suppress(OSError):
        peer.sendall(b"GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    return read_to_end(peer).endswith(b"3.3.2")


@case
def vanishing_in_every_moment(program):
    """Peers that ask for everything and vanish at once, with and without a reset: nothing is left behind."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        run_id = client.call("POST", "runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
        for first in range(0, 20000, 1000):
            client.call("POST", "runs/log-batch", {"run_id": run_id, "metrics": [
                {"key": "m", "value": s, "timestamp": s, "step": s} for s in range(first, first + 1000)]})
        check(client.raw("PUT", ARTIFACTS + "x/some.bin", os.urandom(4 * MIB))[0] == 200, "not stored")
        client.close()
        body = json.dumps({"run_id": run_id, "key": "n", "value": 1, "timestamp": 1, "step": 1})
        requests = [
            f"GET /api/2.0/mlflow/metrics/get-history?run_id={run_id}&metric_key=m HTTP/1.1\r\nHost: localhost\r\n\r\n",
            f"GET {ARTIFACTS}x/some.bin HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET /api/trackerd/v1/archive/x?format=tar.gz HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET /api/trackerd/v1/archive/x?format=zip HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            f"POST /api/2.0/mlflow/runs/log-metric HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}",
            f"PUT {ARTIFACTS}x/some.bin HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n",
        ]
        before = memory(daemon)
        with Watch(daemon):
            for number in range(280):
                peer = open_peer(daemon, requests[number % 7].encode())
                if number % 3 == 0:
                    peer.recv(100)
                (reset if number % 2 else socket.socket.close)(peer)
        check_quiet(daemon)
        check_memory(daemon, before, 48 * MIB)
        check_nothing_half(daemon, allowed_blobs=1)


@case
def crumbs(program):
    """Uploads in pieces of a byte, heads in pieces of a byte: slow, and right."""
    with Daemon(program) as daemon, Watch(daemon):
        content = os.urandom(3000)
        peer = open_peer(daemon)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"PUT %scrumbs.bin HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" % ARTIFACTS.encode():
            peer.send(bytes([byte]))
        for byte in content:
            peer.send(b"1\r\n" + bytes([byte]) + b"\r\n")
        peer.send(b"0\r\n\r\n")
        check(peer.recv(4096).startswith(b"HTTP/1.1 200"), "not stored")
        peer.close()
        client = daemon.connect()
        check(client.raw("GET", ARTIFACTS + "crumbs.bin")[2] == content, "other bytes")
        client.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--watch"]:
        sys.exit(watch(int(sys.argv[2])))
    run_cases(binary(sys.argv), only=sys.argv[2] if len(sys.argv) > 2 else "")
