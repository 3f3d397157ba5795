#!/usr/bin/env python3
"""The daemon as a process: how it starts and refuses to, stops, reads its options, logs, counts, and keeps strangers out.

Usage: run_daemon.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, Failure, binary  # noqa: E402

DEADLINE_S = 60
V1 = "/api/trackerd/v1/"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"


@contextlib.contextmanager
def folder():
    path = tempfile.mkdtemp(prefix="trackerd-test-")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def run_to_end(program, *options, env=None):
    """(exit status, text on standard error) of a daemon that is expected to end by itself."""
    done = subprocess.run([program, *options], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=DEADLINE_S)
    return done.returncode, done.stderr


def check_refused(program, *options, says, env=None):
    """Ends with a status that is not 0, after one clear sentence that matches `says`."""
    status, text = run_to_end(program, *options, env=env)
    sentences = [line for line in text.splitlines() if line.startswith("trackerd: ")]
    check(status in (1, 2), f"status {status}, {text!r}")
    check(len(sentences) == 1 and re.search(says, sentences[0]), f"not one sentence with {says!r}: {text!r}")
    others = [line for line in text.splitlines() if line not in sentences and not line.startswith("time=")]
    check(not others, f"besides the sentence: {others}")


def digest_of(path):
    with open(path, "rb") as file:
        return hash(file.read())


def new_run(client, name="run"):
    reply = client.call("POST", "runs/create", {"experiment_id": "0", "run_name": name, "start_time": 1})
    return reply["run"]["info"]["run_id"]


def batch(run_id, count, first=0, key="loss"):
    return {"run_id": run_id, "metrics": [
        {"key": key, "value": i * 0.5, "timestamp": 1000 + i, "step": i} for i in range(first, first + count)]}


# ---- start ---------------------------------------------------------------------------------------------------------

@case
def starts_on_a_new_directory(program):
    """A data directory that does not exist is made, with missing parents, for its owner only."""
    with folder() as parent:
        data = os.path.join(parent, "some", "where")
        with Daemon(program, data) as daemon:
            client = daemon.connect()
            check(client.raw("GET", "/health")[::2] == (200, b"OK"), "not healthy")
            check(client.call("GET", "experiments/get?experiment_id=0")["experiment"]["name"] == "Default", "no default")
        check(os.stat(data).st_mode & 0o077 == 0, "others may read the data directory")
        check(sorted(os.listdir(data)) == ["artifacts.db", "tracker.db", "trackerd.lock"], os.listdir(data))


@case
def second_daemon_is_refused(program):
    """A second daemon on the same data directory is refused and names the first; the first goes on."""
    with Daemon(program) as daemon:
        check_refused(program, "--data", daemon.data, "--listen", "127.0.0.1:0",
                      says=rf"in use by another trackerd with process id {daemon.process.pid}\b")
        check(daemon.connect().raw("GET", "/health")[0] == 200, "the first one suffered")
        daemon.kill()
        daemon.start()  # the lock dies with its process


@case
def busy_port_is_one_sentence(program):
    with socket.socket() as taken, folder() as data:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        check_refused(program, "--data", data, "--listen", f"127.0.0.1:{port}",
                      says=rf"port {port} on 127\.0\.0\.1 is already in use")


@case
def wrong_options_are_one_sentence(program):
    rows = [
        (["--listen", "nonsense"], r'"nonsense" is not HOST:PORT'),
        (["--listen", "127.0.0.1:65536"], "is not HOST:PORT"),
        (["--listen", "no.such.name:0", "--allow-remote-without-authentication"], "not a numeric"),
        (["--listen", "127.0.0.1:0", "--workers", "65"], "--workers: .*0 to 64"),
        (["--listen", "127.0.0.1:0", "--workers"], "--workers needs a value"),
        (["--frobnicate"], "no option --frobnicate"),
        (["serve"], 'unexpected argument "serve"'),
        (["--log-level", "loud"], "debug, info, warn or error"),
        (["--config", "/does/not/exist"], "cannot read the configuration file"),
        (["--data", "/dev/null"], "data folder /dev/null"),
        (["--data", "/dev/null/x"], "data folder /dev/null/x"),
        (["--data", "/tmp/" + "x" * 300], "data folder"),
    ]
    with folder() as data:
        for options, says in rows:
            check_refused(program, "--data", data, *options, says=says)


@case
def beyond_loopback_only_in_so_many_words(program):
    """Addresses beyond loopback are refused unless the long option is given; all of loopback is fine."""
    for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0"):
        check_refused(program, "--data", "/dev/null/never", "--listen", address,
                      says="--allow-remote-without-authentication")
    with folder() as data:
        with Daemon(program, data, ["--listen", "0.0.0.0:0", "--allow-remote-without-authentication"]) as daemon:
            check(daemon.connect().raw("GET", "/health")[0] == 200, "allowed, but not up")
        with Daemon(program, data, ["--listen", "127.7.7.7:0"]) as daemon:
            check(socket.create_connection(("127.7.7.7", daemon.port), 5).close() is None, "not up")


# ---- databases that are not ours, or not whole -------------------------------------------------------------------------

def filled(program, data, runs=60):
    """A directory with runs, points, files and a model in it, stopped."""
    with Daemon(program, data) as daemon:
        client = daemon.connect()
        for number in range(runs):
            run_id = new_run(client, f"run {number}")
            body = batch(run_id, 300)
            body["params"] = [{"key": f"p{i}", "value": f"{number} {i} " * 10} for i in range(20)]
            body["tags"] = [{"key": f"t{i}", "value": "x" * 50} for i in range(10)]
            client.call("POST", "runs/log-batch", body)
            client.raw("PUT", f"{ARTIFACTS}0/{run_id}/artifacts/file.bin", os.urandom(3000))
        client.call("POST", "registered-models/create", {"name": "model"})
        client.call("POST", "model-versions/create",
                    {"name": "model", "source": f"runs:/{run_id}/model", "run_id": run_id})
        client.close()
    return run_id


@case
def newer_schema_is_refused(program):
    """A database of a newer trackerd is refused by number, and left as it is."""
    for name in ("tracker", "artifacts"):
        with folder() as data:
            Daemon(program, data).stop()
            path = f"{data}/{name}.db"
            with contextlib.closing(sqlite3.connect(path)) as db:
                known = db.execute("SELECT max(version) FROM schema_migrations").fetchone()[0]
                db.execute("INSERT INTO schema_migrations VALUES (?, '0099_future.sql', 0)", (known + 98,))
                db.commit()
            check_refused(program, "--data", data, "--listen", "127.0.0.1:0",
                          says=rf"The {name} database has schema version {known + 98}, .* up to {known}\.")
            with contextlib.closing(sqlite3.connect(path)) as db:
                check(db.execute("SELECT max(version) FROM schema_migrations").fetchone()[0] == known + 98, "changed")


@case
def foreign_files_are_left_alone(program):
    """Another program's database, garbage, a folder or swapped files: one sentence, and not one byte changed."""
    def foreign(path):
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE notes (text)")
            db.execute("INSERT INTO notes VALUES ('mine')")
            db.commit()

    def garbage(path):
        with open(path, "wb") as file:
            file.write(random.Random(1).randbytes(50000))

    def text(path):
        with open(path, "w") as file:
            file.write("this is no database\n" * 100)

    rows = [(foreign, "belongs to another program"), (garbage, "is not a database"), (text, "is not a database"),
            (os.mkdir, "is a folder")]
    for name in ("tracker.db", "artifacts.db"):
        for make, says in rows:
            with folder() as data:
                path = os.path.join(data, name)
                make(path)
                before = None if os.path.isdir(path) else digest_of(path)
                check_refused(program, "--data", data, "--listen", "127.0.0.1:0", says=says)
                check(before is None or digest_of(path) == before, f"{name} of {make.__name__} was changed")
    with folder() as data:
        Daemon(program, data).stop()
        shutil.copy(f"{data}/tracker.db", f"{data}/artifacts.db")
        check_refused(program, "--data", data, "--listen", "127.0.0.1:0", says="trackerd's tracker database")


@case
def lost_metadata_does_not_cost_the_artifacts(program):
    """With tracker.db missing or empty beside blobs the daemon refuses, instead of sweeping the blobs away."""
    for lose in (lambda path: os.unlink(path), lambda path: os.truncate(path, 0)):
        with folder() as data:
            filled(program, data, runs=2)
            lose(f"{data}/tracker.db")
            check_refused(program, "--data", data, "--listen", "127.0.0.1:0", says=r"tracker\.db.*(missing|empty)")
            with contextlib.closing(sqlite3.connect(f"file:{data}/artifacts.db?mode=ro", uri=True)) as db:
                check(db.execute("SELECT count(*) FROM blobs").fetchone()[0] == 2, "blobs were swept")


READS = [
    "/health", "/version", "/metrics", V1 + "server", "/api/2.0/mlflow/experiments/search?max_results=100",
    "/api/2.0/mlflow/runs/get?run_id={run}", "/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=loss",
    "/api/2.0/mlflow/artifacts/list?run_id={run}", ARTIFACTS + "0/{run}/artifacts/file.bin",
    V1 + "archive/0/{run}", V1 + "manifest/0", V1 + "metrics/curves?run_ids={run}&metric_keys=loss",
    V1 + "runs/best?experiment_id=0&metric=loss", "/api/2.0/mlflow/registered-models/search?max_results=10",
    "/api/2.0/mlflow/model-versions/search?max_results=10",
]


def check_answers(client, method, path, body=None):
    """Whatever is broken: an answer, either good or a sentence that gives nothing internal away."""
    status, _, reply = client.raw(method, path, None if body is None else json.dumps(body))
    if status < 400:
        return status
    check(status in (400, 404, 500, 503), f"{method} {path}: {status} {reply[:200]}")
    if path != "/health":
        error = json.loads(reply)
        check(error["error_code"] and error["message"], f"{method} {path}: {reply}")
        check(not re.search(r"/tmp|SELECT|INSERT|sqlite|\.db\b|0x", error["message"], re.I), f"{path}: {reply}")
    return status


def use_damaged(program, data, run_id, log):
    """The daemon refuses to start with a sentence, or serves what it can and stops with 0."""
    try:
        daemon = Daemon(program, data)
    except Failure as failure:
        check(re.search(r"^trackerd: .*(damaged|not a database|migration|failed|belongs to another|schema)",
                        str(failure), re.M), f"no sentence: {failure}")
        check("Sanitizer" not in str(failure) and "ssertion" not in str(failure), f"{failure}")
        log["refused"] += 1
        log.setdefault("says", set()).add(re.search(r"^trackerd: .*$", str(failure), re.M).group())
        return
    client = daemon.connect()
    for path in READS:
        status = check_answers(client, "GET", path.format(run=run_id))
        log["whole" if status < 400 else "broken"] += 1
    search = {"experiment_ids": ["0"], "max_results": 1000, "filter": "metrics.loss > 1 and params.p1 LIKE '%1%'"}
    writes = [("runs/search", search), ("runs/log-batch", batch(run_id, 50, 1000)),
              ("runs/create", {"experiment_id": "0", "start_time": 1}),
              ("runs/set-tag", {"run_id": run_id, "key": "k", "value": "v"}),
              ("registered-models/create", {"name": f"m{random.random()}"})]
    for path, body in writes:
        status = check_answers(client, "POST", "/api/2.0/mlflow/" + path, body)
        log["whole" if status < 400 else "broken"] += 1
    client.close()
    check(daemon.process.poll() is None, "the daemon died:\n" + "".join(daemon.log_lines[-40:]))
    daemon.stop()


@case
def damaged_databases_get_sentences(program):
    """Bytes flipped, pages lost, files cut short: a clear refusal, or clear errors with the daemon up."""
    rng = random.Random(7)
    log = {"refused": 0, "whole": 0, "broken": 0}
    with folder() as original, folder() as parent:
        run_id = filled(program, original)
        rounds = [("tracker.db", kind) for kind in ("flip",) * 10 + ("zero", "zero", "cut", "cut odd", "first")]
        rounds += [("artifacts.db", kind) for kind in ("flip", "flip", "zero", "zero", "cut", "first")]
        for number, (name, kind) in enumerate(rounds):
            data = os.path.join(parent, str(number))
            shutil.copytree(original, data)
            path = os.path.join(data, name)
            size = os.path.getsize(path)
            with open(path, "r+b") as file:
                for _ in range(rng.choice([3, 10, 30, 100]) if kind == "flip" else 0):
                    file.seek(rng.randrange(4096, size))
                    file.write(rng.randbytes(1))
                for _ in range(8 if kind == "zero" else 0):
                    file.seek(rng.randrange(1, size // 4096) * 4096)
                    file.write(bytes(4096))
                if kind == "first":  # the header's page, behind its magic
                    file.seek(100)
                    file.write(rng.randbytes(3000))
                if kind == "cut":
                    file.truncate(size // 2 // 65536 * 65536)
                if kind == "cut odd":
                    file.truncate(size // 3 + 77)
            try:
                use_damaged(program, data, run_id, log)
            except Exception as failure:
                raise AssertionError(f"{name} {kind} (round {number}): {failure}") from failure
    print(f"        {len(rounds)} damages: {log['refused']} refused at start, else {log['whole']} good answers "
          f"and {log['broken']} errors")
    check(log["refused"] > 0 and log["broken"] > 0, "nothing was really damaged")


# ---- stop ------------------------------------------------------------------------------------------------------------

@case
def sigterm_drains(program):
    """Requests that run when SIGTERM comes are answered, idle connections end, the status is 0, nothing is lost."""
    with folder() as data:
        daemon = Daemon(program, data, ["--drain-timeout-ms", str(DEADLINE_S * 1000)])
        client = daemon.connect()
        run_id = new_run(client)
        idle = socket.create_connection(("127.0.0.1", daemon.port))
        upload = socket.create_connection(("127.0.0.1", daemon.port))
        body = os.urandom(3 << 20)
        upload.sendall(f"PUT {ARTIFACTS}0/{run_id}/artifacts/late.bin HTTP/1.1\r\nHost: localhost\r\n"
                       f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:1 << 20])
        acknowledged, writers = [], []
        for number in range(4):
            writers.append(threading.Thread(target=write_until_away, args=(daemon, run_id, number, acknowledged)))
            writers[-1].start()
        wait_for(lambda: len(acknowledged) > 20, "the writers wrote nothing")
        daemon.process.send_signal(signal.SIGTERM)
        for writer in writers:
            writer.join(DEADLINE_S)
        idle.settimeout(DEADLINE_S)
        check(idle.recv(100) == b"", "the idle connection was kept")
        check(is_refused(daemon.port), "new connections are still taken")
        check(daemon.process.poll() is None, "ended with a request under way")
        upload.sendall(body[1 << 20:])
        upload.settimeout(DEADLINE_S)
        reply = upload.recv(4096)
        check(reply.startswith(b"HTTP/1.1 200"), f"the upload got {reply[:100]}")
        check(b"connection: close" in reply.lower(), "the connection would be kept")
        daemon.stop()
        check(any("event=stopped" in line for line in daemon.log_lines), "no line says so")
        with Daemon(program, data) as again:
            client = again.connect()
            reply = client.call("GET", f"metrics/get-history?run_id={run_id}&metric_key=loss")
            stored = {m["step"] for m in reply["metrics"]}
            check(set(acknowledged) <= stored, f"lost {set(acknowledged) - stored}")
            check(client.raw("GET", f"{ARTIFACTS}0/{run_id}/artifacts/late.bin")[2] == body, "late.bin differs")
        check(not os.path.exists(f"{data}/tracker.db-wal"), "the log was not written back")


def write_until_away(daemon, run_id, number, acknowledged):
    client = daemon.connect()
    step = number
    with contextlib.suppress(OSError, Exception):
        while True:
            client.call("POST", "runs/log-metric",
                        {"run_id": run_id, "key": "loss", "value": 1, "timestamp": 1, "step": step})
            acknowledged.append(step)
            step += 4


def is_refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


def wait_for(condition, message):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        check(time.monotonic() < deadline, message)
        time.sleep(0.002)


@case
def stopping_does_not_wait_for_ever(program):
    """A peer that never finishes its request is cut when the drain time is over."""
    daemon = Daemon(program, options=["--drain-timeout-ms", "200"])
    with daemon:
        stuck = socket.create_connection(("127.0.0.1", daemon.port))
        stuck.sendall(f"PUT {ARTIFACTS}x.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc".encode())
        wait_for(lambda: metric(daemon, "trackerd_connections_open") >= 2, "never connected")
        begin = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        check(daemon.process.wait(DEADLINE_S) == 0, "not ended well")
        print(f"        stopped after {time.monotonic() - begin:.2f} s")


@case
def sigint_stops_and_a_second_signal_changes_nothing(program):
    daemon = Daemon(program)
    with daemon:
        daemon.process.send_signal(signal.SIGINT)
        with contextlib.suppress(ProcessLookupError):
            daemon.process.send_signal(signal.SIGTERM)
        check(daemon.process.wait(DEADLINE_S) == 0, "not ended well")


@case
def restart_keeps_everything(program):
    """After SIGTERM and a new start every reply is the same byte for byte."""
    with folder() as data:
        with Daemon(program, data) as daemon:
            client = daemon.connect()
            paths = write_one_of_each(client)
            before = [client.raw("GET", path)[::2] for path in paths]
            for path, (status, _) in zip(paths, before):
                check(status == 200, f"{path}: {status}")
        for _ in range(2):
            with Daemon(program, data) as daemon:
                client = daemon.connect()
                for path, old in zip(paths, before):
                    new = client.raw("GET", path)[::2]
                    check(new == old, f"{path}\nbefore {old}\nafter  {new}")


def write_one_of_each(client):
    """Paths whose replies together show all that was written."""
    mlflow = "/api/2.0/mlflow/"
    experiment = client.call("POST", "experiments/create", {
        "name": "ünïcode ✓", "tags": [{"key": "team", "value": "a\nb"}]})["experiment_id"]
    run_id = client.call("POST", "runs/create", {"experiment_id": experiment, "run_name": "r",
                                                 "start_time": 5})["run"]["info"]["run_id"]
    body = batch(run_id, 1000)
    body["metrics"][0]["value"], body["metrics"][1]["value"] = "NaN", "-Infinity"
    client.call("POST", "runs/log-batch", body)
    client.call("POST", "runs/log-batch", {"run_id": run_id, "params": [{"key": "p", "value": "ß"}],
                                           "tags": [{"key": "t", "value": "x"}]})
    client.call("POST", "runs/log-inputs", {"run_id": run_id, "datasets": [
        {"dataset": {"name": "d", "digest": "1", "source_type": "local", "source": "{}"}}]})
    client.call("POST", "runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": 9})
    gone = client.call("POST", "runs/create", {"experiment_id": experiment})["run"]["info"]["run_id"]
    client.call("POST", "runs/delete", {"run_id": gone})
    prefix = f"{experiment}/{run_id}/artifacts/model"
    check(client.raw("PUT", f"{ARTIFACTS}{prefix}/weights.bin", os.urandom(1500000))[0] == 200, "PUT")
    check(client.raw("PUT", f"{ARTIFACTS}{prefix}/sub/empty", b"")[0] == 200, "PUT")
    client.call("POST", "registered-models/create", {"name": "m"})
    client.call("POST", "model-versions/create", {"name": "m", "source": f"mlflow-artifacts:/{prefix}",
                                                  "run_id": run_id, "description": "first"})
    client.call("POST", "registered-models/alias", {"name": "m", "alias": "champion", "version": "1"})
    client.call("POST", "model-versions/set-tag", {"name": "m", "version": "1", "key": "k", "value": "v"})
    return [mlflow + "experiments/search?max_results=10&view_type=ALL", f"{mlflow}experiments/get?experiment_id=1",
            f"{mlflow}runs/get?run_id={run_id}", f"{mlflow}runs/get?run_id={gone}",
            f"{mlflow}metrics/get-history?run_id={run_id}&metric_key=loss",
            f"{V1}metrics/curves?run_ids={run_id}&metric_keys=loss&buckets=50",
            f"{V1}metrics/summary?run_ids={run_id}", f"{V1}manifest/{prefix}", f"{V1}archive/{prefix}?format=tar.zst",
            f"{ARTIFACTS}{prefix}/weights.bin", f"{mlflow}registered-models/get?name=m",
            f"{mlflow}registered-models/alias?name=m&alias=champion", f"{mlflow}model-versions/search?max_results=10"]


# ---- options ---------------------------------------------------------------------------------------------------------

@case
def flag_wins_over_environment_over_file(program):
    with folder() as data:
        file = os.path.join(data, "trackerd.conf")
        with open(file, "w") as out:
            out.write("# comment\n\nmlflow-version = 1.0.file   # behind\nlog-level=debug\n")
        environment = dict(os.environ, TRACKERD_MLFLOW_VERSION="1.0.environment", TRACKERD_CONFIG="/does/not/exist")
        without = {k: v for k, v in environment.items() if k != "TRACKERD_MLFLOW_VERSION"}
        rows = [
            (["--config", file, "--mlflow-version", "1.0.flag"], environment, b"1.0.flag"),
            (["--config", file, "--mlflow-version=1.0.flag"], environment, b"1.0.flag"),
            (["--config", file], environment, b"1.0.environment"),
            (["--config", file], without, b"1.0.file"),
            ([], dict(without, TRACKERD_CONFIG=file), b"1.0.file"),
        ]
        for options, env, expected in rows:
            with Daemon(program, os.path.join(data, "d"), options, env) as daemon:
                reply = daemon.connect().raw("GET", "/version")[2]
                check(reply == expected, f"{options}: {reply} instead of {expected}")
        with open(file, "a") as out:
            out.write("wrokers = 3\n")
        check_refused(program, "--config", file, says=r'trackerd\.conf:5: there is no option "wrokers"')
        check_refused(program, "--data", data, env=dict(os.environ, TRACKERD_WORKERS="many"), says="TRACKERD_WORKERS")


@case
def help_and_version_come_from_the_table(program):
    done = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=DEADLINE_S)
    check(done.returncode == 0 and not done.stderr, "help failed")
    for word in ("--data", "--listen", "--allow-remote-without-authentication", "TRACKERD_", "(default 127.0.0.1:5000)"):
        check(word in done.stdout, f"help lacks {word}")
    check(max(map(len, done.stdout.splitlines())) <= 80, "help is wider than 80 columns")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=DEADLINE_S)
    check(re.fullmatch(r"trackerd \d+\.\d+\.\d+\n", done.stdout), done.stdout)


# ---- what it tells -------------------------------------------------------------------------------------------------------

def metric(daemon, name):
    text = daemon.connect().raw("GET", "/metrics")[2].decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.M).group(1))


def parse_prometheus(text):
    """{family: (type, [(name, labels, value)])}; raises when the text is not in the exposition format 0.0.4."""
    families, current = {}, None
    check(text.endswith("\n"), "no newline at the end")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            check(current not in families, f"{current} comes twice")
            families[current] = (None, [])
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            check(name == current and kind in ("counter", "gauge", "histogram"), line)
            families[name] = (kind, [])
        else:
            match = re.fullmatch(r'([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)', line)
            check(match, f"not a sample: {line!r}")
            name, labels, value = match.groups()
            kind, samples = families[current]
            suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            check(name in [current + s for s in suffixes], f"{name} stands under {current}")
            samples.append((name, labels or "", float(value)))
    return families


@case
def metrics_are_prometheus_text(program):
    """/metrics parses strictly, its histograms add up, and it counts what was done."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        run_id = new_run(client)
        for step in range(10):
            client.call("POST", "runs/log-batch", batch(run_id, 5, step * 5))
        client.call("GET", "runs/get?run_id=" + "0" * 32, expect=404)
        status, headers, body = client.raw("GET", "/metrics")
        check(headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", headers["Content-Type"])
        families = parse_prometheus(body.decode())
        for name, (kind, samples) in families.items():
            keys = [(n, labels) for n, labels, _ in samples]
            check(samples and len(set(keys)) == len(keys), f"{name}: {keys}")
            if kind == "histogram":
                buckets = [v for n, _, v in samples if n.endswith("_bucket")]
                check(buckets == sorted(buckets) and 'le="+Inf"' in samples[len(buckets) - 1][1], f"{name}: {samples}")
                check(samples[-1][2] == buckets[-1] and samples[-1][0] == name + "_count", f"{name}: {samples}")
            elif kind == "counter":
                check(name.endswith("_total"), name)
        requests = {labels: v for _, labels, v in families["trackerd_http_requests_total"][1]}
        check(requests['method="POST",status="2xx"'] == 11 and requests['method="GET",status="4xx"'] == 1, requests)
        check(families["trackerd_commit_jobs_total"][1][0][2] == 11, "commits are not counted")
        rss = families["process_resident_memory_bytes"][1][0][2]
        check(rss > 1 << 20, "no resident memory")
        print(f"        {len(families)} families; resident {rss / 1048576:.1f} MiB after some requests")


@case
def idle_memory(program):
    """The resident memory of a daemon that has just started is told (a figure, not a test)."""
    with Daemon(program) as daemon:
        status = open(f"/proc/{daemon.process.pid}/status").read()
        print("        " + ", ".join(re.findall(r"^(VmRSS|RssAnon|VmHWM|Threads):\s+(.*)$", status, re.M)[i][0] + " " +
                                     re.findall(r"^(VmRSS|RssAnon|VmHWM|Threads):\s+(.*)$", status, re.M)[i][1]
                                     for i in range(4)))


@case
def every_reply_and_line_has_its_id(program):
    """Each reply has an id of its own, errors and refusals too, and the log lines name it."""
    with Daemon(program, options=["--log-level", "debug"]) as daemon:
        ids = []
        client = daemon.connect()
        for method, path, body in (("GET", "/health", None), ("GET", "/nowhere", None), ("GET", "/", None),
                                   ("POST", "/api/2.0/mlflow/runs/create", "{"), ("DELETE", "/health", None),
                                   ("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", None)):
            ids.append(client.raw(method, path, body)[1]["X-Request-Id"])
        for garbage in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
                        b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nContent-Length: 8\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", daemon.port)) as peer:
                peer.sendall(garbage)
                ids.append(re.search(rb"X-Request-Id: (\w+)", peer.recv(4096)).group(1).decode())
        check(len(set(ids)) == 9 and all(re.fullmatch("[0-9a-f]{16}", i) for i in ids), f"ids {ids}")
        daemon.stop()
        for number, request_id in enumerate(ids):
            lines = [line for line in daemon.log_lines if f"request_id={request_id}" in line]
            check(lines, f"no line for request {number} with id {request_id}:\n" + "".join(daemon.log_lines))
    for line in daemon.log_lines:
        check(re.fullmatch(r'time=\S+Z level=(debug|info|warn|error) event=\w+( [\w.]+=("([^"\\]|\\.)*"|[^\s"=]*))*\n', line),
              f"not logfmt: {line!r}")


# ---- browsers ----------------------------------------------------------------------------------------------------------

def asked(client, method, path, **headers):
    body = "{}" if method in ("POST", "PUT", "PATCH") else None
    status, replied, _ = client.raw(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    return status, replied


@case
def strange_hosts_and_origins_are_kept_out(program):
    """DNS rebinding and cross-site writes get 403; addresses, localhost and the page's own origin pass."""
    create = "/api/2.0/mlflow/experiments/search"
    with Daemon(program, options=["--allowed-hosts", "tracker.example, *"[:15]]) as daemon:
        own = f"127.0.0.1:{daemon.port}"
        rows = [
            ("GET", {"Host": own}, 200), ("GET", {"Host": "localhost"}, 200), ("GET", {"Host": "[::1]:5000"}, 200),
            ("GET", {"Host": "LOCALHOST:1"}, 200), ("GET", {"Host": "tracker.example"}, 200),
            ("GET", {"Host": "tracker.example:99"}, 200), ("GET", {"Host": "evil.example"}, 403),
            ("GET", {"Host": "localhost.evil.example"}, 403), ("GET", {"Host": "127.0.0.1.evil.example"}, 403),
            ("POST", {"Host": "evil.example"}, 403), ("POST", {"Host": own}, 200),
            ("POST", {"Host": own, "Origin": "http://" + own}, 200), ("POST", {"Host": own, "Origin": "null"}, 403),
            ("POST", {"Host": own, "Origin": "http://evil.example"}, 403),
            ("POST", {"Host": own, "Origin": "http://127.0.0.1:1"}, 403),
            ("POST", {"Host": own, "Origin": f"http://{own}.evil.example"}, 403),
            ("GET", {"Host": own, "Origin": "http://evil.example"}, 200),
        ]
        for method, headers, expected in rows:
            path = create + ("?max_results=1" if method == "GET" else "")
            client = daemon.connect()
            status, _, body = client.raw(method, path, '{"max_results":1}' if method == "POST" else None, headers)
            check(status == expected, f"{method} {headers}: {status} instead of {expected}: {body}")
            if expected == 403:
                check(json.loads(body)["error_code"] == "PERMISSION_DENIED", body)
            client.close()


@case
def listed_origins_may_use_the_api(program):
    """CORS: a preflight names the methods to a listed origin, replies are readable to it and to no other."""
    page, path = "https://page.example", "/api/2.0/mlflow/registered-models/alias"
    with Daemon(program, options=["--allowed-origins", "https://other.example, " + page]) as daemon:
        client = daemon.connect()
        preflight = {"Origin": page, "Access_Control_Request_Method": "DELETE",
                     "Access_Control_Request_Headers": "content-type"}
        status, headers = asked(client, "OPTIONS", path, **preflight)
        check(status == 204 and headers["Access-Control-Allow-Origin"] == page, f"{status} {headers}")
        check(set(re.split(r",\s*", headers["Access-Control-Allow-Methods"])) >= {"GET", "POST", "DELETE"}, headers)
        check("content-type" in headers["Access-Control-Allow-Headers"].lower(), headers)
        status, headers = asked(client, "OPTIONS", path, **dict(preflight, Origin="https://evil.example"))
        check(headers["Access-Control-Allow-Origin"] is None and headers["Access-Control-Allow-Methods"] is None, headers)
        for method, target, expected in (("POST", "experiments/create", 400), ("GET", "experiments/get?experiment_id=0", 200)):
            status, headers = asked(client, method, "/api/2.0/mlflow/" + target, Origin=page)
            check(status == expected and headers["Access-Control-Allow-Origin"] == page, f"{target}: {status} {headers}")
            check("Origin" in (headers["Vary"] or "") and "X-Request-Id" in headers["Access-Control-Expose-Headers"], headers)
        status, headers = asked(client, "GET", "/api/2.0/mlflow/experiments/get?experiment_id=0",
                                Origin="https://evil.example")
        check(status == 200 and headers["Access-Control-Allow-Origin"] is None, headers)
    with Daemon(program) as daemon:
        status, headers = asked(daemon.connect(), "OPTIONS", path, Origin=page, Access_Control_Request_Method="GET")
        check(headers["Access-Control-Allow-Origin"] is None, "nobody was listed")


if __name__ == "__main__":
    run_cases(binary(sys.argv), only=sys.argv[2] if len(sys.argv) > 2 else "")
