#!/usr/bin/env python3
"""trk import mlflow of databases and of servers: every era's tables, damage of every kind, interruptions.

Usage: run_import.py FOLDER_OF_BINARIES [PART_OF_A_CASE_NAME]
"""
import hashlib
import http.server
import json
import math
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
from cases import case, check, run_cases  # noqa: E402
from cli_support import Trk  # noqa: E402
from daemon import Daemon, binary  # noqa: E402
from loopback import LoopbackServer  # noqa: E402
from mlflow_database import ERAS, LARGEST, TIME, Database, since, write_file  # noqa: E402

USAGE, NOT_FOUND, UNREACHABLE, INCOMPLETE = 2, 3, 6, 9
R1, R2, R3, R4 = ("%032x" % i for i in range(1, 5))
NOBODY = 65534
PROXY = "/api/2.0/mlflow-artifacts/artifacts/"


class Site:
    """A daemon of its own, a folder, and trk."""

    def __init__(self, options=()):
        self.home = tempfile.mkdtemp(prefix="trk-import-test-")
        os.chmod(self.home, 0o755)
        self.daemon = Daemon(binary(sys.argv), options=options)
        self.client = self.daemon.connect()
        self.trk = Trk(os.path.abspath(binary(sys.argv, "trk")), self.daemon.url, self.home)
        self.source = os.path.join(self.home, "mlflow.db")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.daemon.__exit__(*exception)
        shutil.rmtree(self.home, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.home, *names)

    def bring(self, *words, source=None, expect=0):
        return self.trk.json("import", "mlflow", source or self.source, *words, expect=expect)

    def get(self, path, **arguments):
        return self.client.call("GET", path + "?" + urllib.parse.urlencode(arguments))

    def run(self, run_id):
        return self.get("runs/get", run_id=run_id)["run"]

    def history(self, run_id, key):
        return [(m["value"], m["timestamp"], m["step"])
                for m in self.get("metrics/get-history", run_id=run_id, metric_key=key).get("metrics", [])]

    def file(self, path):
        status, _, data = self.client.raw("GET", PROXY + path)
        return data if status == 200 else None

    def everything(self):
        """All that the server answers about experiments, runs, curves, models: to compare two servers."""
        found = {}
        for e in self.client.call("POST", "experiments/search", {"view_type": "ALL", "max_results": 1000})["experiments"]:
            if e["name"] != "Default":
                found["experiment " + e["experiment_id"]] = e
            runs = self.client.call("POST", "runs/search", {"experiment_ids": [e["experiment_id"]], "run_view_type": "ALL",
                                                            "max_results": 10000}).get("runs", [])
            for run in runs:
                run_id = run["info"]["run_id"]
                found["run " + run_id] = run
                for metric in run["data"].get("metrics", []):
                    found[f"curve {run_id} {metric['key']}"] = self.history(run_id, metric["key"])
        for model in self.get("registered-models/search").get("registered_models", []):
            found["model " + model["name"]] = model
            found["versions " + model["name"]] = self.get("model-versions/search", filter=f"name='{model['name']}'")
        return found


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def pairs(items):
    return {i["key"]: i["value"] for i in items}


def item(result, what, kind, name):
    """The item of the report that says so; fails when there is none."""
    for i in result["items"]:
        if i["what"] == what and i["kind"] == kind and name in i["name"]:
            return i["reason"]
    raise AssertionError(f"no {what} {kind} {name} in {result['items']}")


def fill(database, folder):
    """Something of everything that the era has."""
    uri = folder + "/art/1"
    database.experiment(0, "Default", folder + "/art/0")
    database.experiment(1, "taxi", uri, tags={"team": "green"})
    database.experiment(5, "gone", folder + "/art/5", deleted=True)
    nan = ("loss", math.nan, TIME + 3, 2)
    points = [("loss", 1.0, TIME + 1, 0), ("loss", 0.5, TIME + 2, 1), nan, ("a/b", LARGEST, TIME, -3)]
    database.run(R1, 1, f"{uri}/{R1}/artifacts", "first", tags={"mlflow.runName": "first", "k": "v ü\n"},
                 params={"lr": "0.1", "empty": ""}, points=points)
    database.run(R2, 1, f"{uri}/{R2}/artifacts", "second", status="RUNNING", tags={"mlflow.runName": "second"})
    database.run(R3, 1, f"{uri}/{R3}/artifacts", "", deleted=True, tags={"mlflow.runName": "third"},
                 points=[("loss", 3.0, TIME, 0)])
    database.run(R4, 5, f"{folder}/art/5/{R4}/artifacts", "fourth", status="FAILED", deleted=True)
    database.dataset(R1, 1, "trips", "abc", {"mlflow.data.context": "training"})
    database.model("net", "minutes", {"t": "1"}, {"champion": 2})
    database.version("net", 1, f"{uri}/{R1}/artifacts/model", R1, stage="Production", tags={"q": "1"})
    database.version("net", 2, "s3://bucket/model")
    database.logged_model("m-" + "0" * 32, 1, f"{uri}/models/m-1/artifacts", R1)
    write_file(f"{uri}/{R1}/artifacts/model/MLmodel", b"flavors: {}\n")
    write_file(f"{uri}/{R1}/artifacts/ä b.txt", b"")
    write_file(f"{uri}/models/m-1/artifacts/weights", b"w" * 100000)


@case
def every_era_comes_over_field_by_field():
    for era in ERAS:
        with Site() as site:
            database = Database(site.source, era)
            fill(database, site.home)
            database.close()
            before = digest(site.source), sorted(os.listdir(site.home))
            result = site.bring()
            check((digest(site.source), sorted(os.listdir(site.home))) == before, "the source was changed")
            check_whole(site, era)
            check(result["failed"] == 0 and result["runs"] == 4 and result["points"] == 5, f"{era}: {result}")
            again = site.bring()
            check(again["runs"] == 0 and again["runs_skipped"] == 4 and again["points"] == 0, f"{era} again: {again}")
            check(again["experiments"] == again["versions"] == again["artifacts"] == 0, f"{era} again: {again}")


def check_whole(site, era):
    e = site.get("experiments/get", experiment_id="1")["experiment"]
    check((e["name"], e["lifecycle_stage"], e["artifact_location"]) == ("taxi", "active", "mlflow-artifacts:/1"), f"{e}")
    check(site.get("experiments/get", experiment_id="5")["experiment"]["lifecycle_stage"] == "deleted", "not deleted")
    if since(era, "2.10"):
        check((e["creation_time"], e["last_update_time"]) == (TIME + 1, TIME + 2), f"times {e}")
    if since(era, "1.20"):
        check(pairs(e["tags"]) == {"team": "green"}, f"tags {e}")
    run = site.run(R1)
    info = run["info"]
    check((info["run_name"], info["user_id"], info["status"], info["lifecycle_stage"], info["start_time"], info["end_time"],
           info["experiment_id"]) == ("first", "ann", "FINISHED", "active", TIME + 10, TIME + 20, "1"), f"{info}")
    check(info["artifact_uri"] == f"mlflow-artifacts:/1/{R1}/artifacts", info["artifact_uri"])
    check(pairs(run["data"]["tags"]) == {"mlflow.runName": "first", "k": "v ü\n"}, f"{run['data']['tags']}")
    check(pairs(run["data"]["params"]) == {"lr": "0.1", "empty": ""}, f"{run['data']['params']}")
    steps = [0, 1, 2] if since(era, "1.20") else [0, 0, 0]
    check(site.history(R1, "loss") == [(1.0, TIME + 1, steps[0]), (0.5, TIME + 2, steps[1]), ("NaN", TIME + 3, steps[2])],
          f"{era}: {site.history(R1, 'loss')}")
    check(site.history(R1, "a/b") == [(LARGEST, TIME, -3 if since(era, "1.20") else 0)], "a/b")
    check("end_time" not in site.run(R2)["info"] and site.run(R2)["info"]["status"] == "RUNNING", "R2")
    third = site.run(R3)["info"]
    check((third["lifecycle_stage"], third["run_name"]) == ("deleted", "third"), f"{third}")
    check(site.history(R3, "loss") == [(3.0, TIME, 0)], "a deleted run's points")
    check(site.run(R4)["info"]["status"] == "FAILED", "R4")
    check(site.file(f"1/{R1}/artifacts/model/MLmodel") == b"flavors: {}\n", "artifact")
    check(site.file(f"1/{R1}/artifacts/" + urllib.parse.quote("ä b.txt")) == b"", "empty artifact")
    if since(era, "1.20"):
        check_registry(site, era)
    if since(era, "2.10"):
        inputs = run["inputs"]["dataset_inputs"]
        check(len(inputs) == 1 and inputs[0]["dataset"] == {
            "name": "trips", "digest": "abc", "source_type": "local", "source": "f.csv", "schema": '{"a": 1}'}, f"{inputs}")
        check(pairs(inputs[0]["tags"]) == {"mlflow.data.context": "training"}, f"{inputs}")
    if since(era, "3.0"):
        check_logged_model(site)


def check_registry(site, era):
    model = site.get("registered-models/get", name="net")["registered_model"]
    check((model["description"], model["creation_timestamp"], model["last_updated_timestamp"]) ==
          ("minutes", TIME, TIME + 1) and pairs(model["tags"]) == {"t": "1"}, f"{model}")
    one = site.get("model-versions/get", name="net", version="1")["model_version"]
    check((one["current_stage"], one["user_id"], one["description"], one["run_id"], one["creation_timestamp"]) ==
          ("Production", "ann", "version 1", R1, TIME + 1) and pairs(one["tags"]) == {"q": "1"}, f"{one}")
    check(one["source"] == f"mlflow-artifacts:/1/{R1}/artifacts/model", one["source"])
    two = site.get("model-versions/get", name="net", version="2")["model_version"]
    check(two["source"] == "s3://bucket/model", f"{two}")
    if since(era, "2.10"):
        check(model["aliases"] == [{"alias": "champion", "version": "2"}], f"{model}")


def check_logged_model(site):
    model = site.get("logged-models/m-" + "0" * 32)["model"]
    info = model["info"]
    check((info["name"], info["status"], info["model_type"], info["source_run_id"], info["creation_timestamp_ms"]) ==
          ("net", "LOGGED_MODEL_READY", "sklearn", R1, TIME), f"{info}")
    check(pairs(model["data"]["params"]) == {"depth": "3"} and model["data"]["metrics"][0]["value"] == 0.5, f"{model}")
    check(site.file("1/models/m-" + "0" * 32 + "/artifacts/weights") == b"w" * 100000, "weights")
    outputs = site.run(R1)["outputs"]["model_outputs"]
    check(outputs == [{"model_id": "m-" + "0" * 32, "step": 4}], f"{outputs}")


@case
def a_second_import_adds_what_is_new_and_keeps_what_was_changed_here():
    with Site() as site:
        database = Database(site.source)
        fill(database, site.home)
        database.commit()
        site.bring()
        site.client.call("POST", "runs/set-tag", {"run_id": R1, "key": "k", "value": "changed here"})
        database.points(R2, [("loss", 9.0, TIME, 7)])
        database.execute("UPDATE runs SET status = 'KILLED', end_time = ? WHERE run_uuid = ?", (TIME + 99, R2))
        database.run("%032x" % 9, 1, "", "ninth", params={"p": "1"})
        database.version("net", 3, "s3://bucket/three")
        database.close()
        result = site.bring()
        check((result["runs"], result["runs_skipped"], result["points"], result["versions"]) == (2, 3, 1, 1), f"{result}")
        second = site.run(R2)["info"]
        check((second["status"], second["end_time"]) == ("KILLED", TIME + 99), f"{second}")
        check(site.history(R2, "loss") == [(9.0, TIME, 7)], "new point")
        check(pairs(site.run(R1)["data"]["tags"])["k"] == "changed here", "a tag of ours was overwritten")
        check(site.run("%032x" % 9)["info"]["run_name"] == "ninth", "new run")


@case
def ids_and_names_that_are_taken_are_mapped_and_told():
    with Site() as site:
        site.client.call("POST", "experiments/create", {"name": "one"})   # takes id 1
        site.client.call("POST", "experiments/create", {"name": "taxi"})  # takes id 2 and the name of the source's 1
        database = Database(site.source)
        fill(database, site.home)
        database.experiment(2, "other")
        database.close()
        result = site.bring()
        check("id is 2 here, not 1" in item(result, "changed", "experiment", "taxi"), f"{result}")
        check("not 2" in item(result, "changed", "experiment", "other"), f"{result}")
        check(site.run(R1)["info"]["experiment_id"] == "2", "R1 is elsewhere")
        check(site.file(f"2/{R1}/artifacts/model/MLmodel") is not None, "its artifacts are elsewhere")
        version = site.get("model-versions/get", name="net", version="1")["model_version"]
        check(version["source"] == f"mlflow-artifacts:/2/{R1}/artifacts/model", version["source"])
        check(site.bring()["runs"] == 0, "the second import is not the same")


@case
def what_the_server_refuses_is_named_and_the_rest_comes_over():
    with Site() as site:
        database = Database(site.source)
        database.experiment(1, "e")
        points = [("good", float(i), TIME + i, i) for i in range(25000)]
        points[12345] = ("bad\u0001key", 1.0, TIME, 1)
        points[20000] = ("good", 1.0, -5, 1)
        database.run(R1, 1, "", "r", tags={"ok": "1", "not?ok": "2"}, params={"p": "1"}, points=points)
        database.run("not a run id", 1, "", "r")
        database.close()
        result = site.bring(expect=INCOMPLETE)
        for kind, name in (("tag", "not?ok"), ("metric", "bad?key"), ("metric", "good"), ("run", "not a run id")):
            item(result, "failed", kind, name)
        check(result["failed"] == 4, f"{result}")
        run = site.run(R1)
        check(run["info"]["status"] == "FINISHED" and pairs(run["data"]["tags"])["ok"] == "1", f"{run}")
        summary = site.get("/api/trackerd/v1/metrics/summary", run_ids=R1)
        check(sum(m["point_count"] for r in summary["runs"] for m in r["metrics"]) == 24998, f"{summary}")
        check(site.bring(expect=INCOMPLETE)["failed"] == 4, "the second import tells less")


@case
def artifacts_are_found_behind_a_root_after_a_move_or_told_to_stay():
    with Site() as site:
        database = Database(site.source)
        database.experiment(1, "proxied", "mlflow-artifacts:/1")
        database.experiment(2, "moved", "/no/such/place/2")
        database.experiment(3, "bucket", "s3://bucket/3")
        database.run(R1, 1, f"mlflow-artifacts:/1/{R1}/artifacts", "a")
        database.run(R2, 2, f"/no/such/place/2/{R2}/artifacts", "b")
        database.run(R3, 3, f"s3://bucket/3/{R3}/artifacts", "c")
        database.close()
        root = site.path("root")
        write_file(f"{root}/1/{R1}/artifacts/x/y.bin", b"\0" * 3000000)
        write_file(f"{root}/2/{R2}/artifacts/z", b"z")
        result = site.bring()
        for run_id in (R1, R2, R3):
            item(result, "changed", "artifacts", run_id)
        check(site.run(R2)["info"]["artifact_uri"].startswith("/no/such/place"), "R2")
        check(site.run(R1)["info"]["artifact_uri"] == f"mlflow-artifacts:/1/{R1}/artifacts", "R1")
        result = site.bring("--artifacts-root", root)
        check(result["artifacts"] == 2 and result["runs"] == 2, f"{result}")
        check(len(site.file(f"1/{R1}/artifacts/x/y.bin")) == 3000000, "y.bin")
        check(site.file(f"2/{R2}/artifacts/z") == b"z", "z")
        check(site.run(R3)["info"]["artifact_uri"] == f"s3://bucket/3/{R3}/artifacts", "R3")
        check(site.get("experiments/get", experiment_id="3")["experiment"]["artifact_location"] == "s3://bucket/3", "3")


@case
def no_artifacts_leaves_them_and_their_addresses():
    with Site() as site:
        database = Database(site.source)
        fill(database, site.home)
        database.close()
        check(site.bring("--no-artifacts")["artifacts"] == 0, "something was uploaded")
        check(site.run(R1)["info"]["artifact_uri"] == f"{site.home}/art/1/{R1}/artifacts", "the address is gone")
        check(site.bring()["artifacts"] == 3, "the second import brings them")


@case
def missing_and_unreadable_artifacts_are_named():
    with Site() as site:
        database = Database(site.source)
        fill(database, site.home)
        database.close()
        base = site.path("art", "1", R1, "artifacts")
        shutil.rmtree(base + "/model")
        os.symlink("/etc/passwd", base + "/link")
        os.mkfifo(base + "/pipe")
        write_file(base + "/locked/in", b"x")
        os.chmod(base + "/locked", 0)
        os.chmod(site.source, 0o644)
        result = bring_as_nobody(site)
        item(result, "failed", "artifact", "link")
        item(result, "failed", "artifact", "pipe")
        item(result, "failed", "artifact", "locked")
        check("net/1" in item(result, "failed", "artifact", "/model"), f"{result}")
        check(site.file(f"1/{R1}/artifacts/link") is None, "a link was followed")
        check(site.run(R1)["info"]["status"] == "FINISHED", "R1")
        os.chmod(base + "/locked", 0o755)
        for name in ("link", "pipe"):
            os.unlink(f"{base}/{name}")
        write_file(base + "/model/MLmodel", b"again")
        check(site.bring()["failed"] == 0, "the second import does not complete it")
        check(site.file(f"1/{R1}/artifacts/locked/in") == b"x", "in")


def bring_as_nobody(site):
    """The root of a test machine can read everything."""
    def drop():
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    done = subprocess.run([site.trk.program, "import", "mlflow", site.source, "--json", "--url", site.daemon.url],
                          capture_output=True, text=True, timeout=60, preexec_fn=drop if os.getuid() == 0 else None)
    check(done.returncode == INCOMPLETE, f"exit {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


@case
def a_damaged_database_gives_what_can_be_read():
    with Site() as site:
        database = Database(site.source, "2.10")
        database.experiment(1, "e")
        for i in range(400):
            database.run("%032x" % i, 1, "", f"run {i}", params={"p": "x" * 100},
                         points=[("m", float(s), TIME + s, s) for s in range(20)])
        pages = [r[0] for r in database.execute("SELECT pageno FROM dbstat WHERE name = 'runs' AND pagetype = 'leaf'")] \
            if has_dbstat(database) else []
        size = database.execute("PRAGMA page_size").fetchone()[0]
        database.close()
        whole = site.path("whole.db")
        shutil.copy(site.source, whole)
        target = pages[len(pages) // 2] if pages else os.path.getsize(site.source) // size // 2
        flip_page(site.source, size, target)
        result = site.bring(expect=INCOMPLETE)
        check(result["failed"] >= 1, f"{result}")
        if pages:
            item(result, "failed", "runs", "1")
            check(300 < result["runs"] < 400, f"{result['runs']} runs of 400 came over")
        for run in site.client.call("POST", "runs/search", {"experiment_ids": ["1"], "max_results": 1000})["runs"]:
            check(run["info"]["status"] == "FINISHED", f"{run['info']}")
        result = site.bring(source=whole)
        check(len(site.everything()) == 1 + 400 * 2, "the repaired database does not complete it")


def has_dbstat(database):
    try:
        database.execute("SELECT 1 FROM dbstat LIMIT 1").fetchone()
        return True
    except sqlite3.OperationalError:
        return False


def flip_page(path, size, number):
    with open(path, "r+b") as file:
        file.seek((number - 1) * size)
        page = file.read(size)
        file.seek((number - 1) * size)
        file.write(bytes(b ^ 0xff for b in page))


@case
def any_damaged_page_ends_in_a_sentence():
    with Site() as site:
        database = Database(site.source)
        fill(database, site.home)
        size = database.execute("PRAGMA page_size").fetchone()[0]
        database.close()
        with open(site.source, "rb") as file:
            whole = file.read()
        for number in range(1, len(whole) // size + 1):
            with open(site.source, "wb") as file:
                file.write(whole)
            flip_page(site.source, size, number)
            check_ends(site, f"page {number}")
        for length in (0, 1, 100, size, size + 1, len(whole) // 2):
            with open(site.source, "wb") as file:
                file.write(whole[:length])
            check_ends(site, f"{length} bytes")


def check_ends(site, what):
    done = subprocess.run([site.trk.program, "import", "mlflow", site.source, "--dry-run"], env=site.trk.environment,
                          capture_output=True, text=True, timeout=60)
    check(done.returncode in (0, 1, 2, INCOMPLETE), f"{what}: exit {done.returncode}: {done.stderr}")
    check(done.returncode == 0 or done.stderr.strip(), f"{what}: says nothing")


@case
def what_is_no_database_of_mlflow_is_called_what_it_is():
    with Site() as site:
        rows = [
            ("text", lambda p: write_file(p, b"hello " * 1000), "no SQLite database"),
            ("other", lambda p: sqlite3.connect(p).executescript("CREATE TABLE t (a)"), "not one of MLflow"),
            ("alike", lambda p: sqlite3.connect(p).executescript("CREATE TABLE runs (a); CREATE TABLE experiments (b)"),
             "not one of MLflow"),
            ("own", lambda p: shutil.copy(os.path.join(site.daemon.data, "tracker.db"), p), "trackerd itself"),
        ]
        for name, make, sentence in rows:
            path = site.path(name)
            make(path)
            done = site.trk.run("import", "mlflow", path, expect=1)
            check(sentence in done.stderr, f"{name}: {done.stderr}")
        for source, sentence, status in (("postgresql://u@h/db", "another kind", 1), ("/nowhere", "No such file", 1),
                                         ("http://127.0.0.1:1", "cannot be reached", UNREACHABLE)):
            done = site.trk.run("import", "mlflow", source, expect=status)
            check(sentence in done.stderr, f"{source}: {done.stderr}")


@case
def what_a_newer_mlflow_added_is_named_and_the_rest_comes_over():
    with Site() as site:
        database = Database(site.source)
        fill(database, site.home)
        database.execute("CREATE TABLE novelties (a)")
        database.execute("INSERT INTO novelties VALUES (1), (2)")
        database.execute("CREATE TABLE empty_novelties (a)")
        database.execute('ALTER TABLE runs ADD COLUMN "a ""b" TEXT')
        database.execute("ALTER TABLE runs ADD COLUMN unused TEXT")
        database.execute("""UPDATE runs SET "a ""b" = 'x'""")
        database.execute("INSERT INTO trace_info VALUES ('tr-1', 1)")
        database.execute("INSERT INTO experiments VALUES (9, 'foreign', '', 'active', 1, 1, 'team')")
        database.close()
        result = site.bring()
        check("2 rows" in item(result, "left out", "table", "novelties"), f"{result}")
        check("traces (1)" in item(result, "left out", "table", "trace_info"), f"{result}")
        check("runs" in item(result, "left out", "column", 'a "b'), f"{result}")
        check("team" in item(result, "left out", "experiment", "foreign"), f"{result}")
        check(result["left_out"] == 4 and result["runs"] == 4, f"{result}")


@case
def texts_that_are_none_and_rows_that_hang_loose_are_named():
    with Site() as site:
        database = Database(site.source)
        fill(database, site.home)
        database.execute("INSERT INTO tags VALUES ('binary', CAST(x'ff00fe' AS TEXT), ?)", (R1,))
        database.run("%032x" % 77, 99, "", "orphan")
        database.insert("inputs", input_uuid="i", source_type="DATASET", source_id="nowhere", destination_type="RUN",
                        destination_id=R1)
        database.close()
        result = site.bring(expect=INCOMPLETE)
        check("UTF-8" in item(result, "failed", "tags", R1), f"{result}")
        check("1 of them" in item(result, "failed", "table", "runs"), f"{result}")
        item(result, "failed", "dataset", "nowhere")
        check(site.run(R1)["info"]["status"] == "FINISHED", "R1")


@case
def the_source_is_only_read_in_wal_mode_too():
    for is_open in (False, True):
        with Site() as site:
            database = Database(site.source)
            database.execute("PRAGMA journal_mode = WAL")
            fill(database, site.home)
            database.commit()
            if not is_open:
                database.close()
                os.chmod(site.home, 0o555)
            before = digest(site.source)
            check(site.bring()["runs"] == 4, "not all came over")
            check(digest(site.source) == before, "the source was changed")
            if is_open:
                database.close()
            os.chmod(site.home, 0o755)


@case
def a_locked_database_is_told():
    with Site() as site:
        database = Database(site.source)
        fill(database, site.home)
        database.commit()
        database.execute("BEGIN EXCLUSIVE")
        done = site.trk.run("import", "mlflow", site.source, expect=1)
        check("stop MLflow first" in done.stderr, done.stderr)
        database.close()


@case
def an_import_that_was_killed_is_completed_by_the_next():
    with Site() as whole, Site() as site:
        database = Database(site.source)
        fill(database, site.home)
        for i in range(100, 130):
            database.run("%032x" % i, 1, "", f"run {i}", points=[("m", float(s), TIME + s, s) for s in range(3000)])
        database.close()
        whole.bring(source=site.source)
        expected = whole.everything()
        for kill_at in (2, 8, 20):
            kill_import(site, kill_at)
            check_no_half_run(site, expected)
        site.bring()
        compare(expected, site.everything())


def kill_import(site, run_count):
    process = subprocess.Popen([site.trk.program, "import", "mlflow", site.source, "-q"], env=site.trk.environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        runs = site.client.call("POST", "runs/search", {"experiment_ids": ["1"], "run_view_type": "ALL",
                                                        "max_results": 1000}).get("runs", [])
        if len(runs) >= run_count:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()


def check_no_half_run(site, expected):
    """A run that reads as ended is all there."""
    for key, value in site.everything().items():
        if key.startswith("curve ") and site.run(key.split()[1])["info"]["status"] == "FINISHED":
            check(value == expected[key], f"{key}: {len(value)} of {len(expected[key])} points of a finished run")


def compare(expected, found):
    check(expected.keys() == found.keys(), f"differ in {sorted(expected.keys() ^ found.keys())[:10]}")
    for key, value in expected.items():
        check(found[key] == value, f"{key}:\n{value}\n{found[key]}")


@case
def an_import_outlives_a_restart_of_the_daemon():
    with Site() as site:
        database = Database(site.source)
        database.experiment(1, "e")
        for i in range(20):
            database.run("%032x" % i, 1, "", f"run {i}", points=[("m", float(s), TIME + s, s) for s in range(5000)])
        database.close()
        process = subprocess.Popen([site.trk.program, "import", "mlflow", site.source, "--json"], env=site.trk.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            runs = site.client.call("POST", "runs/search", {"experiment_ids": ["1"]}).get("runs", []) \
                if "experiment 1" in site.everything() else []
            if len(runs) >= 2:
                break
        port = site.daemon.port
        site.daemon.kill()
        site.daemon.start(port)
        output, errors = process.communicate(timeout=300)
        site.client = site.daemon.connect()
        if process.returncode != 0:  # it was away for longer than the import is patient
            check(process.returncode == UNREACHABLE, f"exit {process.returncode}: {errors}")
            site.bring()
        for i in range(20):
            check(len(site.history("%032x" % i, "m")) == 5000, f"run {i}")
            check(site.run("%032x" % i)["info"]["status"] == "FINISHED", f"run {i}")


@case
def a_dry_run_reads_all_and_writes_nothing():
    with Site() as site:
        database = Database(site.source)
        fill(database, site.home)
        database.close()
        before = site.everything()
        result = site.bring("--dry-run")
        check((result["experiments"], result["runs"], result["points"], result["artifacts"], result["versions"]) ==
              (3, 4, 5, 3, 2), f"{result}")
        check(site.everything() == before, "something was written")
        text = site.trk.out("import", "mlflow", site.source, "--dry-run")
        check(text.startswith("would import 3 experiments, 4 runs, 5 points"), text)


@case
def one_experiment_comes_alone():
    with Site() as site:
        database = Database(site.source)
        fill(database, site.home)
        database.close()
        result = site.bring("--experiment", "gone")
        check((result["experiments"], result["runs"], result["models"]) == (1, 1, 0), f"{result}")
        done = site.trk.run("import", "mlflow", site.source, "--experiment", "nobody", expect=NOT_FOUND)
        check('no experiment named "nobody"' in done.stderr, done.stderr)


@case
def mistakes_in_the_command_line_are_told():
    with Site() as site:
        check("Usage: trk import mlflow" in site.trk.out("import", "mlflow", "--help"), "--help")
        site.trk.run("import", "mlflow", expect=USAGE)
        done = site.trk.run("import", "mlflow", "x", "--artifact-root", "y", expect=USAGE)
        check("--artifacts-root" in done.stderr, done.stderr)


@case
def a_person_sees_a_bar_and_what_did_not_come_over():
    with Site() as site:
        database = Database(site.source)
        database.experiment(1, "e")
        for i in range(10):
            database.run("%032x" % i, 1, "s3://b/x", f"r{i}", points=[("m", float(s), TIME + s, s) for s in range(20000)])
        database.close()
        seen = site.trk.terminal("import", "mlflow", site.source)
        check("importing" in seen and "points/s" in seen, seen)
        last = seen.rstrip("\n").split("\n")[-1]
        check(last.endswith("imported 1 experiment, 10 runs, 200000 points, 0 logged models, 0 models, 0 versions, 0 files"
                            " (0 B)"), last)
        check(re.search(r"changed: artifacts 0+3: not reachable", seen), seen)


# ---- servers -------------------------------------------------------------------------------------------------------------

@case
def another_trackerd_comes_over_as_it_is():
    with Site() as one, Site() as two:
        database = Database(one.source)
        fill(database, one.home)
        for i in range(1000, 1450):  # more than a page
            database.run("%032x" % i, 1, "", f"run {i}")
        database.points(R1, [("long", float(s), TIME + s, s) for s in range(60000)])
        database.close()
        one.bring()
        result = two.bring(source=one.daemon.url)
        check(result["failed"] == 0 and result["runs"] == 454, f"{result}")
        compare(one.everything(), two.everything())
        check(two.file(f"1/{R1}/artifacts/model/MLmodel") == b"flavors: {}\n", "artifact")
        check(two.file("1/models/m-" + "0" * 32 + "/artifacts/weights") == b"w" * 100000, "weights")
        again = two.bring(source=one.daemon.url)
        check(again["runs"] == 0 and again["runs_skipped"] == 454, f"{again}")


class Broken(http.server.BaseHTTPRequestHandler):
    """Passes requests on to a trackerd, but answers some in its own way: `rules` are (method, part of the path, reply)."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, method):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        for rule in self.server.rules:
            if rule[0] == method and rule[1] in self.path and rule[3:] != [0]:
                if len(rule) > 3:
                    rule[3] -= 1
                return self.reply(*rule[2])
        headers = {"Content-Type": "application/json"} if body else {}
        status, found, data = self.server.site.daemon.connect().raw(method, self.path, body or None, headers)
        return self.reply(status, data, found.get("Content-Type", "application/json"))

    def reply(self, status, data, kind="application/json"):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer("GET")

    def do_POST(self):
        self.answer("POST")


class BrokenServer(LoopbackServer):
    def __init__(self, site, rules):
        super().__init__(Broken)
        self.server.site, self.server.rules = site, [list(rule) for rule in rules]


def error(code, message):
    return {"error_code": code, "message": message}


@case
def a_server_that_fails_in_places_gives_the_rest():
    rules = [
        ("GET", "metric_key=loss", (500, error("INTERNAL_ERROR", "no disk"))),
        ("GET", "/get-artifact", (500, error("INTERNAL_ERROR", "no file"))),
        ("GET", "model-versions/search", (400, error("INVALID_PARAMETER_VALUE", "no order"))),
        ("POST", "runs/search", (503, error("TEMPORARILY_UNAVAILABLE", "busy")), 2),
    ]
    with Site() as one, Site() as two:
        database = Database(one.source)
        fill(database, one.home)
        database.close()
        one.bring()
        with BrokenServer(one, rules) as broken:
            result = two.bring(source=broken.url, expect=INCOMPLETE)
        check("no disk" in item(result, "failed", "metric", "loss"), f"{result}")
        check("no file" in item(result, "failed", "artifact", "model/MLmodel"), f"{result}")
        check("no order" in item(result, "failed", "model", "net"), f"{result}")
        check(result["runs"] == 4 and two.history(R1, "a/b") == one.history(R1, "a/b"), f"{result}")
        result = two.bring(source=one.daemon.url)
        check(result["failed"] == 0, f"{result}")
        compare(one.everything(), two.everything())


@case
def a_server_from_before_there_was_much_gives_what_it_has():
    missing = error("ENDPOINT_NOT_FOUND", "no such page")
    with Site() as one, Site() as two:
        database = Database(one.source)
        fill(database, one.home)
        database.close()
        one.bring()
        experiments = one.client.call("POST", "experiments/search", {"view_type": "ALL", "max_results": 9})["experiments"]
        rules = [
            ("POST", "experiments/search", (404, missing)),
            ("GET", "experiments/list", (200, {"experiments": experiments})),
            ("POST", "logged-models", (404, missing)),
            ("GET", "registered-models/search", (404, missing)),
        ]
        with BrokenServer(one, rules[:3]) as old:
            result = two.bring(source=old.url)
        check(result["failed"] == 0 and result["runs"] == 4 and result["logged_models"] == 0, f"{result}")


@case
def a_server_that_lies_about_folders_is_not_followed_in_circles():
    loop = {"files": [{"path": "a", "is_dir": True}, {"path": "../up", "is_dir": False, "file_size": 1},
                      {"path": "same", "is_dir": True}]}
    with Site() as one, Site() as two:
        database = Database(one.source)
        fill(database, one.home)
        database.close()
        one.bring()
        with BrokenServer(one, [("GET", "artifacts/list", (200, loop)), ("GET", "/get-artifact", (200, b"x"))]) as broken:
            result = two.bring(source=broken.url, expect=INCOMPLETE)
        item(result, "failed", "artifact", "a")
        item(result, "failed", "artifact", "../up")


@case
def what_is_no_tracker_is_told():
    class NoTracker(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            self.send_error(404)
        do_POST = do_GET

    with Site() as site, LoopbackServer(NoTracker) as server:
        done = site.trk.run("import", "mlflow", server.url, expect=1)
        check("does not speak MLflow's API" in done.stderr, done.stderr)
        Database(site.source).close()
        done = site.trk.run("import", "mlflow", site.source, "--url", server.url, expect=1)
        check("takes no imports" in done.stderr, done.stderr)


if __name__ == "__main__":
    run_cases(only=sys.argv[2] if len(sys.argv) > 2 else "")
