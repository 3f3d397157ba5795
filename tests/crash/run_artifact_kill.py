#!/usr/bin/env python3
"""kill -9 of the daemon while files with few different contents are stored, replaced and deleted.

Few contents mean that uploads keep finding blobs that the sweep is just about to delete. After each restart every
acknowledged file has its bytes, no row points at nothing, and what nobody refers to is swept.

Usage: run_artifact_kill.py FOLDER_OF_BINARIES [KILLS]
"""
import hashlib
import http.client
import io
import os
import random
import sqlite3
import sys
import tarfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from daemon import Daemon, Failure, binary  # noqa: E402

PROXY = "/api/2.0/mlflow-artifacts/artifacts/"
ARCHIVE = "/api/trackerd/v1/archive/"
AWAY = (OSError, http.client.HTTPException)
MIB = 1 << 20
CONTENTS = [random.Random(i).randbytes(size) for i, size in
            enumerate([0, 1, 1000, 70000, MIB, MIB + 1, 3 * MIB + 5])]
DIGESTS = [hashlib.sha256(content).hexdigest() for content in CONTENTS]
WORKERS = 4


class Worker(threading.Thread):
    """Owns the paths below its number; knows for each what may be there: digests, None for no file."""

    def __init__(self, daemon, number, seed, known):
        super().__init__(daemon=True)
        self.daemon_under_test = daemon
        self.number = number
        self.rng = random.Random(seed)
        self.known = known  # path → set of digests or None
        self.failure = None

    def run(self):
        try:
            client = self.daemon_under_test.connect()
            while True:
                self.rng.choices([self.put, self.delete, self.put_archive], weights=[6, 3, 2])[0](client)
        except AWAY:
            pass
        except Exception as failure:  # belongs to the report of this test
            self.failure = failure

    def expect(self, reply, status):
        if reply[0] != status:
            raise Failure(f"{reply[0]} instead of {status}: {reply[2][:300]!r}")

    def put(self, client):
        path = f"w{self.number}/f{self.rng.randrange(6)}"
        which = self.rng.randrange(len(CONTENTS))
        self.known[path] = self.known.get(path, {None}) | {DIGESTS[which]}
        self.expect(client.raw("PUT", PROXY + path, CONTENTS[which]), 200)
        self.known[path] = {DIGESTS[which]}

    def delete(self, client):
        path = f"w{self.number}/f{self.rng.randrange(6)}"
        self.known[path] = self.known.get(path, {None}) | {None}
        self.expect(client.raw("DELETE", PROXY + path), 200)
        self.known[path] = {None}

    def put_archive(self, client):
        """Replaces a whole directory: all of the old files or all of the new ones."""
        base = f"w{self.number}/tree"
        out = io.BytesIO()
        names = {}
        with tarfile.open(fileobj=out, mode=self.rng.choice(["w", "w:gz"])) as tar:
            for i in range(self.rng.randrange(1, 5)):
                which = self.rng.randrange(5)
                info = tarfile.TarInfo(f"m{i}")
                info.size = len(CONTENTS[which])
                tar.addfile(info, io.BytesIO(CONTENTS[which]))
                names[f"{base}/m{i}"] = DIGESTS[which]
        paths = [f"{base}/m{i}" for i in range(5)]
        for path in paths:
            self.known[path] = self.known.get(path, {None}) | {names.get(path)}
        self.expect(client.raw("PUT", ARCHIVE + base + "?replace=true", out.getvalue()), 200)
        for path in paths:
            self.known[path] = {names.get(path)}


def check_files(daemon, known):
    client = daemon.connect()
    for path, allowed in known.items():
        status, _, body = client.raw("GET", PROXY + path)
        found = hashlib.sha256(body).hexdigest() if status == 200 else None if status == 404 else f"status {status}"
        if found not in allowed:
            raise Failure(f"{path}: {found} instead of {allowed}")
        known[path] = {found}
    client.close()


def check_rows(data):
    """Every file's range lies inside a blob whose chunks are all there."""
    with sqlite3.connect(f"file:{data}/artifacts.db?mode=ro", uri=True) as blobs, \
            sqlite3.connect(f"file:{data}/tracker.db?mode=ro", uri=True) as tracker:
        for name, db in (("artifacts.db", blobs), ("tracker.db", tracker)):
            if db.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                raise Failure(f"{name} is damaged")
        sizes = {pk: (size, count) for pk, size, count in blobs.execute(
            "SELECT blob_pk, sum(length(data)), count(*) FROM blob_chunks GROUP BY blob_pk")}
        known = {pk for pk, in blobs.execute("SELECT blob_pk FROM blobs")}
        for pk, offset, size in tracker.execute("SELECT blob_pk, blob_offset, size FROM artifact_files"):
            have, count = sizes.get(pk, (0, 0))
            if pk not in known or offset + size > have or count != -(-have // MIB):
                raise Failure(f"a file of {size} bytes at {offset} points into blob {pk} with {have} bytes")


def unreferenced(data):
    with sqlite3.connect(f"file:{data}/artifacts.db?mode=ro", uri=True) as blobs, \
            sqlite3.connect(f"file:{data}/tracker.db?mode=ro", uri=True) as tracker:
        used = {pk for pk, in tracker.execute("SELECT DISTINCT blob_pk FROM artifact_files")}
        return sum(pk not in used for pk, in blobs.execute("SELECT blob_pk FROM blobs"))


def round_of(daemon, seed, known):
    workers = [Worker(daemon, i, seed * 100 + i, known[i]) for i in range(WORKERS)]
    for worker in workers:
        worker.start()
    time.sleep(random.Random(seed).uniform(0.05, 1.0))  # the moment of death, not a wait for anything
    daemon.kill()
    for worker in workers:
        worker.join()
        if worker.failure:
            raise worker.failure
    check_rows(daemon.data)
    daemon.start()
    deadline = time.monotonic() + 60
    while unreferenced(daemon.data) > 0:
        if time.monotonic() > deadline:
            raise Failure("unused blobs are not swept")
        time.sleep(0.02)
    for worker in workers:
        check_files(daemon, worker.known)


def main():
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    known = [{} for _ in range(WORKERS)]
    passed = 0
    with Daemon(binary(sys.argv)) as daemon:
        try:
            for seed in range(kills):
                round_of(daemon, seed, known)
                passed += 1
        except Failure as failure:
            print(f"FAILED after {passed} kills: {failure}")
            print("".join(daemon.log_lines[-20:]))
    print(f"{passed} passed, {kills - passed} failed")
    return 0 if passed == kills else 1


if __name__ == "__main__":
    sys.exit(main())
