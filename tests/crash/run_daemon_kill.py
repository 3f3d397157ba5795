#!/usr/bin/env python3
"""kill -9 of the daemon at random moments under load: everything that was acknowledged must be there afterwards, and
what was under way must be there as a whole or not at all.

Usage: run_daemon_kill.py FOLDER_OF_BINARIES [ROUNDS [SEED]]
"""
import contextlib
import hashlib
import http.client
import io
import json
import os
import random
import shutil
import sqlite3
import sys
import tarfile
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, Failure, binary  # noqa: E402

WRITERS = 4
DATABASES_EVERY = 5  # rounds
SWEEP_DEADLINE_S = 60
AWAY = (OSError, http.client.HTTPException)


class Acknowledged:
    """What the daemon said yes to, by run."""

    def __init__(self):
        self.runs = {}       # run_id → artifact path prefix
        self.points = {}     # run_id → {(key, timestamp, step, value)}
        self.params = {}     # run_id → {key: value}
        self.artifacts = {}  # proxy path → sha256
        self.versions = set()  # (model, version)
        self.answers = {}      # path of a thing → members that a GET must show
        self.outputs = {}      # run_id → {model_id}
        self.lock = threading.Lock()


def tarball(rng):
    """A tar of two small files, and their digests by name."""
    out, digests = io.BytesIO(), {}
    with tarfile.open(fileobj=out, mode="w:gz" if rng.random() < 0.5 else "w") as archive:
        for name in ("weights.bin", "sub/readme.txt"):
            data = rng.randbytes(rng.randrange(1, 20000))
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
            digests[name] = hashlib.sha256(data).hexdigest()
    return out.getvalue(), digests


class Writer(threading.Thread):
    """Writes until the daemon goes away, noting what was acknowledged."""

    def __init__(self, daemon, acknowledged, seed, stop):
        super().__init__(daemon=True)
        self.client = daemon.connect()
        self.ack = acknowledged
        self.rng = random.Random(seed)
        self.stop = stop
        self.failure = None
        self.step = 0
        self.batch_under_way = None    # (points, params)
        self.archive_under_way = None  # (proxy path, digests by name)
        self.file_under_way = None     # (proxy path, digest)

    def run(self):
        try:
            self.begin_run()
            actions = [self.log_metric, self.log_batch, self.log_param, self.put_file, self.put_archive,
                       self.register, self.log_model, self.log_trace, self.add_webhook]
            while not self.stop.is_set():
                self.rng.choices(actions, weights=[6, 6, 4, 3, 2, 1, 3, 3, 1])[0]()
        except AWAY:
            pass
        except Exception as failure:  # whatever went wrong belongs to the report of this test
            self.failure = failure

    def begin_run(self):
        info = self.client.call("POST", "runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]
        self.run_id = info["run_id"]
        self.prefix = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
        with self.ack.lock:
            self.ack.runs[self.run_id] = self.prefix
            self.ack.points[self.run_id] = set()
            self.ack.params[self.run_id] = {}
            self.ack.outputs[self.run_id] = set()

    def point(self):
        self.step += 1
        return ("loss", self.step, self.step, self.rng.random())

    def log_metric(self):
        key, timestamp, step, value = self.point()
        self.client.call("POST", "runs/log-metric",
                         {"run_id": self.run_id, "key": key, "timestamp": timestamp, "step": step, "value": value})
        self.ack.points[self.run_id].add((key, timestamp, step, value))

    def log_batch(self):
        points = [self.point() for _ in range(self.rng.randrange(1, 200))]
        params = {f"p{self.step}": str(self.rng.random())}
        self.batch_under_way = (points, params)
        self.client.call("POST", "runs/log-batch", {
            "run_id": self.run_id,
            "metrics": [dict(zip(("key", "timestamp", "step", "value"), p)) for p in points],
            "params": [{"key": k, "value": v} for k, v in params.items()]})
        self.ack.points[self.run_id].update(points)
        self.ack.params[self.run_id].update(params)
        self.batch_under_way = None

    def log_param(self):
        self.step += 1
        key, value = f"q{self.step}", str(self.rng.random())
        self.client.call("POST", "runs/log-parameter", {"run_id": self.run_id, "key": key, "value": value})
        self.ack.params[self.run_id][key] = value

    def put_file(self):
        self.step += 1
        data = self.rng.randbytes(self.rng.choice([0, 10, 5000, 300000, 2500000]))
        path = f"{self.prefix}/files/{self.step}.bin"
        self.file_under_way = (path, hashlib.sha256(data).hexdigest())
        status, _, reply = self.client.raw("PUT", "/api/2.0/mlflow-artifacts/artifacts/" + path, data)
        if status != 200:
            raise Failure(f"PUT {path}: {status} {reply!r}")
        with self.ack.lock:
            self.ack.artifacts[path] = self.file_under_way[1]
        self.file_under_way = None

    def put_archive(self):
        self.step += 1
        body, digests = tarball(self.rng)
        path = f"{self.prefix}/model{self.step}"
        self.archive_under_way = (path, digests)
        status, _, reply = self.client.raw("PUT", "/api/trackerd/v1/archive/" + path, body)
        if status != 200:
            raise Failure(f"PUT archive {path}: {status} {reply!r}")
        with self.ack.lock:
            for name, digest in digests.items():
                self.ack.artifacts[f"{path}/{name}"] = digest
        self.archive_under_way = None

    def register(self):
        name = f"model-{self.run_id[:8]}"
        try:
            self.client.call("POST", "registered-models/create", {"name": name})
        except Failure as failure:
            if "RESOURCE_ALREADY_EXISTS" not in str(failure):
                raise
        version = self.client.call("POST", "model-versions/create", {
            "name": name, "source": f"mlflow-artifacts:/{self.prefix}/model", "run_id": self.run_id})
        with self.ack.lock:
            self.ack.versions.add((name, version["model_version"]["version"]))

    def acknowledge(self, path, members):
        """From now on a GET of `path` shows these members."""
        with self.ack.lock:
            self.ack.answers.setdefault(path, {}).update(members)

    def log_model(self):
        """A logged model with a parameter; it is an output of the run; then it is ready, and tagged."""
        self.step += 1
        model = self.client.call("POST", "logged-models", {
            "experiment_id": "0", "name": f"m{self.step}", "source_run_id": self.run_id,
            "params": [{"key": "p", "value": str(self.step)}]})["model"]["info"]["model_id"]
        path = f"/api/2.0/mlflow/logged-models/{model}"
        self.acknowledge(path, {"name": f"m{self.step}", "params": [{"key": "p", "value": str(self.step)}]})
        self.client.call("POST", "runs/outputs", {"run_id": self.run_id,
                                                  "models": [{"model_id": model, "step": self.step}]})
        self.ack.outputs[self.run_id].add(model)
        self.client.call("PATCH", path, {"model_id": model, "status": "LOGGED_MODEL_READY"})
        self.acknowledge(path, {"status": "LOGGED_MODEL_READY"})
        self.client.call("PATCH", path + "/tags", {"tags": [{"key": "t", "value": "1"}]})
        self.acknowledge(path, {"tags": [{"key": "t", "value": "1"}]})

    def log_trace(self):
        """A trace, a tag of it, and an assessment of it."""
        self.step += 1
        trace_id = f"tr-{self.run_id}-{self.step}"
        path = f"/api/3.0/mlflow/traces/{trace_id}"
        self.client.call("POST", "/api/3.0/mlflow/traces", {"trace": {"trace_info": {
            "trace_id": trace_id, "request_time": "2026-01-01T00:00:00Z", "state": "OK", "trace_metadata": {"k": "v"},
            "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}}}})
        self.acknowledge(path, {"state": "OK", "trace_metadata": {"k": "v"}})
        self.client.call("PATCH", path + "/tags", {"key": "t", "value": str(self.step)})
        self.acknowledge(path, {"t": str(self.step)})
        made = self.client.call("POST", path + "/assessments", {"assessment": {
            "assessment_name": "good", "source": {"source_type": "HUMAN", "source_id": "h"},
            "feedback": {"value": self.step}}})["assessment"]["assessment_id"]
        self.acknowledge(f"{path}/assessments/{made}", {"feedback": {"value": self.step}})

    def add_webhook(self):
        """A webhook for an event that does not come here: nothing is sent."""
        self.step += 1
        name = f"hook-{self.step}"
        hook = self.client.call("POST", "webhooks", {
            "name": name, "url": "https://hooks.example/x",
            "events": [{"entity": "PROMPT", "action": "CREATED"}]})["webhook"]["webhook_id"]
        path = f"/api/2.0/mlflow/webhooks/{hook}"
        self.acknowledge(path, {"name": name})
        self.client.call("PATCH", path, {"status": "DISABLED"})
        self.acknowledge(path, {"status": "DISABLED"})


def check(condition, message):
    if not condition:
        raise Failure(message)


def read_run(client, run_id):
    """(points of "loss" in order, params)"""
    data = client.call("GET", f"runs/get?run_id={run_id}")["run"]["data"]
    reply = client.call("GET", f"metrics/get-history?run_id={run_id}&metric_key=loss")
    points = [(m["key"], m["timestamp"], m["step"], m["value"]) for m in reply.get("metrics", [])]
    return points, {p["key"]: p["value"] for p in data.get("params", [])}


def check_run(client, ack, run_id):
    rows, params = read_run(client, run_id)
    for key, value in ack.params[run_id].items():
        check(params.get(key) == value, f"run {run_id}: param {key} is {params.get(key)} instead of {value}")
    check(len(rows) == len(set(rows)), f"run {run_id}: a point is there twice")
    run = client.call("GET", f"runs/get?run_id={run_id}")["run"]
    outputs = {m["model_id"] for m in run.get("outputs", {}).get("model_outputs", [])}
    check(ack.outputs[run_id] <= outputs, f"run {run_id}: outputs {ack.outputs[run_id] - outputs} are lost")
    lost = ack.points[run_id] - set(rows)
    check(not lost, f"run {run_id}: {len(lost)} acknowledged points are lost, such as {next(iter(lost), None)}")


def has_member(value, name, expected):
    """Is there a member of this name and value, at any depth?"""
    if isinstance(value, dict):
        return value.get(name) == expected or any(has_member(inner, name, expected) for inner in value.values())
    return isinstance(value, list) and any(has_member(inner, name, expected) for inner in value)


def check_answers(client, ack, paths):
    for path in paths:
        reply = client.call("GET", path)
        for name, expected in ack.answers[path].items():
            check(has_member(reply, name, expected), f"{path}: {name} is not {expected!r}: {reply}")


def check_acknowledged(daemon, ack, runs, artifacts, answers):
    client = daemon.connect()
    check_answers(client, ack, answers)
    for run_id in runs:
        check_run(client, ack, run_id)
    for path in artifacts:
        status, _, body = client.raw("GET", "/api/2.0/mlflow-artifacts/artifacts/" + path)
        check(status == 200, f"artifact {path}: {status}")
        check(hashlib.sha256(body).hexdigest() == ack.artifacts[path], f"artifact {path}: other bytes")
    for name, version in ack.versions:
        client.call("GET", f"model-versions/get?name={name}&version={version}")
    client.close()


def check_under_way(daemon, writer):
    """The requests that got no answer: as a whole or not at all."""
    client = daemon.connect()
    if writer.batch_under_way:
        points, params = writer.batch_under_way
        rows, stored = read_run(client, writer.run_id)
        there = len(set(points) & set(rows)), len(params.items() & stored.items())
        check(there in ((0, 0), (len(points), len(params))),
              f"run {writer.run_id}: of a batch of {len(points)} points and {len(params)} params {there} are there")
    if writer.archive_under_way:
        path, digests = writer.archive_under_way
        status, _, body = client.raw("GET", "/api/trackerd/v1/manifest/" + path)
        check(status in (200, 404), f"manifest {path}: {status}")
        if status == 200:
            files = {f["path"]: f["sha256"] for f in json.loads(body)["files"]}
            check(files == digests, f"archive {path} is there by half: {files} instead of {digests}")
    if writer.file_under_way:
        path, digest = writer.file_under_way
        status, _, body = client.raw("GET", "/api/2.0/mlflow-artifacts/artifacts/" + path)
        check(status == 404 or (status == 200 and hashlib.sha256(body).hexdigest() == digest),
              f"file {path}: {status} with {len(body)} bytes")
    client.close()


def check_swept(data):
    """With the daemon up: bytes that no artifact refers to are gone in the end."""
    deadline = time.monotonic() + SWEEP_DEADLINE_S
    orphans = None
    while orphans != set():
        check(time.monotonic() < deadline, f"blobs {sorted(orphans or ())[:10]} are kept, and no artifact has them")
        with contextlib.closing(sqlite3.connect(f"file:{data}/artifacts.db?mode=ro", uri=True)) as db:
            blobs = {row[0] for row in db.execute("SELECT blob_pk FROM blobs")}
        with contextlib.closing(sqlite3.connect(f"file:{data}/tracker.db?mode=ro", uri=True)) as db:
            orphans = blobs - {row[0] for row in db.execute("SELECT blob_pk FROM artifact_files")}


def check_databases(data):
    """What SQLite itself says, and that no row points at nothing; the daemon is stopped."""
    with contextlib.closing(sqlite3.connect(f"file:{data}/tracker.db?mode=ro", uri=True)) as db:
        check(db.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "tracker.db is damaged")
        check(db.execute("PRAGMA foreign_key_check").fetchall() == [], "tracker.db: a row points at nothing")
        files = db.execute("SELECT name, blob_pk, blob_offset, size FROM artifact_files").fetchall()
    with contextlib.closing(sqlite3.connect(f"file:{data}/artifacts.db?mode=ro", uri=True)) as db:
        check(db.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "artifacts.db is damaged")
        check(db.execute("PRAGMA foreign_key_check").fetchall() == [], "artifacts.db: a row points at nothing")
        blobs = dict(db.execute("SELECT blob_pk, size FROM blobs"))
        named = dict(db.execute("SELECT blob_pk, size FROM blobs WHERE sha256 IS NOT NULL"))
        stored = dict(db.execute("SELECT blob_pk, sum(length(data)) FROM blob_chunks GROUP BY blob_pk"))
    for name, blob, offset, size in files:
        check(blob in blobs, f"artifact {name} points at blob {blob}, which is not there")
        check(offset + size <= blobs[blob], f"artifact {name} reaches beyond its blob")
    for blob in set(named) | {blob for _, blob, _, _ in files}:
        check(stored.get(blob, 0) == blobs[blob], f"blob {blob} is not whole")


def one_round(program, data, ack, rng, number):
    daemon = Daemon(program, data)
    before, answers_before = set(ack.artifacts), set(ack.answers)
    stop = threading.Event()
    writers = [Writer(daemon, ack, rng.random(), stop) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    # The moment of death is what this test varies: it waits for no event.
    time.sleep(rng.uniform(0.02, 0.5))
    daemon.kill()
    stop.set()
    for writer in writers:
        writer.join(60)
        if writer.failure:
            raise writer.failure
    runs = [w.run_id for w in writers if hasattr(w, "run_id")]
    daemon = Daemon(program, data)
    check_acknowledged(daemon, ack, runs, set(ack.artifacts) - before,
                       set(ack.answers) - answers_before)
    for writer in writers:
        if hasattr(writer, "run_id"):
            check_under_way(daemon, writer)
    daemon.stop()
    if number % DATABASES_EVERY == 0:
        check_databases(data)


def main():
    program = binary(sys.argv)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
    print(f"seed {seed}, {rounds} rounds")
    rng = random.Random(seed)
    data = tempfile.mkdtemp(prefix="trackerd-crash-")
    ack = Acknowledged()
    try:
        for number in range(1, rounds + 1):
            one_round(program, data, ack, rng, number)
        daemon = Daemon(program, data)
        check_acknowledged(daemon, ack, list(ack.runs), list(ack.artifacts), list(ack.answers))
        check_swept(data)
        daemon.stop()
        check_databases(data)
    finally:
        shutil.rmtree(data, ignore_errors=True)
    points = sum(len(p) for p in ack.points.values())
    params = sum(len(p) for p in ack.params.values())
    print(f"{rounds} kills survived: {len(ack.runs)} runs, {points} points, {params} params, "
          f"{len(ack.artifacts)} artifacts, {len(ack.versions)} model versions, "
          f"{len(ack.answers)} logged models, traces, assessments and webhooks, nothing acknowledged was lost")


if __name__ == "__main__":
    main()
