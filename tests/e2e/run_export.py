#!/usr/bin/env python3
"""trk export mlflow against a real daemon: every byte of the tree, exporting again, kills, folders that are refused.

Usage: run_export.py FOLDER_OF_BINARIES [PART_OF_A_CASE_NAME]
"""
import fcntl
import hashlib
import http.server
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
import cli_support  # noqa: E402
from cases import case, check, run_cases  # noqa: E402
from cli_support import Trk, tree_of  # noqa: E402
from daemon import binary  # noqa: E402

MARK = ".trackerd-export"
STAGING = "trk-export-tmp"
DEADLINE_S = 60


class Site(cli_support.Site):
    """With trk, a folder for exports, and shorthands for what is to be exported."""

    def __init__(self, *options):
        super().__init__("trk-export-test-", options)
        self.trk = Trk(os.path.abspath(binary(sys.argv, "trk")), self.daemon.url, self.home)

    def experiment(self, name, **more):
        return self.post("experiments/create", name=name, **more)["experiment_id"]

    def run(self, experiment, **more):
        return self.post("runs/create", experiment_id=experiment, start_time=1000, **more)["run"]["info"]["run_id"]

    def points(self, run, key, values, first_step=0):
        self.post("runs/log-batch", run_id=run, metrics=[
            {"key": key, "value": v, "timestamp": 5000 + first_step + i, "step": first_step + i}
            for i, v in enumerate(values)])

    def artifact(self, experiment, run, path, content):
        status, _, reply = self.client.raw(
            "PUT", f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/{path}", content)
        check(status == 200, reply)

    def export(self, *words, expect=0):
        return self.trk.json("export", "mlflow", self.tree, *words, expect=expect)

    def text(self, path):
        with open(os.path.join(self.tree, path), "rb") as file:
            return file.read().decode()

    def meta(self, path):
        return yaml.safe_load(self.text(os.path.join(path, "meta.yaml")))

    def has(self, path):
        return os.path.lexists(os.path.join(self.tree, path))


def dumped(value):
    """As MLflow's file store writes it: with libyaml, which MLflow takes wherever it is there."""
    return yaml.dump(value, Dumper=yaml.CSafeDumper, default_flow_style=False, allow_unicode=True, sort_keys=True)


def md5(*texts):
    return hashlib.md5("".join(texts).encode()).hexdigest()


def files_of(tree):
    """What is in the tree without the marks of the export."""
    return {path: content for path, content in tree_of(tree).items() if os.path.basename(path) != MARK}


@case
def the_tree_holds_every_byte_that_a_file_store_would_write():
    with Site() as site:
        experiment = site.experiment("taxi: yes ünï", tags=[{"key": "a/b", "value": "x\ny"}, {"key": "e", "value": ""}])
        run = site.run(experiment, run_name="1e3", user_id="me", tags=[{"key": "team/x", "value": "1"}])
        site.points(run, "loss", [0.5, "NaN", 1e-7, 1e22, 5])
        site.points(run, "val/loss", [1.25], first_step=-3)
        site.post("runs/log-batch", run_id=run, params=[{"key": "a/b", "value": "1"}, {"key": "c", "value": "ü\n"}])
        dataset = {"name": "d", "digest": "123", "source_type": "local", "source": "{}", "profile": "p: q"}
        site.post("runs/log-inputs", run_id=run, datasets=[
            {"dataset": dataset, "tags": [{"key": "z", "value": "1"}, {"key": "mlflow.data.context", "value": "train"}]}])
        site.post("runs/update", run_id=run, status="FINISHED", end_time=2000)
        site.artifact(experiment, run, "model/MLmodel", b"flavors: {}\n")
        site.artifact(experiment, run, "empty", b"")
        site.post("registered-models/create", name="m 1", description="two\nlines",
                  tags=[{"key": "k", "value": "v"}])
        source = f"mlflow-artifacts:/{experiment}/{run}/artifacts/model"
        site.post("model-versions/create", name="m 1", source=source, run_id=run, tags=[{"key": "t", "value": "u"}])
        site.post("registered-models/alias", name="m 1", alias="champ", version="1")
        result = site.export()
        check((result["runs"], result["points"], result["versions"]) == (1, 6, 1), result)

        uri = "file://" + os.path.realpath(site.tree)
        server = site.get(f"experiments/get?experiment_id={experiment}")["experiment"]
        model = site.get("registered-models/get?name=m%201")["registered_model"]
        version = model["latest_versions"][0]
        default = site.get("experiments/get?experiment_id=0")["experiment"]
        dataset_id = md5("d", "123")
        link = {"destination_id": dataset_id, "destination_type": "RUN", "source_id": dataset_id,
                "source_type": "DATASET", "tags": {"mlflow.data.context": "train", "z": "1"}}
        folder = f"{experiment}/{run}"
        expected = {
            "0/meta.yaml": dumped({
                "artifact_location": f"{uri}/0", "creation_time": default["creation_time"], "experiment_id": "0",
                "last_update_time": default["last_update_time"], "lifecycle_stage": "active", "name": "Default"}),
            f"{experiment}/meta.yaml": dumped({
                "artifact_location": f"{uri}/{experiment}", "creation_time": server["creation_time"],
                "experiment_id": experiment, "last_update_time": server["last_update_time"],
                "lifecycle_stage": "active", "name": "taxi: yes ünï"}),
            f"{experiment}/tags/a/b": "x\ny",
            f"{experiment}/tags/e": "",
            f"{experiment}/datasets/{dataset_id}/meta.yaml": dumped({**dataset, "schema": None}),
            f"{folder}/meta.yaml": dumped({
                "artifact_uri": f"{uri}/{folder}/artifacts", "end_time": 2000, "entry_point_name": "",
                "experiment_id": experiment, "lifecycle_stage": "active", "run_id": run, "run_name": "1e3",
                "run_uuid": run, "source_name": "", "source_type": 4, "source_version": "", "start_time": 1000,
                "status": 3, "tags": [], "user_id": "me"}),
            f"{folder}/metrics/loss": "5000 0.5 0\n5001 nan 1\n5002 1e-07 2\n5003 1e+22 3\n5004 5.0 4\n",
            f"{folder}/metrics/val/loss": "4997 1.25 -3\n",
            f"{folder}/params/a/b": "1",
            f"{folder}/params/c": "ü\n",
            f"{folder}/tags/mlflow.runName": "1e3",
            f"{folder}/tags/team/x": "1",
            f"{folder}/inputs/{md5(dataset_id, run)}/meta.yaml": dumped(link),
            f"{folder}/artifacts/model/MLmodel": "flavors: {}\n",
            f"{folder}/artifacts/empty": "",
            "models/m 1/meta.yaml": dumped({
                "aliases": {"champ": "1"}, "creation_timestamp": model["creation_timestamp"],
                "description": "two\nlines", "last_updated_timestamp": model["last_updated_timestamp"], "name": "m 1"}),
            "models/m 1/tags/k": "v",
            "models/m 1/aliases/champ": "1",
            "models/m 1/version-1/meta.yaml": dumped({
                "creation_timestamp": version["creation_timestamp"], "current_stage": "None",
                "description": version["description"], "last_updated_timestamp": version["last_updated_timestamp"],
                "name": "m 1", "run_id": run, "run_link": version["run_link"],
                "source": f"{uri}/{folder}/artifacts/model", "status": "READY", "status_message": None,
                "storage_location": f"{uri}/{folder}/artifacts/model", "user_id": version.get("user_id"),
                "version": 1}),
            "models/m 1/version-1/tags/t": "u",
        }
        found = files_of(site.tree)
        for path in sorted(set(expected) | set(found)):
            check(found.get(path) == expected.get(path, "").encode() and path in expected,
                  f"{path}: {found.get(path)} instead of {expected.get(path)!r}")
        for part in ("metrics", "params", "artifacts"):
            check(os.path.isdir(os.path.join(site.tree, folder, part)), part)


@case
def logged_models_stand_below_their_experiment():
    with Site() as site:
        experiment = site.experiment("e")
        run = site.run(experiment)
        model = site.post("logged-models", experiment_id=experiment, name="lm", model_type="agent", source_run_id=run,
                          params=[{"key": "p/q", "value": "1"}], tags=[{"key": "x", "value": "y"}])["model"]["info"]
        folder = f"{experiment}/models/{model['model_id']}"
        metric = {"run_id": run, "key": "acc", "value": 0.5, "timestamp": 55, "step": 3, "model_id": model["model_id"]}
        site.post("runs/log-metric", **metric)
        site.post("runs/log-metric", **metric | {"dataset_name": "d", "dataset_digest": "1", "value": 0.25})
        site.client.call("PATCH", f"logged-models/{model['model_id']}", {
            "model_id": model["model_id"], "status": "LOGGED_MODEL_READY"})
        site.post("runs/outputs", run_id=run, models=[{"model_id": model["model_id"], "step": 4}])
        reader = site.run(experiment)
        site.post("runs/log-inputs", run_id=reader, models=[{"model_id": model["model_id"]}])
        site.client.raw("PUT", "/api/2.0/mlflow-artifacts/artifacts/" + folder + "/artifacts/MLmodel", b"flavors: {}")
        check(site.export()["logged_models"] == 1, "it is counted")
        info = site.get(f"logged-models/{model['model_id']}")["model"]["info"]
        check(site.meta(folder) == {
            "artifact_location": f"file://{os.path.realpath(site.tree)}/{folder}/artifacts",
            "creation_timestamp": info["creation_timestamp_ms"], "experiment_id": experiment,
            "last_updated_timestamp": info["last_updated_timestamp_ms"], "model_id": model["model_id"],
            "model_type": "agent", "name": "lm", "source_run_id": run, "status": 2, "status_message": None},
            site.meta(folder))
        check(sorted(site.text(f"{folder}/metrics/acc").splitlines()) == [f"55 0.25 3 {run} d 1", f"55 0.5 3 {run}"],
              site.text(f"{folder}/metrics/acc"))
        check((site.text(f"{folder}/params/p/q"), site.text(f"{folder}/tags/x")) == ("1", "y"), "params and tags")
        check(site.text(f"{folder}/artifacts/MLmodel") == "flavors: {}", "artifacts")
        output = {"destination_id": model["model_id"], "destination_type": "MODEL_OUTPUT",
                  "source_id": model["model_id"], "source_type": "RUN_OUTPUT", "step": 4, "tags": {}}
        check(site.text(f"{experiment}/{run}/outputs/{model['model_id']}/meta.yaml") == dumped(output), "the output")
        link = {"destination_id": model["model_id"], "destination_type": "RUN", "source_id": model["model_id"],
                "source_type": "MODEL", "tags": {}}
        name = md5(model["model_id"], reader)
        check(site.text(f"{experiment}/{reader}/inputs/{name}/meta.yaml") == dumped(link), "the input")


@case
def what_a_file_store_has_no_place_for_is_named():
    with Site("--webhook-allow-private-addresses") as site:
        experiment = site.experiment("e")
        location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
        site.post("/api/3.0/mlflow/traces", trace={"trace_info": {
            "trace_id": "tr-1", "trace_location": location, "request_time": "2026-01-01T00:00:00Z", "state": "OK"}})
        site.post("webhooks", name="hook", url="https://127.0.0.1:1/", events=[{"entity": "MODEL_VERSION", "action": "CREATED"}])
        named = sorted((item["what"], item["kind"], item["name"]) for item in site.export()["items"])
        check(named == [("left out", "trace", "tr-1"), ("left out", "webhook", "hook")], named)


@case
def texts_are_quoted_as_the_yaml_of_mlflow_quotes_them():
    texts = [" ", "a ", " a", "~", "null", "Null", "yes", "No", "on", "TRUE", "truth", "0", "-1", "+1", "007", "08", "0x1F",
             "0b10", "1_000", "1.5", ".5", "5.", "1e3", "1.0e+3", "1.0e3", ".inf", "-.INF", ".nan", "1:30", "1:30.5",
             "2020-01-02", "2020-1-2", "2020-01-02T03:04:05Z", "2020-01-02 03:04:05.6 +01:00", "=", "<<", "!", "&", "*",
             "!x", "&x", "*x", "- a", "a: b", "a #b", "#b", "'", "it's", "\"", "{a}", "[a", "a,b", "%x", "@x", "`x",
             "a\nb", "a\n\nb\n", "\n", "tab\there", "\x07bell", "\x1b[31m", "ünï 日本 🙂", "\u2028", "\x7f", "\ufeff",
             "word " * 40, "x" * 500, "9" * 200, "key: " + "v" * 200 + " end", "---", "...", "? x", "| x", "> x"]
    with Site() as site:
        for number, text in enumerate(texts):
            site.post("registered-models/create", name=f"m{number}", description=text)
        site.export()
        for number, text in enumerate(texts):
            model = site.get(f"registered-models/get?name=m{number}")["registered_model"]
            check(model["description"] == text, f"{text!r} came back as {model['description']!r}")
            expected = dumped({"aliases": {}, "creation_timestamp": model["creation_timestamp"], "description": text,
                               "last_updated_timestamp": model["last_updated_timestamp"], "name": f"m{number}"})
            found = site.text(f"models/m{number}/meta.yaml")
            check(found == expected, f"{text!r}: {found!r} instead of {expected!r}")


@case
def exporting_again_adds_only_what_is_new():
    with Site() as site:
        experiment = site.experiment("e")
        runs = [site.run(experiment) for _ in range(3)]
        for run in runs:
            site.points(run, "loss", [3, 2])
            site.artifact(experiment, run, "big.bin", run.encode() * 1000)
        check(site.export()["runs_skipped"] == 0, "the first export knows nothing")
        stamps = {run: os.stat(os.path.join(site.tree, experiment, run)).st_ino for run in runs}
        again = site.export()
        check((again["runs"], again["runs_skipped"], again["points"], again["artifacts"]) == (0, 3, 0, 0), again)
        check(all(os.stat(os.path.join(site.tree, experiment, run)).st_ino == ino for run, ino in stamps.items()),
              "a run was replaced without need")
        file = os.path.join(experiment, runs[0], "artifacts", "big.bin")
        artifact_ino = os.stat(os.path.join(site.tree, file)).st_ino
        site.points(runs[0], "loss", [9], first_step=-10)  # sorts before all others: the latest value stays
        site.post("runs/delete", run_id=runs[1])
        site.artifact(experiment, runs[2], "second.txt", b"2")
        new = site.run(experiment)
        more = site.export()
        check((more["runs"], more["runs_skipped"]) == (4, 0), more)
        check(site.text(f"{experiment}/{runs[0]}/metrics/loss") == "4990 9.0 -10\n5000 3.0 0\n5001 2.0 1\n",
              "the late point is there")
        check(os.stat(os.path.join(site.tree, file)).st_ino == artifact_ino, "the artifact was fetched again")
        check(site.meta(f"{experiment}/{runs[1]}")["lifecycle_stage"] == "deleted", "the deleted run is deleted")
        check(site.text(f"{experiment}/{runs[2]}/artifacts/second.txt") == "2", "the new artifact is there")
        check(site.has(f"{experiment}/{new}/meta.yaml"), "the new run is there")
        check(not site.has(STAGING), "nothing is left of the work")
        check(site.export()["runs_skipped"] == 4, "then all is known")


@case
def experiments_move_between_the_tree_and_its_trash():
    with Site() as site:
        experiment = site.experiment("comes and goes", tags=[{"key": "old", "value": "1"}, {"key": "t", "value": "1"}])
        run = site.run(experiment)
        site.export()
        site.client.call("POST", "experiments/delete-experiment-tag", {"experiment_id": experiment, "key": "old"})
        site.post("experiments/delete", experiment_id=experiment)
        site.export()
        check(not site.has(experiment) and site.has(f".trash/{experiment}/{run}/meta.yaml"), "it is in the trash")
        check(site.meta(f".trash/{experiment}")["lifecycle_stage"] == "deleted", "it says so")
        check(os.listdir(os.path.join(site.tree, ".trash", experiment, "tags")) == ["t"], "the tag is gone, too")
        site.post("experiments/restore", experiment_id=experiment)
        site.export()
        check(not site.has(f".trash/{experiment}") and site.meta(experiment)["lifecycle_stage"] == "active", "it is back")
        check(site.meta(f"{experiment}/{run}")["lifecycle_stage"] == "active", "with its run")


def staged_in(site):
    """What is being filled; it comes and goes."""
    try:
        return os.listdir(os.path.join(site.tree, STAGING))
    except FileNotFoundError:
        return []


def check_whole(site, experiment, points):
    """Each run that is in its place is all there."""
    folder = os.path.join(site.tree, experiment)
    for run in os.listdir(folder) if os.path.isdir(folder) else []:
        if len(run) != 32:
            continue
        for key in range(3):
            lines = site.text(f"{experiment}/{run}/metrics/m{key}").splitlines()
            check(len(lines) == points, f"half a run: {run}/m{key} has {len(lines)} lines")
        check(site.meta(f"{experiment}/{run}")["run_id"] == run, "its description is whole")
        check(site.text(f"{experiment}/{run}/artifacts/a/b.txt") == run, "its artifact is whole")


@case
def a_killed_export_leaves_no_half_run_and_the_next_completes_it():
    with Site() as site:
        points, count = 300, 150
        experiment = site.experiment("e")
        for _ in range(count):
            run = site.run(experiment)
            for key in range(3):
                site.points(run, f"m{key}", [i * 0.5 for i in range(points)])
            site.artifact(experiment, run, "a/b.txt", run.encode())
        in_place = staged = 0
        for wanted in (1, 20, 70, 40):  # kill once so many runs were begun
            process = subprocess.Popen([site.trk.program, "export", "mlflow", site.tree], env=site.trk.environment,
                                       stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            deadline = time.monotonic() + DEADLINE_S
            begun = 0
            while process.poll() is None and begun < wanted and time.monotonic() < deadline:
                begun = max([int(name) for name in staged_in(site) if name.isdigit()], default=begun)
            process.send_signal(signal.SIGKILL)
            process.wait(DEADLINE_S)
            check_whole(site, experiment, points)
            staged += len(staged_in(site))
            folder = os.path.join(site.tree, experiment)
            in_place = len([n for n in os.listdir(folder) if len(n) == 32]) if os.path.isdir(folder) else 0
        check(staged > 0 and 0 < in_place < count, f"no kill hit the middle: {staged} staged, {in_place} in place")
        result = site.export()
        check((result["runs"], result["runs_skipped"]) == (count - in_place, in_place), result)
        check_whole(site, experiment, points)
        check(not site.has(STAGING), "nothing is left of the work")


@case
def folders_that_hold_something_else_are_refused():
    with Site() as site:
        os.mkdir(site.tree)
        with open(os.path.join(site.tree, "letter.txt"), "w") as file:
            file.write("mine")
        refused = site.trk.run("export", "mlflow", site.tree, expect=4)
        check("holds something, and no export" in refused.stderr and "--force" in refused.stderr, refused.stderr)
        check(os.listdir(site.tree) == ["letter.txt"], "nothing was written")
        site.trk.run("export", "mlflow", os.path.join(site.tree, "letter.txt"), expect=1)
        site.trk.run("export", "mlflow", os.path.join(site.home, "no", "parent"), expect=1)
        site.trk.run("export", "mlflow", expect=2)
        missing = site.trk.run("export", "mlflow", os.path.join(site.home, "new"), "--experiment", "none", expect=3)
        check("do not exist" in missing.stderr, missing.stderr)


@case
def a_forced_export_adds_and_replaces_nothing():
    with Site() as site:
        first, second = site.experiment("first"), site.experiment("second")
        runs = [site.run(first), site.run(first), site.run(second)]
        theirs = dumped({"experiment_id": first, "name": "first", "lifecycle_stage": "active"})
        others = dumped({"experiment_id": second, "name": "someone else's", "lifecycle_stage": "active"})
        for path, content in ((f"{first}/meta.yaml", theirs), (f"{second}/meta.yaml", others),
                              (f"{first}/{runs[0]}/meta.yaml", "theirs")):
            os.makedirs(os.path.dirname(os.path.join(site.tree, path)), exist_ok=True)
            with open(os.path.join(site.tree, path), "w") as file:
                file.write(content)
        result = site.export("--force")
        check(site.text(f"{first}/meta.yaml") == theirs and site.text(f"{second}/meta.yaml") == others, "metas stay")
        check(site.text(f"{first}/{runs[0]}/meta.yaml") == "theirs", "their run stays")
        check(site.meta(f"{first}/{runs[1]}")["run_id"] == runs[1], "ours was added")
        check(not site.has(f"{second}/{runs[2]}"), "nothing was added to another experiment of that id")
        named = {(item["kind"], item["name"]) for item in result["items"]}
        check({("run", runs[0]), ("experiment", "second"), ("experiment", "first")} <= named, result["items"])


@case
def two_exports_into_one_folder_do_not_meet():
    with Site() as site:
        site.export()
        with open(os.path.join(site.tree, MARK)) as mark:
            fcntl.flock(mark, fcntl.LOCK_EX)
            refused = site.trk.run("export", "mlflow", site.tree, expect=4)
        check("another export" in refused.stderr, refused.stderr)
        site.export()


@case
def options_choose_what_is_exported():
    with Site() as site:
        wanted, other = site.experiment("wanted"), site.experiment("other")
        runs = [site.run(wanted), site.run(other)]
        site.artifact(wanted, runs[0], "m/f.txt", b"x")
        far = site.experiment("far", artifact_location="s3://bucket/far")
        far_run = site.run(far)
        site.post("registered-models/create", name="m")
        dry = site.export("--dry-run")
        check((dry["experiments"], dry["runs"], dry["models"]) == (4, 3, 1), dry)
        check(not os.path.exists(site.tree), "a dry run writes nothing")
        one = site.export("--experiment", "wanted", "--no-artifacts")
        check((one["experiments"], one["runs"], one["artifacts"]) == (1, 1, 0), one)
        check(not site.has(other) and not site.has("models/m"), "the others were left out")
        check(site.meta(f"{wanted}/{runs[0]}")["artifact_uri"] ==
              f"{site.daemon.url}/api/2.0/mlflow-artifacts/artifacts/{wanted}/{runs[0]}/artifacts",
              "the artifacts are had from the server")
        check(os.listdir(os.path.join(site.tree, wanted, runs[0], "artifacts")) == [], "and are not here")
        both = site.export("--experiment", "wanted", "--experiment", "far")
        check((both["experiments"], both["runs"], both["artifacts"]) == (2, 2, 1), both)
        check(site.text(f"{wanted}/{runs[0]}/artifacts/m/f.txt") == "x", "now they are here")
        check(site.meta(far)["artifact_location"] == "s3://bucket/far", "the place of another store stays")
        check(site.meta(f"{far}/{far_run}")["artifact_uri"] == f"s3://bucket/far/{far_run}/artifacts", "also the run's")
        check([i["what"] for i in both["items"] if i["name"] == far_run] == ["changed"], both["items"])


@case
def keys_that_no_file_can_have_are_named():
    with Site() as site:
        experiment = site.experiment("e")
        run = site.run(experiment, tags=[{"key": "ü" * 127, "value": "fits"}, {"key": "ü" * 128, "value": "does not"}])
        site.post("runs/log-batch", run_id=run, params=[{"key": "a", "value": "1"}, {"key": "a/b", "value": "2"}],
                  metrics=[{"key": "m", "value": 1, "timestamp": 1}, {"key": "m/n", "value": 2, "timestamp": 1}])
        result = site.export()
        items = {item["kind"]: item for item in result["items"]}
        check(sorted(items) == ["metric", "param", "tag"], items)
        check("m/n" in items["metric"]["name"] and run in items["metric"]["name"], items["metric"])
        check("a/b" in items["param"]["name"], items["param"])
        check("too long" in items["tag"]["reason"], items["tag"])
        check(site.text(f"{experiment}/{run}/params/a") == "1", "the other one is there")
        check(site.text(f"{experiment}/{run}/tags/" + "ü" * 127) == "fits", "the longest name is there")


@case
def a_disk_that_takes_no_more_leaves_what_was_there():
    with Site() as site:
        experiment = site.experiment("e")
        run = site.run(experiment)
        site.export()
        site.artifact(experiment, run, "big", b"x" * 300_000)

        def narrow():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

        failed = subprocess.run([site.trk.program, "export", "mlflow", site.tree], env=site.trk.environment,
                                preexec_fn=narrow, capture_output=True, text=True, timeout=DEADLINE_S)
        check(failed.returncode == 1 and run in failed.stderr, failed)
        check(os.listdir(os.path.join(site.tree, experiment, run, "artifacts")) == [], "the old run stands")
        check(not site.has(STAGING), "nothing is left of the work")
        check(site.export()["artifacts"] == 1, "with room it is completed")


@case
def interruption_ends_the_export_in_order():
    with Site() as site:
        experiment = site.experiment("e")
        for _ in range(200):
            site.points(site.run(experiment), "m", [1.0] * 1)
        process = subprocess.Popen([site.trk.program, "export", "mlflow", site.tree], env=site.trk.environment,
                                   stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        deadline = time.monotonic() + DEADLINE_S
        while not site.has(f"{STAGING}/1") and process.poll() is None and time.monotonic() < deadline:
            pass
        process.send_signal(signal.SIGINT)
        _, talk = process.communicate(timeout=DEADLINE_S)
        check(process.returncode == 130, f"{process.returncode}: {talk}")
        check(not site.has(STAGING), "the work was cleared away")
        again = site.export()
        check(again["runs"] + again["runs_skipped"] == 200, "the next one completes it")


@case
def people_see_a_bar_and_a_sentence():
    with Site() as site:
        for _ in range(3):
            site.run(site.experiment(f"e{_}"))
        said = site.trk.run("export", "mlflow", site.tree)
        check(said.stdout.startswith("exported 4 experiments, 3 runs, 0 points") and said.stderr == "", said)
        seen = site.trk.terminal("export", "mlflow", site.tree)
        check("━" in seen or "─" in seen or "3 runs had been exported before" in seen, seen)
        check("would export 4 experiments" in site.trk.out("export", "mlflow", site.tree, "--dry-run"), "a dry run says so")
        helped = site.trk.out("export", "mlflow", "--help")
        for word in ("--experiment", "--no-artifacts", "--dry-run", "--force", "MLFLOW_ALLOW_FILE_STORE"):
            check(word in helped, word)


class Liar(http.server.BaseHTTPRequestHandler):
    """A server whose names would lead out of the folder; `lie` is the one that it tells."""
    lie = ""

    def log_message(self, *_):
        pass

    def run(self):
        run = {"info": {"run_id": "../../out" if self.lie == "run" else "0a" * 16}, "data": {}, "inputs": {}}
        if self.lie == "output":
            run["outputs"] = {"model_outputs": [{"model_id": "../../../out"}]}
        if self.lie == "key":
            run["data"] = {"params": [{"key": "../../../../out", "value": "1"}], "tags": [{"key": "/out", "value": "1"}]}
        return run

    def do_POST(self):
        self.answer({
            "experiments/search": {"experiments": [
                {"experiment_id": "../out" if self.lie == "experiment" else "1", "name": "e"}]},
            "runs/search": {"runs": [self.run()]},
            "logged-models/search": {"models": [{"info": {"model_id": "../../out"}}]} if self.lie == "model" else {},
        })

    def do_GET(self):
        models = {"registered_models": [{"name": "../out"}]} if self.lie == "registry" else {}
        self.answer({"registered-models/search": models, "metrics/summary": {}, "runs/get": {"run": self.run()}})

    def answer(self, replies):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = [reply for path, reply in replies.items() if path in self.path]
        body = json.dumps(found[0] if found else {"error_code": "ENDPOINT_NOT_FOUND", "message": "none"}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@case
def names_of_a_hostile_server_lead_nowhere():
    home = tempfile.mkdtemp(prefix="trk-export-test-")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        trk = Trk(os.path.abspath(binary(sys.argv, "trk")), f"http://127.0.0.1:{server.server_port}", home)
        for lie, status in (("experiment", 1), ("run", 1), ("output", 1), ("model", 1), ("key", 0), ("registry", 0)):
            Liar.lie = lie
            folder = os.path.join(home, lie, "deep", "tree")
            os.makedirs(os.path.dirname(folder))
            said = trk.run("export", "mlflow", folder, expect=status)
            outside = [path for path in tree_of(os.path.join(home, lie)) if not path.startswith("deep/tree/")]
            check(outside == [] and "out" not in "".join(sorted(tree_of(folder))), f"{lie}: {outside} {said}")
            check(said.stderr != "", f"{lie}: nothing was said")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    run_cases(only=sys.argv[2] if len(sys.argv) > 2 else "")
