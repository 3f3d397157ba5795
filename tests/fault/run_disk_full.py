#!/usr/bin/env python3
"""A full disk: writes are refused with STORAGE_FULL, reads go on, and after making room everything works again, with
nothing lost that was acknowledged.

The data directory lies on a small tmpfs that is really filled; who may not mount does so in a name space of its own.

Usage: run_disk_full.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import contextlib
import hashlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, binary  # noqa: E402

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"
TMPFS_BYTES = 48 << 20
DEADLINE_S = 60
WRITERS = 4


class NoMount(Exception):
    """Mounting is not allowed here."""


@contextlib.contextmanager
def small_disk():
    path = tempfile.mkdtemp(prefix="trackerd-disk-")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", path], capture_output=True)
    try:
        if mounted.returncode != 0:
            raise NoMount(mounted.stderr.decode().strip())
        yield path
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", path], check=True)
        os.rmdir(path)


class FullDisk:
    """Room on a disk, and a file that takes all of it."""

    def __init__(self, disk):
        self.filler = os.path.join(disk, "filler")

    def fill(self):
        with open(self.filler, "wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while file.write(bytes(65536)) == 65536:
                    pass
            with contextlib.suppress(OSError):
                while file.write(b"x") == 1:
                    pass

    def make_room(self):
        os.unlink(self.filler)


class Log:
    """What was acknowledged of one run."""

    def __init__(self, client):
        info = client.call("POST", "runs/create", {"experiment_id": "0"})["run"]["info"]
        self.run_id = info["run_id"]
        self.prefix = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
        self.steps = set()
        self.refused_steps = set()
        self.files = {}
        self.refused_files = set()
        self.next_step = 0

    def batch(self, client, points=200):
        """Logs a batch of one transaction; its status."""
        steps = range(self.next_step, self.next_step + points)
        self.next_step += points
        body = {"run_id": self.run_id, "metrics": [
            {"key": "loss", "value": 1 / (s + 1), "timestamp": 1700000000000 + s * 977, "step": s} for s in steps]}
        status = expect_room_or_full(client, "POST", "/api/2.0/mlflow/runs/log-batch", json.dumps(body))
        (self.steps if status == 200 else self.refused_steps).update(steps)
        return status

    def file(self, client, name, data):
        path = f"{self.prefix}/{name}"
        status = expect_room_or_full(client, "PUT", ARTIFACTS + path, data)
        if status == 200:
            self.files[path] = hashlib.sha256(data).hexdigest()
            self.refused_files.discard(path)
        else:
            self.refused_files.add(path)
        return status

    def check(self, client):
        reply = client.call("GET", f"metrics/get-history?run_id={self.run_id}&metric_key=loss")
        rows = [m["step"] for m in reply.get("metrics", [])]
        check(len(rows) == len(set(rows)), "a point is there twice")
        check(self.steps <= set(rows), f"{len(self.steps - set(rows))} acknowledged points are lost")
        half = self.refused_steps & set(rows)
        check(not half, f"{len(half)} points of refused batches are there")
        for path, digest in self.files.items():
            status, _, body = client.raw("GET", ARTIFACTS + path)
            check(status == 200 and hashlib.sha256(body).hexdigest() == digest, f"{path}: {status}")
        for path in self.refused_files:
            check(client.raw("GET", ARTIFACTS + path)[0] == 404, f"{path} was refused and is there")


def expect_room_or_full(client, method, path, body):
    status, _, reply = client.raw(method, path, body)
    if status != 200:
        error = json.loads(reply)
        check(status == 507 and error["error_code"] == "STORAGE_FULL", f"{method} {path}: {status} {reply}")
        check("disk is full" in error["message"], reply)
    return status


def until(status, attempt, message):
    deadline = time.monotonic() + DEADLINE_S
    while attempt() != status:
        check(time.monotonic() < deadline, message)


def check_reads(client, log):
    log.check(client)
    check(client.raw("GET", "/health")[0] == 200, "not healthy")
    check(client.raw("GET", "/metrics")[0] == 200, "no metrics")
    found = client.call("POST", "runs/search", {"experiment_ids": ["0"], "filter": "metrics.loss < 10"})["runs"]
    check(log.run_id in [run["info"]["run_id"] for run in found], "the search finds nothing")


def check_databases(data):
    for name in ("tracker.db", "artifacts.db"):
        with contextlib.closing(sqlite3.connect(f"file:{data}/{name}?mode=ro", uri=True)) as db:
            check(db.execute("PRAGMA integrity_check").fetchall() == [("ok",)], f"{name} is damaged")


@case
def full_disk(program):
    """A disk without room: 507 for points, runs and files; reads go on; three times over."""
    with small_disk() as disk:
        data, room = os.path.join(disk, "data"), FullDisk(disk)
        with Daemon(program, data) as daemon:
            client = daemon.connect()
            log = Log(client)
            check(log.batch(client) == 200 and log.file(client, "first.bin", os.urandom(300000)) == 200, "no room at first")
            for number in range(3):
                room.fill()
                refuse_everything(client, log, f"big-{number}.bin")
                check_reads(client, log)
                room.make_room()
                check(log.batch(client) == 200, "no room after making room")
                check(log.file(client, f"big-{number}.bin", os.urandom(300000)) == 200, "no room for a file")
                check_reads(client, log)
            client.close()
        with Daemon(program, data) as daemon:
            client = daemon.connect()
            check_reads(client, log)
            client.close()
        check_databases(data)


def refuse_everything(client, log, name):
    until(507, lambda: log.batch(client), "points were taken for ever")
    check(log.file(client, name, os.urandom(8 << 20)) == 507, "a big file was taken")
    body = json.dumps({"experiment_id": "0", "tags": [{"key": f"k{i}", "value": "v" * 8000} for i in range(90)]})
    until(507, lambda: expect_room_or_full(client, "POST", "/api/2.0/mlflow/runs/create", body), "runs were taken for ever")


@case
def disk_that_fails(program):
    """A write error at commit (a limit on the size of files gives one): read-only, said in /health, until the restart."""
    data = tempfile.mkdtemp(prefix="trackerd-limit-")
    try:
        with Daemon(program, data) as daemon:
            client = daemon.connect()
            log = Log(client)
            check(log.batch(client) == 200, "not at first")
            limit = os.path.getsize(os.path.join(data, "tracker.db-wal")) + 10000
            resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            until(503, lambda: write_to_failing_disk(client, log), "never read-only")
            status, _, body = client.raw("GET", "/health")
            check(status == 503 and body.startswith(b"READ-ONLY"), f"/health: {status} {body}")
            log.refused_steps.clear()  # one of them failed while it was made durable: it may be there
            log.check(client)
            client.close()
            # Stopping writes the log back into the file.
            resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        with Daemon(program, data) as daemon:
            client = daemon.connect()
            check(log.batch(client) == 200, "not after the restart")
            check_reads(client, log)
            client.close()
        check_databases(data)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def write_to_failing_disk(client, log):
    steps = range(log.next_step, log.next_step + 100)
    log.next_step += 100
    body = {"run_id": log.run_id, "metrics": [{"key": "loss", "value": s, "timestamp": 1, "step": s} for s in steps]}
    status, _, reply = client.raw("POST", "/api/2.0/mlflow/runs/log-batch", json.dumps(body))
    if status == 200:
        log.steps.update(steps)
    else:
        check(status in (500, 503, 507) and json.loads(reply)["message"], f"{status} {reply}")
        check(status != 503 or b"read-only" in reply, reply)
    return status


class Writer(threading.Thread):
    def __init__(self, daemon, stop):
        super().__init__(daemon=True)
        self.client = daemon.connect()
        self.log = Log(self.client)
        self.stop = stop
        self.counts = {200: 0, 507: 0}
        self.failure = None

    def run(self):
        try:
            while not self.stop.is_set():
                self.counts[self.log.batch(self.client, 20)] += 1
                if self.counts[200] % 50 == 10:
                    name = f"{sum(self.counts.values())}.bin"
                    self.counts[self.log.file(self.client, name, os.urandom(40000))] += 1
        except Exception as failure:  # belongs to the report
            self.failure = failure


@case
def full_under_load(program):
    """The disk fills and empties while several connections write, so that groups of requests break."""
    with small_disk() as disk:
        data, room = os.path.join(disk, "data"), FullDisk(disk)
        with Daemon(program, data) as daemon:
            stop = threading.Event()
            writers = [Writer(daemon, stop) for _ in range(WRITERS)]
            for writer in writers:
                writer.start()
            for _ in range(4):
                for status, act in ((507, room.fill), (200, room.make_room)):
                    act()
                    goal = [w.counts[status] + 5 for w in writers]
                    until(True, lambda: time.sleep(0.005) or all(
                        w.counts[status] >= g or w.failure for w, g in zip(writers, goal)), f"no {status} came")
            stop.set()
            for writer in writers:
                writer.join(DEADLINE_S)
                check(writer.failure is None, f"{writer.failure}")
                writer.log.check(writer.client)
                writer.client.close()
            print("        answered:", ", ".join(f"{sum(w.counts[s] for w in writers)} × {s}" for s in (200, 507)))
        with Daemon(program, data) as daemon:
            client = daemon.connect()
            for writer in writers:
                writer.log.check(client)
            client.close()
        check_databases(data)


@case
def start_without_room(program):
    """Starting on a full disk is a clear sentence or works; with room again it works."""
    with small_disk() as disk:
        room = FullDisk(disk)
        with Daemon(program, os.path.join(disk, "old")) as daemon:
            client = daemon.connect()
            log = Log(client)
            log.batch(client)
            client.close()
        room.fill()
        for name in ("new", "old"):
            data = os.path.join(disk, name)
            done = subprocess.Popen([program, "--data", data, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
            text = ""
            while "event=listening" not in text and "trackerd: " not in text and done.poll() is None:
                text += done.stderr.readline()
            if "event=listening" in text:
                done.send_signal(signal.SIGTERM)
            check(done.wait(DEADLINE_S) == (0 if "event=listening" in text else 1), f"{name}: {text}")
            text += done.stderr.read()
            done.stderr.close()
            check("event=listening" in text or "disk is full" in text, f"{name}: {text}")
        room.make_room()
        for name in ("new", "old"):
            with Daemon(program, os.path.join(disk, name)) as daemon:
                client = daemon.connect()
                if name == "old":
                    log.check(client)
                Log(client).batch(client)
                client.close()


def main():
    try:
        with small_disk():
            pass
    except NoMount as reason:
        alone = ["unshare", "--user", "--map-root-user", "--mount"]
        if "IN_NAME_SPACE" in os.environ or subprocess.run(alone + ["true"], capture_output=True).returncode != 0:
            sys.exit(f"this test has to fill a disk, and may not mount one: {reason}")
        os.environ["IN_NAME_SPACE"] = "1"
        os.execvp("unshare", alone + [sys.executable] + sys.argv)
    run_cases(binary(sys.argv), only=sys.argv[2] if len(sys.argv) > 2 else "")


if __name__ == "__main__":
    main()
