#!/usr/bin/env python3
"""kill -9 of the daemon while files come in parts, between parts and while they are made into one file.

After each restart every part that was acknowledged is still there, a file is whole or as it was, the upload goes on where
it stopped, and what nobody refers to is swept.

Usage: run_multipart_kill.py FOLDER_OF_BINARIES [KILLS]
"""
import hashlib
import http.client
import os
import random
import sqlite3
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from daemon import Daemon, Failure, binary  # noqa: E402

MPU = "/api/2.0/mlflow-artifacts/mpu/"
PROXY = "/api/2.0/mlflow-artifacts/artifacts/"
UPLOADS = "/api/trackerd/v1/uploads/"
AWAY = (OSError, http.client.HTTPException)
MIB = 1 << 20
PARTS = [random.Random(i).randbytes(size) for i, size in enumerate([1, 70000, MIB, MIB + 1, 5 * MIB + 3, 16 * MIB])]
WORKERS = 3
SWEEP_DEADLINE_S = 60


def etag_of(data):
    return f'"{hashlib.sha256(data).hexdigest()}"'


class Worker(threading.Thread):
    """Stores one file after the other at its path; what it knows survives the daemon."""

    def __init__(self, daemon, number, rng, before=None):
        super().__init__(daemon=True)
        self.daemon_under_test = daemon
        self.path = f"w{number}/f"
        self.rng = rng
        self.digests = before.digests if before else {None}  # of what may be at the path
        self.upload_id = before.upload_id if before else None
        self.parts = before.parts if before else []          # indexes into PARTS
        self.acknowledged = before.acknowledged if before else set()
        self.failure = None

    def run(self):
        try:
            client = self.daemon_under_test.connect()
            if self.upload_id:
                self.resume(client)
            while True:
                self.begin(client)
                self.put_missing(client)
                self.finish(client)
        except AWAY:
            pass
        except Exception as failure:  # belongs to the report of this test
            self.failure = failure

    def begin(self, client):
        self.upload_id = None
        self.parts = [self.rng.randrange(len(PARTS)) for _ in range(self.rng.randrange(1, 6))]
        self.acknowledged = set()
        body = {"path": "f", "num_parts": len(self.parts)}
        self.upload_id = client.call("POST", MPU + "create/" + os.path.dirname(self.path), body)["upload_id"]

    def put_missing(self, client):
        missing = [i for i in range(len(self.parts)) if i not in self.acknowledged]
        self.rng.shuffle(missing)
        for i in missing:
            data = PARTS[self.parts[i]]
            status, headers, body = client.raw("PUT", f"{UPLOADS}{self.upload_id}/parts/{i + 1}", data)
            if status != 200 or headers["ETag"] != etag_of(data):
                raise Failure(f"part {i + 1}: {status} {body[:200]!r}")
            self.acknowledged.add(i)

    def finish(self, client):
        contents = [PARTS[i] for i in self.parts]
        digest = hashlib.sha256(b"".join(contents)).hexdigest()
        parts = [{"part_number": i + 1, "etag": etag_of(data)} for i, data in enumerate(contents)]
        self.digests = self.digests | {digest}
        client.call("POST", MPU + "complete/" + os.path.dirname(self.path),
                    {"path": "f", "upload_id": self.upload_id, "parts": parts})
        self.digests = {digest}

    def resume(self, client):
        """What was acknowledged is there, and the rest makes the file whole."""
        view = client.call("GET", UPLOADS + self.upload_id)
        if not view["is_complete"]:
            stored = {part["part_number"] - 1: part["etag"] for part in view["parts"]}
            for i in self.acknowledged:
                if stored.get(i) != etag_of(PARTS[self.parts[i]]):
                    raise Failure(f"part {i + 1} was acknowledged; now there is {stored}")
            self.acknowledged = set(stored)
            self.put_missing(client)
        self.finish(client)  # also when it is complete: the reply may have been lost
        self.check_file(client)

    def check_file(self, client):
        status, _, body = client.raw("GET", PROXY + self.path)
        found = hashlib.sha256(body).hexdigest() if status == 200 else None if status == 404 else f"status {status}"
        if found not in self.digests:
            raise Failure(f"{self.path}: {found} instead of {self.digests}")


def check_rows(data):
    """Blobs have all their bytes, and nothing points at a blob that is not there."""
    with sqlite3.connect(f"file:{data}/artifacts.db?mode=ro", uri=True) as blobs, \
            sqlite3.connect(f"file:{data}/tracker.db?mode=ro", uri=True) as tracker:
        for db in (blobs, tracker):
            if db.execute("PRAGMA integrity_check").fetchone()[0] != "ok" or db.execute("PRAGMA foreign_key_check").fetchall():
                raise Failure("a database is damaged")
        sizes = dict(blobs.execute("SELECT blob_pk, size FROM blobs WHERE sha256 NOT NULL"))
        have = dict(blobs.execute("SELECT blob_pk, sum(length(data)) FROM blob_chunks GROUP BY blob_pk"))
        parts = dict(blobs.execute("SELECT p.blob_pk, sum(b.size) FROM blob_parts AS p JOIN blobs AS b"
                                   " ON b.blob_pk = p.part_pk GROUP BY p.blob_pk"))
        for blob_pk, size in sizes.items():
            if have.get(blob_pk, 0) + parts.get(blob_pk, 0) != size:
                raise Failure(f"blob {blob_pk} of {size} bytes has {have.get(blob_pk)} and {parts.get(blob_pk)}")
        for blob_pk, size in tracker.execute("SELECT blob_pk, size FROM artifact_files UNION ALL"
                                             " SELECT blob_pk, size FROM multipart_parts"):
            if have.get(blob_pk, 0) + parts.get(blob_pk, 0) != size:
                raise Failure(f"a row of {size} bytes points at blob {blob_pk}")


def unreferenced(data):
    with sqlite3.connect(f"file:{data}/artifacts.db?mode=ro", uri=True) as blobs, \
            sqlite3.connect(f"file:{data}/tracker.db?mode=ro", uri=True) as tracker:
        used = {pk for pk, in tracker.execute("SELECT blob_pk FROM artifact_files UNION SELECT blob_pk FROM multipart_parts")}
        used |= {pk for pk, in blobs.execute("SELECT part_pk FROM blob_parts")}
        return sum(pk not in used for pk, in blobs.execute("SELECT blob_pk FROM blobs"))


def round_of(daemon, seed, workers):
    rng = random.Random(seed)
    workers = [Worker(daemon, i, random.Random(seed * 100 + i), workers[i] if workers else None) for i in range(WORKERS)]
    for worker in workers:
        worker.start()
    time.sleep(rng.uniform(0.05, 1.5))  # the moment of death, not a wait for anything
    daemon.kill()
    for worker in workers:
        worker.join()
        if worker.failure:
            raise worker.failure
    check_rows(daemon.data)
    daemon.start()
    client = daemon.connect()
    for worker in workers:
        worker.check_file(client)
    client.close()
    deadline = time.monotonic() + SWEEP_DEADLINE_S
    while unreferenced(daemon.data) > 0:
        if time.monotonic() > deadline:
            raise Failure("unused blobs are not swept")
        time.sleep(0.02)
    return workers


def main():
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    workers = None
    passed = 0
    with Daemon(binary(sys.argv)) as daemon:
        try:
            for seed in range(kills):
                workers = round_of(daemon, seed, workers)
                passed += 1
        except Failure as failure:
            print(f"FAILED after {passed} kills: {failure}")
            print("".join(daemon.log_lines[-20:]))
    print(f"{passed} passed, {kills - passed} failed")
    return 0 if passed == kills else 1


if __name__ == "__main__":
    sys.exit(main())
