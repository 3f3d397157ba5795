#!/usr/bin/env python3
"""Removing for good what was deleted: what goes, what stays and why, how many bytes become free, and what a crash leaves.

Usage: run_gc.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import http.client
import io
import json
import os
import random
import sqlite3
import subprocess
import sys
import tarfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, binary  # noqa: E402

GC = "/api/trackerd/v1/gc"
PROXY = "/api/2.0/mlflow-artifacts/"
MIB = 1 << 20
DEADLINE_S = 60
ROW_TABLES = ("experiments", "experiment_tags", "runs", "run_tags", "params", "metric_series", "metric_tail",
              "metric_chunks", "datasets", "run_datasets", "run_model_inputs", "run_model_outputs", "logged_models",
              "logged_model_tags", "logged_model_params", "logged_model_metrics", "traces")


def noise(size, seed):
    return random.Random(seed).randbytes(size)


def equal(actual, expected, what):
    check(actual == expected, f"{what}: {actual!r} instead of {expected!r}")


class Site:
    """A daemon, and short words for what fills it."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.daemon = Daemon(os.path.join(self.folder, "trackerd"))
        self.client = self.daemon.connect()
        return self

    def __exit__(self, *exception):
        self.client.close()
        self.daemon.__exit__(*exception)

    def restart(self):
        self.client.close()
        self.daemon.start()
        self.client = self.daemon.connect()

    def trk(self, *arguments, expect=0):
        """(standard output, standard error) of the command line."""
        done = subprocess.run([os.path.join(self.folder, "trk"), *arguments, "--url", self.daemon.url], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=DEADLINE_S,
                              env={"PATH": os.environ["PATH"]})
        equal(done.returncode, expect, f"trk {arguments}: {done.stdout} {done.stderr}")
        return done.stdout, done.stderr

    def post(self, path, /, **body):
        return self.client.call("POST", path, body)

    def experiment(self, name, **more):
        return self.post("experiments/create", name=name, **more)["experiment_id"]

    def run(self, experiment, points=0):
        run_id = self.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"]
        self.post("runs/log-batch", run_id=run_id, params=[{"key": "alpha", "value": "1"}],
                  tags=[{"key": "kind", "value": "test"}])
        for begin in range(0, points, 1000):
            metrics = [{"key": f"m{i % 3}", "value": i * 0.37 % 1, "timestamp": 1700000000000 + i, "step": i}
                       for i in range(begin, min(begin + 1000, points))]
            self.post("runs/log-batch", run_id=run_id, metrics=metrics)
        return run_id

    def put(self, path, data):
        status, _, body = self.client.raw("PUT", PROXY + "artifacts/" + path, data)
        equal(status, 200, f"PUT {path}: {body[:200]}")

    def put_in_parts(self, path, parts):
        """Gives what completing it takes."""
        directory, name = path.rsplit("/", 1)
        upload = self.post(PROXY + "mpu/create/" + directory, path=name, num_parts=len(parts))
        done = []
        for part, credential in zip(parts, upload["credentials"]):
            status, headers, _ = self.client.raw("PUT", "/" + credential["url"].split("/", 3)[3], part)
            equal(status, 200, "PUT of a part")
            done.append({"part_number": len(done) + 1, "etag": headers["ETag"]})
        return {"upload_id": upload["upload_id"], "parts": done}

    def complete(self, path, upload):
        directory, name = path.rsplit("/", 1)
        self.post(PROXY + "mpu/complete/" + directory, path=name, **upload)

    def put_archive(self, path, files):
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as tar:
            for name, data in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        equal(self.client.raw("PUT", "/api/trackerd/v1/archive/" + path, raw.getvalue())[0], 200, "PUT of an archive")

    def version(self, model, run_id, source, alias=None):
        self.client.raw("POST", "/api/2.0/mlflow/registered-models/create", json.dumps({"name": model}))
        number = self.post("model-versions/create", name=model, source=source, run_id=run_id)["model_version"]["version"]
        if alias:
            self.post("registered-models/alias", name=model, alias=alias, version=number)
        return number

    def plan(self, older_than_ms=0):
        return self.client.call("GET", f"{GC}?older_than_ms={older_than_ms}")

    def collect(self, **age):
        """All of it, request after request; what was removed."""
        sums, after = {"runs": 0, "experiments": 0, "logged_models": 0}, ""
        for _ in range(1000):
            reply = self.post(GC, **(age or {"older_than_ms": 0}), after=after)
            for key in sums:
                sums[key] += reply[key]
            after = reply["after"]
            if reply["done"]:
                equal(after, "", "after of the last reply")
                return sums
        raise AssertionError("gc does not come to an end")

    def read(self, database, sql, *values):
        with sqlite3.connect(f"file:{self.daemon.data}/{database}.db?mode=ro", uri=True) as db:
            return db.execute(sql, values).fetchall()

    def number(self, database, sql, *values):
        return self.read(database, sql, *values)[0][0]

    def blob_bytes(self):
        return self.number("artifacts", "SELECT coalesce(sum(length(data)), 0) FROM blob_chunks")

    def metric_bytes(self):
        return self.number("tracker", "SELECT (SELECT coalesce(sum(length(data)), 0) FROM metric_chunks)"
                                      " + (SELECT coalesce(sum(length(data)), 0) FROM metric_tail)")

    def row_count(self):
        return sum(self.number("tracker", f"SELECT count(*) FROM {table}") for table in ROW_TABLES)

    def unreferenced(self):
        used = {pk for pk, in self.read("tracker", "SELECT blob_pk FROM artifact_files"
                                                   " UNION SELECT blob_pk FROM multipart_parts")}
        used |= {pk for pk, in self.read("artifacts", "SELECT part_pk FROM blob_parts")}
        return [pk for pk, in self.read("artifacts", "SELECT blob_pk FROM blobs") if pk not in used]

    def settle(self):
        """Until the sweep has deleted what nothing refers to, and points are where they stay."""
        deadline = time.monotonic() + DEADLINE_S
        while self.unreferenced() or self.number("tracker", "SELECT count(*) FROM metric_tail"):
            check(time.monotonic() < deadline, "the sweep does not come to an end")
            time.sleep(0.02)


def fill(site):
    """A bit of everything. Returns ids by name."""
    gone, kept = site.experiment("gone"), site.experiment("kept")
    ids = {"gone": gone, "kept": kept}
    for name, experiment, points in (("g1", gone, 5000), ("g2", gone, 10), ("k1", kept, 3000), ("k2", kept, 3000),
                                     ("needed", kept, 100), ("uploading", kept, 10), ("archive", kept, 10)):
        ids[name] = site.run(experiment, points)
    where = {name: f"{gone if name in ('g1', 'g2') else kept}/{run}/artifacts" for name, run in ids.items()
             if name not in ("gone", "kept")}
    site.put(where["g1"] + "/both", noise(2 * MIB + 7, 1))      # of two that go
    site.put(where["g2"] + "/both", noise(2 * MIB + 7, 1))
    site.put(where["g1"] + "/shared", noise(3 * MIB, 2))        # of one that goes and one that stays
    site.put(where["k2"] + "/shared", noise(3 * MIB, 2))
    site.put(where["k1"] + "/a/b/c/own", noise(100000, 3))
    site.put(where["k1"] + "/empty", b"")
    site.put(where["needed"] + "/model/weights", noise(MIB, 4))
    parts = [noise(MIB, 5), noise(MIB, 6), noise(MIB, 5)]       # a part twice
    upload = site.put_in_parts(where["k1"] + "/parts", parts)
    site.complete(where["k1"] + "/parts", upload)
    site.put(where["k2"] + "/part", parts[1])                   # a part that is a file of its own, too
    site.put_in_parts(where["uploading"] + "/big", [noise(1000, 7)])
    site.put_archive(where["archive"] + "/tree", {"x": noise(70000, 8), "y": noise(1000, 9)})
    site.put(f"{gone}/by-hand", noise(5000, 10))                # in the experiment's folder, of no run
    model = site.post("logged-models", experiment_id=kept, name="net", tags=[{"key": "t", "value": "v"}])
    ids["model"] = model["model"]["info"]["model_id"]
    site.put(f"{kept}/models/{ids['model']}/artifacts/MLmodel", noise(2000, 11))
    site.post("runs/log-inputs", run_id=ids["g1"], datasets=[
        {"dataset": {"name": "d", "digest": "1", "source_type": "local", "source": "/d", "profile": "p" * 100000}}])
    site.post("/api/3.0/mlflow/traces", trace={"trace_info": {
        "trace_id": "tr-1", "request_time": "2026-03-01T12:00:00Z", "tags": {"a": "b"},
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": gone}}}})
    site.put(f"{gone}/traces/tr-1/artifacts/traces.json", noise(3000, 12))
    site.version("taxi", ids["needed"], f"mlflow-artifacts:/{where['needed']}/model", "champion")
    for name in ("g1", "g2", "k1", "k2", "needed", "uploading", "archive"):
        site.post("runs/update", run_id=ids[name], status="FINISHED", end_time=1700000001000)
    return ids


def delete(site, ids):
    for name in ("k1", "uploading", "archive"):
        site.post("runs/delete", run_id=ids[name])
    site.post("runs/delete", run_id=ids["needed"], force=True)
    site.client.call("DELETE", "logged-models/" + ids["model"])
    site.post("experiments/delete", experiment_id=ids["gone"])


@case
def the_plan_is_what_happens(folder):
    """What goes frees the bytes and rows that the plan says, and what stays is told why."""
    with Site(folder) as site:
        ids = fill(site)
        equal(site.plan()["goes"], [], "nothing is deleted")
        delete(site, ids)
        site.settle()
        plan = site.plan()
        goes = {item["id"]: item for item in plan["goes"]}
        stays = {item["id"]: (item["kind"], item["reason"], item["text"]) for item in plan["stays"]}
        equal(set(goes), {ids[n] for n in ("g1", "g2", "k1", "archive", "model", "gone")}, "what goes")
        equal(stays, {
            ids["needed"]: ("run", "needed", "version 1 of model 'taxi' (champion) needs it"),
            ids["uploading"]: ("run", "upload", "a file of it is being uploaded in parts")}, "what stays")
        # Byte by byte: shared files stay, equal ones are freed with the last that goes.
        figures = {name: tuple(goes[ids[name]][key] for key in ("files", "artifact_bytes", "shared_bytes", "freed_bytes"))
                   for name in ("g1", "g2", "k1", "model", "gone")}
        both = 2 * MIB + 7
        equal(figures["g1"], (2, both + 3 * MIB, both + 3 * MIB, 0), "g1")
        equal(figures["g2"], (1, both, 0, both), "g2")
        equal(figures["k1"], (3, 3 * MIB + 100000, 0, MIB + 100000), "k1: a part it has twice, one that k2 has, too")
        equal(figures["model"], (1, 2000, 0, 2000), "the logged model")
        equal(figures["gone"], (2, 8000, 0, 8000), "what is left in the experiment's folder")
        before = site.blob_bytes(), site.metric_bytes(), site.row_count()
        sums = site.collect(deleted_before_ms=plan["deleted_before_ms"])
        equal(sums, {"runs": 4, "experiments": 1, "logged_models": 1}, "removed")
        equal({key: plan["total"][key] for key in sums}, sums, "total of the plan")
        site.settle()
        after = site.blob_bytes(), site.metric_bytes(), site.row_count()
        equal(before[0] - after[0], plan["total"]["freed_bytes"], "bytes of blobs")
        equal(before[1] - after[1], plan["total"]["metric_bytes"], "bytes of points")
        equal(before[2] - after[2], plan["total"]["rows"], "rows")
        equal(site.plan()["goes"], [], "there is nothing more")
        print(f"        {plan['total']}")
        equal(site.client.raw("GET", f"/api/2.0/mlflow/runs/get?run_id={ids['k1']}")[0], 404, "a run that is gone")
        equal(site.client.raw("POST", "/api/2.0/mlflow/runs/restore", json.dumps({"run_id": ids["k1"]}))[0], 404,
              "it cannot be restored")
        check(site.experiment("gone") not in (ids["gone"], ids["kept"]), "the name is free, the number is not used again")
        equal(site.client.raw("GET", PROXY + f"artifacts/{ids['kept']}/{ids['k2']}/artifacts/part")[2], noise(MIB, 6),
              "a file that is also a part")
        equal(site.client.raw("GET", PROXY + f"artifacts/{ids['kept']}/{ids['needed']}/artifacts/model/weights")[2],
              noise(MIB, 4), "the needed file")
        equal([row for (row,) in site.read("tracker", "PRAGMA foreign_key_check")], [], "dangling rows")


@case
def the_command_line_explains_and_removes(folder):
    """trk gc --dry-run tells what goes and why the rest stays; trk gc does that, waits for the disk, and asks before."""
    with Site(folder) as site:
        ids = fill(site)
        equal(site.trk("gc", "--older-than", "0")[1].split(":")[0], "nothing would go", "without deletions")
        delete(site, ids)
        site.settle()
        text, talk = site.trk("gc", "--dry-run", "--older-than", "0")
        print("        " + (text + talk).replace("\n", "\n        ").rstrip())
        for words in ("Stays: run", "needs it", "is being uploaded", "FREED", "gone"):
            check(words in text, f"{words!r} is not in {text}")
        check("3.3 MB freed" in talk and "would go" in talk, talk)
        dry = json.loads(site.trk("gc", "--dry-run", "--older-than", "0", "--json")[0])
        check("--yes" in site.trk("gc", "--older-than", "0", expect=2)[1], "nobody there to ask")
        equal(len(json.loads(site.trk("gc", "--json", "--dry-run")[0])["goes"]), 0, "after thirty days")
        equal((site.plan()["total"]["runs"], dry["dry_run"]), (4, True), "nothing went yet")
        before = site.blob_bytes()
        done = json.loads(site.trk("gc", "--older-than", "0s", "--yes", "--json")[0])
        equal(before - site.blob_bytes(), dry["freed_bytes"], "bytes, as soon as trk ends")
        for key in ("runs", "experiments", "logged_models", "rows", "metric_bytes", "freed_bytes", "shared_bytes"):
            equal(done[key], dry[key], key)
        check(done["artifacts_free_bytes"] >= done["freed_bytes"], f"free pages: {done}")
        for age in ("x", "-1d", "5", "1w", "99999999999999d", ""):
            site.trk("gc", "--older-than", age, "--yes", expect=2)


@case
def the_command_line_deletes_what_is_not_needed(folder):
    """trk runs delete tells which runs are needed and goes on; trk experiments delete says which version needs it."""
    with Site(folder) as site:
        experiment = site.experiment("e")
        runs = [site.run(experiment) for _ in range(3)]
        site.version("taxi", runs[1], f"mlflow-artifacts:/{experiment}/{runs[1]}/artifacts/model", "champion")
        why = f"Run {runs[1]} cannot be deleted: version 1 of model 'taxi' (champion) needs it"
        out, talk = site.trk("runs", "delete", *runs, expect=4)
        equal(out.split(), [runs[0], runs[2]], "deleted")
        check(why in talk and "1 run stayed" in talk and "--force" in talk, talk)
        check(why in site.trk("runs", "delete", runs[1], expect=4)[1], "of one run")
        equal(json.loads(site.trk("runs", "delete", runs[1], "--json", expect=4)[0])["runs"], [], "JSON")
        check("(champion) needs it" in site.trk("experiments", "delete", "e", expect=4)[1], "experiment")
        site.trk("runs", "delete", runs[1], "--force")
        site.trk("experiments", "delete", "e", "--force")
        equal(site.number("tracker", "SELECT count(*) FROM registry_events WHERE kind = 'guard.forced'"), 2, "events")


@case
def young_deletions_can_be_restored(folder):
    """What was deleted lately stays, is told so, and comes back whole."""
    with Site(folder) as site:
        ids = fill(site)
        delete(site, ids)
        for plan in (site.plan(3600000), site.client.call("GET", GC)):  # 30 days without an age
            equal(plan["goes"], [], "what goes")
            check({"restore_window"} >= {i["reason"] for i in plan["stays"]}, f"reasons: {plan['stays']}")
        equal(site.collect(older_than_ms=3600000), {"runs": 0, "experiments": 0, "logged_models": 0}, "removed")
        site.post("experiments/restore", experiment_id=ids["gone"])
        equal(site.client.raw("GET", PROXY + f"artifacts/{ids['gone']}/{ids['g1']}/artifacts/both")[0], 200, "its file")


@case
def a_version_that_can_be_restored_keeps_its_files(folder):
    """A version deleted lately, alone or with its model, keeps its run and files, is named, and comes back whole."""
    with Site(folder) as site:
        experiment = site.experiment("e")
        run = site.run(experiment)
        path = f"{experiment}/{run}/artifacts/model/w"
        site.put(path, b"weights")
        for number in ("1", "2"):
            equal(site.version("m", run if number == "1" else "", "mlflow-artifacts:/" + os.path.dirname(path)), number, "number")
        site.post("runs/delete", run_id=run, force=True)
        before_ms = site.plan()["stays"][0]["deleted_ms"]
        while time.time() * 1000 < before_ms + 2:  # what is deleted from now on is deleted later than the run
            pass

        def stays():
            plan = site.client.call("GET", f"{GC}?deleted_before_ms={before_ms}")
            equal((plan["goes"], site.collect(deleted_before_ms=before_ms)["runs"]), ([], 0), "what goes")
            return [(item["reason"], item["text"]) for item in plan["stays"]]

        def delete_version(number):
            site.client.call("DELETE", "model-versions/delete", {"name": "m", "version": number})

        delete_version("1")
        equal(stays(), [("needed", "version 2 of model 'm' needs it")], "with version 2")
        delete_version("2")
        both = [("restore_window", "version 1 of model 'm' and 1 more were deleted lately and need it to be restored")]
        equal(stays(), both, "with both deleted")
        site.post("/api/trackerd/v1/models/m/restore", version="1")
        equal(stays(), [("needed", "version 1 of model 'm' needs it")], "with version 1 restored")
        site.client.call("DELETE", "registered-models/delete", {"name": "m"})
        equal(stays(), both, "with the model deleted")
        site.post("/api/trackerd/v1/models/m/restore")
        equal(site.client.raw("GET", PROXY + "artifacts/" + path)[2], b"weights", "the restored version's file")
        delete_version("1")
        equal(stays(), both, "deleted again")
        site.post("/api/trackerd/v1/models/m/restore", version="1")
        delete_version("1")
        equal(site.collect()["runs"], 1, "when its time is up")
        for number in ("1", "2"):
            site.client.call("POST", "/api/trackerd/v1/models/m/restore", {"version": number}, 409)


@case
def an_experiment_stays_with_what_it_holds(folder):
    """An experiment whose run is needed stays with it; one that shares its folder takes only what is its own."""
    with Site(folder) as site:
        held = site.experiment("held")
        run, other = site.run(held), site.run(held)
        site.version("m", run, f"mlflow-artifacts:/{held}/{run}/artifacts/model")
        site.post("experiments/delete", experiment_id=held, force=True)
        stays = {item["id"]: item["reason"] for item in site.plan()["stays"]}
        equal(stays, {run: "needed", held: "needed"}, "what stays")
        equal(site.collect()["runs"], 1, "the other run goes")
        site.client.call("DELETE", "model-versions/delete", {"name": "m", "version": "1"})
        equal(site.collect(), {"runs": 1, "experiments": 1, "logged_models": 0}, "without the version all goes")
        first = site.experiment("first", artifact_location="mlflow-artifacts:/common")
        second = site.experiment("second", artifact_location="mlflow-artifacts:/common")
        runs = [site.run(first), site.run(second)]
        for i, run_id in enumerate(runs):
            site.put(f"common/{run_id}/artifacts/f", noise(5000, i))
        site.put("common/by-hand", b"nobody's")
        site.post("experiments/delete", experiment_id=first)
        equal(site.plan()["total"]["freed_bytes"], 5000, "freed")
        equal(site.collect(), {"runs": 1, "experiments": 1, "logged_models": 0}, "removed")
        equal(site.client.raw("GET", PROXY + f"artifacts/common/{runs[1]}/artifacts/f")[0], 200, "the other's file")
        equal(site.client.raw("GET", PROXY + "artifacts/common/by-hand")[0], 200, "nobody's file")
        lone = site.experiment("lone", artifact_location="mlflow-artifacts:/lone")
        site.experiment("neighbour", artifact_location="mlflow-artifacts:/lone2")
        for folder_of in ("lone", "lone2"):
            site.put(f"{folder_of}/by-hand", b"of its experiment")
        site.post("experiments/delete", experiment_id=lone)
        site.collect()
        equal(site.client.raw("GET", PROXY + "artifacts/lone/by-hand")[0], 404, "a folder of one experiment alone")
        equal(site.client.raw("GET", PROXY + "artifacts/lone2/by-hand")[0], 200, "one whose name begins alike")
        site.post("experiments/delete", experiment_id="0")
        equal(site.plan()["stays"][0]["reason"], "default", "experiment 0")


@case
def forced_deletions_are_remembered(folder):
    """The history of each version says what was deleted by force, and who did it."""
    with Site(folder) as site:
        experiment = site.experiment("e")
        run = site.run(experiment)
        site.version("m", run, f"mlflow-artifacts:/{experiment}/{run}/artifacts/model")
        status, _, _ = site.client.raw("POST", "/api/2.0/mlflow/runs/delete?force=true", json.dumps({"run_id": run}),
                                       {"X-Trackerd-User": "ana"})
        equal(status, 200, "forced")
        rows = site.read("tracker", "SELECT model, version, actor, detail_json FROM registry_events"
                                    " WHERE kind = 'guard.forced'")
        equal(rows, [("m", 1, "ana", json.dumps({"deleted": f"Run {run}"}, separators=(",", ":")))], "events")
        site.post("runs/delete", run_id=run, force=True)
        equal(site.number("tracker", "SELECT count(*) FROM registry_events WHERE kind = 'guard.forced'"), 1,
              "a run that was deleted already")


@case
def a_killed_collection_goes_on(folder):
    """kill -9 at any moment: what was being removed cannot be restored half, and the next collection does the rest."""
    with Site(folder) as site:
        kept = site.experiment("kept")
        keeper = site.run(kept, 1000)
        site.put(f"{kept}/{keeper}/artifacts/common", noise(200000, 1))
        victims = site.experiment("victims")
        for i in range(60):
            run = site.run(victims, 2000)
            for j in range(10):
                site.put(f"{victims}/{run}/artifacts/d{j}/own", noise(2000, 100 * i + j))
            site.put(f"{victims}/{run}/artifacts/common", noise(200000, 1))
        site.post("experiments/delete", experiment_id=victims)
        rng, kills, deadline = random.Random(7), 0, time.monotonic() + DEADLINE_S
        while True:
            check(time.monotonic() < deadline, "it does not come to an end")
            timer = threading.Timer(rng.uniform(0.005, 0.15), site.daemon.kill) if kills < 6 else None
            if timer:
                timer.start()
            try:
                site.collect()
            except (OSError, http.client.HTTPException):
                pass
            if not timer:
                break
            timer.join()
            kills += 1
            site.restart()
            for run_id, in site.read("tracker", "SELECT run_id FROM runs WHERE is_deleted = 2"):
                equal(site.client.raw("POST", "/api/2.0/mlflow/runs/restore", json.dumps({"run_id": run_id}))[0], 404,
                      "a half removed run")
        site.settle()
        equal(site.read("tracker", "SELECT run_id FROM runs"), [(keeper,)], "runs that are left")
        equal(site.number("tracker", "SELECT count(*) FROM artifact_files"), 1, "files that are left")
        equal(site.blob_bytes(), 200000, "bytes that are left")
        equal(site.number("tracker", "SELECT count(*) FROM artifact_dirs WHERE path LIKE ?", f"{victims}%"), 0, "folders")
        equal(site.number("artifacts", "PRAGMA quick_check"), "ok", "artifacts.db")
        equal(site.number("tracker", "PRAGMA quick_check"), "ok", "tracker.db")


@case
def others_write_meanwhile(folder):
    """A collection of a long run and many files leaves room for the writes of others between its steps."""
    with Site(folder) as site:
        victims, kept = site.experiment("victims"), site.experiment("kept")
        run = site.run(victims, 60000)
        for i in range(300):
            site.put(f"{victims}/{run}/artifacts/f{i}", noise(100, i))
        site.post("experiments/delete", experiment_id=victims)
        busy, stop, waits, failures = site.run(kept), threading.Event(), [], []

        def write():
            client, step = site.daemon.connect(), 0
            while not stop.is_set():
                begin, step = time.monotonic(), step + 1
                status, _, body = client.raw("POST", "/api/2.0/mlflow/runs/log-metric", json.dumps(
                    {"run_id": busy, "key": "m", "value": 1, "timestamp": step, "step": step}))
                waits.append(time.monotonic() - begin)
                if status != 200:
                    failures.append(body)
            client.close()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            equal(site.collect(), {"runs": 1, "experiments": 1, "logged_models": 0}, "removed")
        finally:
            stop.set()
            writer.join()
        equal(failures, [], "failed writes")
        print(f"        {len(waits)} writes meanwhile, the longest took {max(waits) * 1000:.0f} ms")


@case
def freed_pages_are_used_again(folder):
    """After a collection the same amount of new files does not make the database larger."""
    with Site(folder) as site:
        sizes = []
        for generation in range(3):
            experiment = site.experiment(f"generation {generation}")
            run = site.run(experiment, 20000)
            for i in range(4):
                site.put(f"{experiment}/{run}/artifacts/{i}", noise(4 * MIB, 10 * generation + i))
            site.post("experiments/delete", experiment_id=experiment)
            site.settle()
            full = site.plan()
            site.collect()
            site.settle()
            empty = site.plan()
            check(empty["artifacts_bytes"] - empty["artifacts_free_bytes"] < MIB, f"in use after all: {empty}")
            sizes.append((full["artifacts_bytes"], full["tracker_bytes"]))
            print(f"        artifacts.db {full['artifacts_bytes']} → {empty['artifacts_bytes']} bytes, free "
                  f"{full['artifacts_free_bytes']} → {empty['artifacts_free_bytes']}; tracker.db "
                  f"{full['tracker_bytes']} → {empty['tracker_bytes']}, free {full['tracker_free_bytes']} → "
                  f"{empty['tracker_free_bytes']}")
        check(sizes[2][0] <= sizes[0][0] * 1.05 and sizes[2][1] <= sizes[0][1] * 1.2, f"sizes of generations: {sizes}")


if __name__ == "__main__":
    run_cases(os.path.dirname(binary(sys.argv)), only=sys.argv[2] if len(sys.argv) > 2 else "")
