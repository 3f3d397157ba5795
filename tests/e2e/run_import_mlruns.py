#!/usr/bin/env python3
"""trk import mlflow of mlruns folders: written by hand in the layout of each era, damaged in every way, and large.

Usage: run_import_mlruns.py FOLDER_OF_BINARIES [PART_OF_A_CASE_NAME]
"""
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
import cli_support  # noqa: E402
from cases import case, check, run_cases  # noqa: E402
from cli_support import tree_of  # noqa: E402
from daemon import binary  # noqa: E402

INCOMPLETE = 9
DEADLINE_S = 120
RUN, OTHER = "0a" * 16, "1b" * 16
LARGEST = sys.float_info.max
NOBODY = 65534


class Site(cli_support.Site):
    """With a folder for trees, and looks at what came over."""

    def __init__(self):
        super().__init__("trk-mlruns-test-")

    def write(self, files, replace=True):
        """{path: text or bytes}; a path with "/" at its end is an empty folder."""
        if replace:
            shutil.rmtree(self.tree, ignore_errors=True)
        os.makedirs(self.tree, exist_ok=True)
        for path, content in files.items():
            whole = os.path.join(self.tree.encode(), os.fsencode(path))
            os.makedirs(os.path.dirname(whole), exist_ok=True)
            if not path.endswith("/"):
                with open(whole, "wb") as file:
                    file.write(content.encode() if isinstance(content, str) else content)

    def bring(self, *words, expect=0, **options):
        """Imports the tree; what is said as JSON."""
        command = [os.path.abspath(binary(sys.argv, "trk")), "import", "mlflow", self.tree, "--json",
                   "--url", self.daemon.url, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, **options)
        check(done.returncode == expect, f"exit {done.returncode}, not {expect}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout else {"error": done.stderr}

    def run(self, run_id=RUN):
        return self.get(f"runs/get?run_id={run_id}")["run"]

    def pairs(self, part, run_id=RUN):
        return {item["key"]: item["value"] for item in self.run(run_id)["data"].get(part, [])}

    def points(self, key, run_id=RUN):
        reply = self.get(f"metrics/get-history?run_id={run_id}&metric_key={key}&max_results=25000")
        return [(p["timestamp"], p["value"], p["step"]) for p in reply.get("metrics", [])]

    def artifacts(self, run_id=RUN):
        experiment = self.run(run_id)["info"]["experiment_id"]
        status, _, body = self.client.raw("GET", f"/api/trackerd/v1/manifest/{experiment}/{run_id}/artifacts")
        found = {}
        for file in json.loads(body)["files"] if status == 200 else []:
            _, _, found[file["path"]] = self.client.raw(
                "GET", f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run_id}/artifacts/{file['path']}")
        return found


def yaml(**members):
    """A flat meta.yaml; JSON is YAML."""
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in members.items())


def experiment(number=1, name="e", **more):
    return yaml(artifact_location=f"file:///old/place/mlruns/{number}", experiment_id=str(number), name=name,
                lifecycle_stage="active", creation_time=10, last_update_time=20, **more)


def run_meta(run_id=RUN, number=1, **more):
    return yaml(**{"artifact_uri": f"file:///old/place/mlruns/{number}/{run_id}/artifacts", "end_time": 2000,
                   "experiment_id": str(number), "lifecycle_stage": "active", "run_id": run_id, "run_name": "r",
                   "run_uuid": run_id, "start_time": 1000, "status": 3, "user_id": "me", "tags": [], **more})


def good_tree():
    """One of everything, as 2.x and 3.x write it."""
    return {
        "1/meta.yaml": experiment(),
        "1/tags/team": "a",
        f"1/{RUN}/meta.yaml": run_meta(),
        f"1/{RUN}/metrics/loss": "5 0.5 0\n6 0.25 1\n",
        f"1/{RUN}/params/alpha": "0.1",
        f"1/{RUN}/tags/mlflow.runName": "r",
        f"1/{RUN}/artifacts/model/MLmodel": "flavors: {}",
        f"1/{OTHER}/meta.yaml": run_meta(OTHER),
        f"1/{OTHER}/metrics/loss": "7 1.5 0\n",
        "models/m/meta.yaml": yaml(name="m", creation_timestamp=1, last_updated_timestamp=2, description="d"),
        "models/m/version-1/meta.yaml": yaml(name="m", version=1, creation_timestamp=1, last_updated_timestamp=2,
                                             current_stage="None", source="s3://b/m", run_id=RUN, status="READY"),
    }


@case
def the_layout_of_the_first_releases_is_read():
    with Site() as site:
        site.write({
            "0/meta.yaml": "artifact_location: mlruns/0\nexperiment_id: 0\nname: Default\n",
            "3/meta.yaml": "artifact_location: mlruns/3\nexperiment_id: 3\nname: old\n",
            f"3/{RUN}/meta.yaml": "artifact_uri: mlruns/3/%s/artifacts\nend_time: 1530000002000\nentry_point_name: main\n"
                                  "experiment_id: 3\nname: by hand\nrun_uuid: %s\nsource_name: train.py\nsource_type: 3\n"
                                  "source_version: 0123abcd\nstart_time: 1530000000000\nstatus: 4\ntags: []\nuser_id: me\n"
                                  % (RUN, RUN),
            f"3/{RUN}/metrics/loss": "1530000000 0.5\n1530000001 0.25\n",
            f"3/{RUN}/params/alpha": "0.1",
            f"3/{RUN}/artifacts/plot.txt": "plot",
        })
        before = tree_of(site.tree)
        said = site.bring()
        check((said["runs"], said["points"], said["artifacts"], said["failed"]) == (1, 2, 1, 0), said)
        info = site.run()["info"]
        check((info["experiment_id"], info["run_name"], info["status"], info["start_time"], info["end_time"]) ==
              ("3", "by hand", "FAILED", 1530000000000, 1530000002000), info)
        tags = site.pairs("tags")
        check({k: tags.get(k) for k in ("mlflow.source.name", "mlflow.source.git.commit", "mlflow.source.type",
                                        "mlflow.project.entryPoint")} ==
              {"mlflow.source.name": "train.py", "mlflow.source.git.commit": "0123abcd", "mlflow.source.type": "PROJECT",
               "mlflow.project.entryPoint": "main"}, tags)
        check(site.points("loss") == [(1530000000, 0.5, 0), (1530000001, 0.25, 0)], site.points("loss"))
        check(site.artifacts() == {"plot.txt": b"plot"}, site.artifacts())
        check(tree_of(site.tree) == before, "the tree was changed")


@case
def the_layout_of_1_x_is_read():
    with Site() as site:
        gone = "2c" * 16
        site.write({
            "1/meta.yaml": yaml(artifact_location="s3://bucket/1", experiment_id="1", lifecycle_stage="active", name="one"),
            "1/tags/a/b": "with a slash",
            f"1/{RUN}/meta.yaml": yaml(artifact_uri=f"s3://bucket/1/{RUN}/artifacts", end_time=None, entry_point_name="",
                                       experiment_id="1", lifecycle_stage="active", name="", run_id=RUN, run_uuid=RUN,
                                       source_name="", source_type=4, source_version="", start_time=5, status="RUNNING",
                                       tags=[{"key": "from list", "value": "v"}], user_id="me"),
            f"1/{RUN}/tags/mlflow.runName": "from the tag",
            f"1/{RUN}/metrics/val/acc": "1 0.5 -3\n1 nan 7\n2 inf 8\n3 -inf 9\n4 1e-07 10\n5 Infinity 11\n",
            f"1/{RUN}/artifacts/": "",
            f"1/{gone}/meta.yaml": run_meta(gone, lifecycle_stage=2, deleted_time=99),
            ".trash/7/meta.yaml": yaml(artifact_location="x", experiment_id=7, name="binned", lifecycle_stage="deleted"),
            f".trash/7/{OTHER}/meta.yaml": run_meta(OTHER, 7, lifecycle_stage="deleted"),
            f".trash/7/{OTHER}/artifacts/kept.txt": "kept",
            ".trash/7/tags/": "",
            "1/datasets/": "",
        })
        said = site.bring()
        check((said["experiments"], said["runs"], said["failed"]) == (2, 3, 0), said)
        run = site.run()
        check(run["info"]["run_name"] == "from the tag" and run["info"]["status"] == "RUNNING", run["info"])
        check(run["info"]["artifact_uri"] == f"s3://bucket/1/{RUN}/artifacts", "another store's address stays")
        check(site.pairs("tags")["from list"] == "v", run["data"])
        check([(t, str(v), s) for t, v, s in site.points("val/acc")] ==
              [(1, "0.5", -3), (1, "NaN", 7), (2, str(LARGEST), 8), (3, str(-LARGEST), 9), (4, "1e-07", 10),
               (5, str(LARGEST), 11)], site.points("val/acc"))
        check(site.run(gone)["info"]["lifecycle_stage"] == "deleted", "the number means deleted")
        binned = site.get("experiments/get?experiment_id=7")["experiment"]
        check(binned["lifecycle_stage"] == "deleted" and binned["name"] == "binned", binned)
        check(site.artifacts(OTHER) == {"kept.txt": b"kept"}, "artifacts in the trash come over")
        tags = site.get("experiments/get?experiment_id=1")["experiment"]["tags"]
        check(tags == [{"key": "a/b", "value": "with a slash"}], tags)


@case
def datasets_and_the_registry_of_2_x_are_read():
    with Site() as site:
        tree = good_tree()
        tree.update({
            "1/datasets/dd/meta.yaml": yaml(name="taxi", digest="123", source_type="local", source="{}", schema=None,
                                            profile="p: q"),
            f"1/{RUN}/inputs/ii/meta.yaml": yaml(source_type="DATASET", source_id="dd", destination_type="RUN",
                                                 destination_id="dd", tags={"mlflow.data.context": "train"}),
            "models/m/tags/k": "v",
            "models/m/aliases/champ": "3",
            "models/m/version-3/meta.yaml": yaml(name="m", version=3, creation_timestamp=5, last_updated_timestamp=6,
                                                 current_stage="Staging", source=f"file:///old/place/mlruns/1/{RUN}/artifacts/model",
                                                 storage_location=None, run_id=RUN, status="READY", description=None),
            "models/m/version-3/tags/t": "u",
            "models/m/version-2/meta.yaml": yaml(name="m", version=2, current_stage="Deleted_Internal"),
            "models/prompt/meta.yaml": yaml(name="prompt", creation_timestamp=1, last_updated_timestamp=2),
            "models/prompt/tags/mlflow.prompt.is_prompt": "true",
            "models/prompt/version-1/meta.yaml": yaml(name="prompt", version=1, creation_timestamp=1, source="dummy-source",
                                                      current_stage="None"),
            "models/prompt/version-1/tags/mlflow.prompt.is_prompt": "true",
            "models/prompt/version-1/tags/mlflow.prompt.text": "Hello {{x}}",
        })
        site.write(tree)
        said = site.bring()
        check((said["models"], said["versions"], said["failed"]) == (2, 3, 0), said)
        inputs = site.run()["inputs"]["dataset_inputs"]
        check([(i["dataset"]["name"], i["dataset"]["profile"], i["tags"]) for i in inputs] ==
              [("taxi", "p: q", [{"key": "mlflow.data.context", "value": "train"}])], inputs)
        model = site.get("registered-models/get?name=m")["registered_model"]
        check((model["description"], model["creation_timestamp"], model["tags"], model["aliases"]) ==
              ("d", 1, [{"key": "k", "value": "v"}], [{"alias": "champ", "version": "3"}]), model)
        version = site.get("model-versions/get?name=m&version=3")["model_version"]
        check((version["current_stage"], version["tags"], version["run_id"], version["creation_timestamp"]) ==
              ("Staging", [{"key": "t", "value": "u"}], RUN, 5), version)
        prompt = site.get("model-versions/get?name=prompt&version=1")["model_version"]
        check({"key": "mlflow.prompt.text", "value": "Hello {{x}}"} in prompt["tags"], prompt)


@case
def importing_again_adds_only_what_is_new():
    with Site() as site:
        site.write(good_tree())
        check(site.bring()["runs_skipped"] == 0, "the first import knows nothing")
        again = site.bring()
        check((again["runs"], again["runs_skipped"], again["points"], again["artifacts"]) == (0, 2, 0, 0), again)
        new = "3d" * 16
        site.write({f"1/{RUN}/metrics/loss": "5 0.5 0\n6 0.25 1\n7 0.125 2\n", f"1/{new}/meta.yaml": run_meta(new)},
                   replace=False)
        more = site.bring()
        check((more["runs"], more["runs_skipped"]) == (2, 1), more)
        check(len(site.points("loss")) == 3, "the new point is there once")
        check(site.run(new)["info"]["run_name"] == "r", "the new run is there")


@case
def options_choose_what_is_imported():
    with Site() as site:
        site.write({**good_tree(), "2/meta.yaml": experiment(2, "second"), f"2/{'4e' * 16}/meta.yaml": run_meta("4e" * 16, 2)})
        dry = site.bring("--dry-run")
        check((dry["experiments"], dry["runs"], dry["points"]) == (2, 3, 3), dry)
        one = site.bring("--experiment", "second")
        check((one["experiments"], one["runs"], one["models"]) == (1, 1, 0), one)
        check("no experiment named" in site.bring("--experiment", "none", expect=3).get("error", "no experiment named"), "3")
        rest = site.bring("--no-artifacts")
        check(rest["artifacts"] == 0 and site.artifacts() == {}, rest)


@case
def folders_that_are_no_mlruns_are_refused():
    with Site() as site:
        site.write({})
        check("is no mlruns folder" in site.bring(expect=1)["error"], "an empty folder")
        site.write({"letter.txt": "hello"})
        check("is no mlruns folder" in site.bring(expect=1)["error"], "a folder of other things")


# What is done to the tree, and what is then said: kind, name, a part of the reason.
DAMAGES = [
    ("a run without meta.yaml", f"1/{RUN}/meta.yaml", None, "run", f"1/{RUN}", "meta.yaml is missing"),
    ("an empty meta.yaml", f"1/{RUN}/meta.yaml", "", "run", f"1/{RUN}", "is empty"),
    ("a blank meta.yaml", f"1/{RUN}/meta.yaml", " \n\n", "run", f"1/{RUN}", "is empty"),
    ("YAML that is cut off", f"1/{RUN}/meta.yaml", 'run_id: "0a', "run", f"1/{RUN}", "is damaged: line 1"),
    ("a meta.yaml without keys", f"1/{RUN}/meta.yaml", "hello\n", "run", f"1/{RUN}", "holds no keys"),
    ("a meta.yaml of zeros", f"1/{RUN}/meta.yaml", b"\0" * 400, "run", f"1/{RUN}", "damaged"),
    ("a meta.yaml of bytes", f"1/{RUN}/meta.yaml", b"\xff\xfe\x00", "run", f"1/{RUN}", "not UTF-8"),
    ("a meta.yaml with aliases", f"1/{RUN}/meta.yaml", "a: &x [1]\nb: *x\n", "run", f"1/{RUN}", "anchors and tags"),
    ("a meta.yaml with a tag", f"1/{RUN}/meta.yaml", "a: !!python/object:os.system x\n", "run", f"1/{RUN}", "anchors and tags"),
    ("a meta.yaml that is deep", f"1/{RUN}/meta.yaml", "[" * 100 + "]" * 100, "run", f"1/{RUN}", "too deeply"),
    ("a folder as meta.yaml", f"1/{RUN}/meta.yaml", "folder", "run", f"1/{RUN}", "meta.yaml is no file"),
    ("the meta.yaml of another run", f"1/{RUN}/meta.yaml", run_meta("9f" * 16), "run", f"1/{RUN}", "of another run"),
    ("an experiment without meta.yaml", "1/meta.yaml", None, "experiment", "1", "meta.yaml is missing"),
    ("an experiment of another number", "1/meta.yaml", experiment(5), "experiment", "1", "of another experiment"),
    ("a last line that is cut off", f"1/{RUN}/metrics/loss", "5 0.5 0\n6 0.2", "metric", f"1/{RUN}/metrics/loss",
     "1 of its 2 lines hold no point, or only a part of one; the first is line 2"),
    ("lines of something else", f"1/{RUN}/metrics/loss", "5 0.5 0\n\nx y z\n6 0.25 1\n7\n", "metric",
     f"1/{RUN}/metrics/loss", "3 of its 5 lines hold no point, or only a part of one; the first is line 2"),
    ("an endless line", f"1/{RUN}/metrics/loss", "5 0.5 0\n" + "9" * 200_000 + "\n6 0.25 1\n", "metric",
     f"1/{RUN}/metrics/loss", "1 of its 3 lines"),
    ("an empty metric", f"1/{RUN}/metrics/empty", "", "metric", f"1/{RUN}/metrics/empty", "no points"),
    ("a parameter that is no text", f"1/{RUN}/params/bytes", b"\xff\xfe", "param", f"1/{RUN}/params/bytes", "not UTF-8"),
    ("a parameter beyond all measure", f"1/{RUN}/params/huge", b"x" * (1024 * 1024 + 1), "param", f"1/{RUN}/params/huge",
     "larger than"),
    ("a key that is no text", f"1/{RUN}/params/\udcff", "v", "param", f"1/{RUN}/params/", "not UTF-8"),
    ("a dataset that is gone", f"1/{RUN}/inputs/ii/meta.yaml", yaml(source_type="DATASET", source_id="dd", tags={}),
     "dataset", "1/datasets/dd", "meta.yaml is missing"),
    ("a dataset outside", f"1/{RUN}/inputs/ii/meta.yaml", yaml(source_type="DATASET", source_id="../../x", tags={}),
     "dataset", f"1/{RUN}/inputs/ii", "names no dataset"),
    ("a model without meta.yaml", "models/m/meta.yaml", None, "registered model", "models/m", "meta.yaml is missing"),
    ("a version of another number", "models/m/version-1/meta.yaml", yaml(name="m", version=4), "model version",
     "models/m/version-1", "of another version"),
    ("an alias of nothing", "models/m/aliases/a", "x", "alias", "models/m/aliases/a", "names no version"),
]


def damage(site, path, content):
    whole = os.path.join(site.tree, path)
    if content is None:
        os.unlink(whole)
    elif content == "folder":
        os.unlink(whole)
        os.mkdir(whole)
    else:
        site.write({path: content}, replace=False)


@case
def what_is_damaged_is_named_the_rest_comes_over_and_repair_completes_it():
    for sentence, path, content, kind, name, reason in DAMAGES:
        with Site() as site:
            site.write(good_tree())
            damage(site, path, content)
            said = site.bring(expect=INCOMPLETE)
            found = [(i["kind"], i["name"], i["reason"]) for i in said["items"] if i["what"] == "failed"]
            check(len(found) == 1 and found[0][0] == kind and found[0][1].startswith(name) and reason in found[0][2],
                  f"{sentence}: {found}")
            if kind != "experiment":
                check(site.points("loss", OTHER) == [(7, 1.5, 0)], f"{sentence}: the other run is missing")
            if kind not in ("experiment", "run"):
                check(site.run()["info"]["status"] == "FINISHED", f"{sentence}: the run itself is missing")
            site.write(good_tree())
            check(site.bring()["failed"] == 0, f"{sentence}: the repaired tree is not read")
            check(site.points("loss") == [(5, 0.5, 0), (6, 0.25, 1)], f"{sentence}: {site.points('loss')}")
            check(site.artifacts() == {"model/MLmodel": b"flavors: {}"}, f"{sentence}: {site.artifacts()}")


@case
def links_are_named_and_not_followed():
    with Site() as site:
        secret = os.path.join(site.home, "secret")
        os.makedirs(os.path.join(secret, "deep"))
        for path in ("file", "deep/file"):
            with open(os.path.join(secret, path), "w") as file:
                file.write("5 0.5 0\n")
        site.write(good_tree())
        links = {f"1/{RUN}/params/link": ("file", "param"), f"1/{RUN}/tags/link": ("file", "tag"),
                 f"1/{RUN}/metrics/link": ("file", "metric"), f"1/{RUN}/artifacts/link": ("file", "artifact"),
                 f"1/{RUN}/artifacts/folder": ("deep", "artifact"), f"1/{'5f' * 16}": ("deep", "run"),
                 "2": ("deep", "experiment"), "models/linked": ("deep", "registered model"),
                 "models/m/version-2": ("deep", "model version")}
        for path, (target, _) in links.items():
            os.symlink(os.path.join(secret, target), os.path.join(site.tree, path))
        said = site.bring(expect=INCOMPLETE)
        found = sorted((i["name"], i["kind"]) for i in said["items"])
        check(found == sorted((path, kind) for path, (_, kind) in links.items()), found)
        check(all("symbolic link" in i["reason"] for i in said["items"]), said["items"])
        check("link" not in site.pairs("params") and list(site.artifacts()) == ["model/MLmodel"], "nothing came in")


@case
def files_in_the_place_of_folders_are_named():
    with Site() as site:
        tree = good_tree()
        for path in (f"1/{RUN}/params/alpha", f"1/{RUN}/artifacts/model/MLmodel", f"1/{RUN}/metrics/loss",
                     f"1/{RUN}/tags/mlflow.runName"):
            del tree[path]
        places = {f"1/{RUN}/params": "param", f"1/{RUN}/metrics": "metric", f"1/{RUN}/tags": "tag",
                  f"1/{RUN}/artifacts": "artifact", f"1/{RUN}/inputs": "input", "models/m/aliases": "alias"}
        site.write({**tree, **{path: "a file" for path in places}})
        said = site.bring(expect=INCOMPLETE)
        found = sorted((i["name"], i["kind"]) for i in said["items"] if i["what"] == "failed")
        check(found == sorted(places.items()), found)
        check((said["runs"], said["versions"]) == (2, 1), "the rest came over")


@case
def what_else_lies_in_the_tree_is_left_alone():
    with Site() as site:
        site.write({**good_tree(), "3": "a file", f"1/{'6a' * 16}": "a file", "1/not a run/x.txt": "artifacts of others",
                    "1/.hidden/meta.yaml": "x", "trk-export-tmp/1/meta.yaml": "x", ".trackerd-export": "",
                    "1/traces/tr-1/trace_info.yaml": "x"})
        said = site.bring()
        check((said["experiments"], said["runs"], said["failed"]) == (1, 2, 0), said)
        check([(i["what"], i["kind"], i["name"]) for i in said["items"]] == [("left out", "trace", "1/traces/tr-1")],
              said["items"])


@case
def folders_that_cannot_be_read_are_named():
    with Site() as site:
        site.write(good_tree())
        shut = os.path.join(site.tree, "1", RUN, "params")
        closed = os.path.join(site.tree, "1", OTHER)
        program = os.path.join(site.home, "trk")  # a place where anybody may run it
        shutil.copy(binary(sys.argv, "trk"), program)
        os.chmod(shut, 0)
        os.chmod(closed, 0)
        as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        done = subprocess.run([program, "import", "mlflow", site.tree, "--json", "--url", site.daemon.url], text=True,
                              capture_output=True, timeout=DEADLINE_S, cwd=site.home, **as_nobody)
        check(done.returncode == INCOMPLETE, done)
        failed = sorted((i["kind"], i["name"]) for i in json.loads(done.stdout)["items"])
        check(failed == [("param", f"1/{RUN}/params"), ("run", f"1/{OTHER}")], failed)
        check(site.points("loss") == [(5, 0.5, 0), (6, 0.25, 1)], "the rest came over")
        os.chmod(shut, 0o755)
        os.chmod(closed, 0o755)
        check(site.bring()["failed"] == 0 and site.pairs("params") == {"alpha": "0.1"}, "with leave it is completed")


@case
def artifacts_are_found_where_the_tree_was_moved_to_and_where_their_address_says():
    with Site() as site:
        elsewhere = os.path.join(site.home, "store", "1", OTHER, "artifacts")
        os.makedirs(elsewhere)
        with open(os.path.join(elsewhere, "far.txt"), "w") as file:
            file.write("far")
        tree = good_tree()
        tree[f"1/{OTHER}/meta.yaml"] = run_meta(OTHER, artifact_uri="file://" + elsewhere)
        site.write({**tree, f"1/{OTHER}/artifacts/": ""})
        said = site.bring()
        check((said["artifacts"], said["failed"]) == (2, 0), said)
        check(site.artifacts() == {"model/MLmodel": b"flavors: {}"}, "its own folder")
        check(site.artifacts(OTHER) == {"far.txt": b"far"}, "the folder of its address")


def high_water_kb(site, lines):
    """The most memory that an import of so many points takes."""
    site.write({"1/meta.yaml": experiment(), f"1/{RUN}/meta.yaml": run_meta(),
                f"1/{RUN}/metrics/loss": "".join(f"{i} {i * 0.5} {i}\n" for i in range(lines))})
    quiet = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
    command = [binary(sys.argv, "trk"), "import", "mlflow", site.tree, "--url", site.daemon.url, "--quiet"]
    process = subprocess.Popen(command, env={**os.environ, "ASAN_OPTIONS": quiet})
    most = 0
    while process.poll() is None:  # looked at again and again: at its end the figure is gone
        try:
            with open(f"/proc/{process.pid}/status") as status:
                most = max([most, *(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))])
        except ProcessLookupError:
            break
    check(process.wait(DEADLINE_S) == 0, f"the import of {lines} points ended with {process.returncode}")
    check(most > 0, "it was gone before its memory was seen")
    return most


@case
def memory_is_the_same_for_few_and_for_many_points():
    with Site() as site:
        few, many = high_water_kb(site, 30_000), high_water_kb(site, 300_000)
        check(many < few + 8 * 1024, f"{few} kB for 30,000 points, {many} kB for 300,000")
        summary = site.get(f"/api/trackerd/v1/metrics/summary?run_ids={RUN}")["runs"][0]["metrics"]
        check([m["point_count"] for m in summary] == [300_000], summary)


if __name__ == "__main__":
    run_cases(only=sys.argv[2] if len(sys.argv) > 2 else "")
