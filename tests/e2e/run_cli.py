#!/usr/bin/env python3
"""trk against a real daemon and against a lying one: every command, exit status, and what failures leave behind.

Usage: run_cli.py FOLDER_OF_BINARIES [unittest options]
"""
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
from cli_support import LyingServer, Trk, sha256, tree_of, tree_sha256  # noqa: E402
from daemon import Daemon, binary, last_words  # noqa: E402
from deploy_support import Proxy  # noqa: E402

PROGRAM = os.path.abspath(binary(sys.argv, "trk"))
FREE_OF_IDS = re.compile(r"[0-9a-f]{32}")
NOUNS = ["experiments", "runs", "gc", "best", "log", "artifacts", "models", "promote", "deploy", "serve", "deployments", "events",
         "webhooks", "import", "export", "sync", "doctor", "ui", "completion", "version"]
TWO_WORDS = ("experiments", "runs", "log", "artifacts", "models", "deployments", "webhooks", "import", "export")


class WithDaemon(unittest.TestCase):
    """One daemon for all tests of a class; each test names its own experiments."""
    OPTIONS = ()

    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.mkdtemp(prefix="trk-test-")
        cls.addClassCleanup(shutil.rmtree, cls.home, ignore_errors=True)
        cls.daemon = cls.enterClassContext(Daemon(binary(sys.argv), options=cls.OPTIONS))
        cls.trk = Trk(PROGRAM, cls.daemon.url, cls.home)

    def folder(self, files, name="tree"):
        """A folder with these files, below a new folder."""
        path = os.path.join(tempfile.mkdtemp(dir=self.home), name)
        for relative, content in files.items():
            target = os.path.join(path, relative)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(content)
        return path

    @classmethod
    def start_run(cls, experiment, **options):
        words = [word for key, value in options.items() for word in (f"--{key}", value)]
        return cls.trk.out("log", "run-start", "--experiment", experiment, *words).strip()

    @classmethod
    def run_with(cls, experiment, alpha, losses, **options):
        run = cls.start_run(experiment, **options)
        cls.trk.run("log", "param", run, f"alpha={alpha}", "kind=ridge")
        for step, loss in enumerate(losses):
            cls.trk.run("log", "metric", run, f"loss={loss}", "--step", str(step), "--time", str(1000 + step))
        cls.trk.run("log", "run-end", run)
        return run


class Experiments(WithDaemon):
    def test_experiment_from_creation_to_deletion_and_back(self):
        made = self.trk.json("experiments", "create", "first one", "--tag", "team=a=b")
        self.assertEqual(made["name"], "first one")
        shown = self.trk.json("experiments", "show", "first one")
        self.assertEqual((shown["experiment_id"], shown["tags"]), (made["experiment_id"], {"team": "a=b"}))
        self.trk.run("experiments", "rename", "first one", "second one")
        self.assertEqual(self.trk.json("experiments", "show", made["experiment_id"])["name"], "second one")
        self.assertIn("second one\n", self.trk.out("experiments", "list", "--quiet"))
        self.trk.run("experiments", "delete", "second one")
        names = [e["name"] for e in self.trk.json("experiments", "list")["experiments"]]
        self.assertNotIn("second one", names)
        gone = [e["name"] for e in self.trk.json("experiments", "list", "--deleted")["experiments"]]
        self.assertIn("second one", gone)
        self.trk.run("experiments", "restore", made["experiment_id"])
        self.assertEqual(self.trk.json("experiments", "show", "second one")["lifecycle_stage"], "active")

    def test_statuses_of_failures(self):
        self.trk.run("experiments", "create", "taken")
        self.trk.run("experiments", "create", "taken", expect=4)
        self.trk.run("experiments", "show", "no such", expect=3)
        self.trk.run("experiments", "create", "x", "--tag", "novalue", expect=2)

    def test_names_keep_their_characters_and_cannot_steer_a_terminal(self):
        self.trk.run("experiments", "create", "日本 \x1b[31mred")
        listed = self.trk.json("experiments", "list", "--filter", "name LIKE '日本%'")["experiments"]
        self.assertEqual([e["name"] for e in listed], ["日本 \x1b[31mred"])
        self.assertNotIn("\x1b[31mred", self.trk.terminal("experiments", "list"))


class Runs(WithDaemon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.runs = [cls.run_with("curves", a, losses, name=f"run-{a}")
                    for a, losses in (("0.1", [4, 2, 1]), ("0.3", [5, 3, 2.5]), ("1.0", [9, 0.5, 7]))]

    def test_list_with_filter_order_columns_and_limits(self):
        listed = self.trk.json("runs", "list", "curves", "--order-by", "metrics.loss ASC")
        self.assertEqual([r["run_id"] for r in listed["runs"]], self.runs)
        self.assertEqual(listed["runs"][0]["params"], {"alpha": "0.1", "kind": "ridge"})
        self.assertEqual(listed["runs"][0]["metrics"], {"loss": 1})
        self.assertEqual((listed["runs"][0]["status"], listed["has_more"]), ("FINISHED", False))
        found = self.trk.out("runs", "list", "curves", "--filter", "params.alpha = '0.3'", "-q")
        self.assertEqual(found, self.runs[1] + "\n")
        two = self.trk.json("runs", "list", "curves", "--max", "2")
        self.assertEqual((len(two["runs"]), two["has_more"]), (2, True))
        table = self.trk.out("runs", "list", "curves", "--columns", "run_id,alpha,metrics.loss,params.none")
        self.assertEqual(table.split("\n")[0].split(), ["RUN", "alpha", "loss", "none"])
        self.assertIn(self.runs[2], table)

    def test_list_says_what_is_wrong(self):
        self.trk.run("runs", "list", "no such", expect=3)
        self.trk.run("runs", "list", expect=2)
        self.trk.run("runs", "list", "curves", "--max", "0", expect=2)
        bad = self.trk.run("runs", "list", "curves", "--filter", "metrics.loss <", expect=1)
        self.assertRegex(bad.stderr, r"^trk: .*\n$")

    def test_show_gives_everything_about_a_run(self):
        run = self.runs[2]
        shown = self.trk.json("runs", "show", run[:8])
        self.assertEqual((shown["run_id"], shown["run_name"], shown["params"]["alpha"]), (run, "run-1.0", "1.0"))
        loss = shown["metric_summary"][0]
        self.assertEqual((loss["key"], loss["last"], loss["min"], loss["max"], loss["point_count"]),
                         ("loss", 7, 0.5, 9, 3))
        text = self.trk.out("runs", "show", run)
        self.assertIn(run, text)
        self.assertNotIn("█", text)
        screen = self.trk.terminal("runs", "show", run)
        self.assertIn("█▁▆", screen)

    def test_prefixes_must_be_long_enough_and_fit_one_run(self):
        self.trk.run("runs", "show", self.runs[0][:5], expect=2)
        self.trk.run("runs", "show", "zz" * 16, expect=2)
        self.trk.run("runs", "show", "f" * 32, expect=3)
        absent = next(p for p in (f"{n:06x}" for n in range(99)) if not any(r.startswith(p) for r in self.runs))
        self.trk.run("runs", "show", absent, expect=3)
        client = self.daemon.connect()
        self.addCleanup(client.close)
        for end in "ab":
            client.call("POST", "runs/create", {"experiment_id": "0", "run_id": "abcdef" + "0" * 25 + end})
        both = self.trk.run("runs", "show", "abcdef", expect=1)
        self.assertIn("more than one run", both.stderr)
        self.assertEqual(len(FREE_OF_IDS.findall(both.stderr)), 2)

    def test_diff_shows_what_differs(self):
        rows = self.trk.json("runs", "diff", *self.runs[:2])["rows"]
        self.assertIn({"kind": "param", "key": "alpha", "differs": True, "values": ["0.1", "0.3"]}, rows)
        self.assertNotIn("kind", [r["key"] for r in rows])
        everything = self.trk.json("runs", "diff", *self.runs[:2], "--all")["rows"]
        self.assertIn({"kind": "param", "key": "kind", "differs": False, "values": ["ridge", "ridge"]}, everything)
        self.trk.run("runs", "diff", self.runs[0], expect=2)

    def test_delete_by_filter_asks_first_and_can_be_undone(self):
        doomed = [self.run_with("doomed", a, [1]) for a in ("1", "2", "3")]
        choose = ["runs", "delete", "--experiment", "doomed", "--filter", "params.alpha != '2'"]
        self.trk.run(*choose, expect=2)
        dry = self.trk.json(*choose, "--dry-run")
        self.assertEqual(({r["run_id"] for r in dry["runs"]}, dry["dry_run"]), ({doomed[0], doomed[2]}, True))
        self.assertEqual(len(self.trk.json("runs", "list", "doomed")["runs"]), 3)
        self.assertIn("[y/N]", self.trk.terminal(*choose, keys=b"n\n", expect=1))
        self.trk.terminal(*choose, keys=b"y\n")
        self.assertEqual([r["run_id"] for r in self.trk.json("runs", "list", "doomed")["runs"]], [doomed[1]])
        self.assertEqual(len(self.trk.json("runs", "list", "doomed", "--deleted")["runs"]), 2)
        self.trk.run("runs", "restore", doomed[0], doomed[2])
        self.trk.run("runs", "delete", doomed[1])
        self.assertEqual(len(self.trk.json("runs", "list", "doomed")["runs"]), 2)
        self.trk.run("runs", "delete", doomed[0], "--experiment", "doomed", expect=2)
        self.trk.run("runs", "delete", "e" * 32, expect=3)

    def test_many_runs_come_page_by_page(self):
        client = self.daemon.connect()
        self.addCleanup(client.close)
        experiment = client.call("POST", "experiments/create", {"name": "many"})["experiment_id"]
        for _ in range(1003):
            client.call("POST", "runs/create", {"experiment_id": experiment})
        self.assertEqual(len(self.trk.out("runs", "list", "many", "--all", "-q").split()), 1003)
        self.assertEqual(len(self.trk.out("runs", "list", "many", "-q").split()), 50)

    def test_best_ranks_by_last_least_or_greatest_value(self):
        best = ["best", "curves", "--metric", "loss"]
        self.assertEqual(self.trk.out(*best, "--min", "--quiet"), self.runs[0] + "\n")
        self.assertEqual(self.trk.out(*best, "--max", "--quiet"), self.runs[2] + "\n")
        self.assertEqual(self.trk.out(*best, "--min", "--value", "min", "--quiet"), self.runs[2] + "\n")
        top = self.trk.json(*best, "--min", "--top", "2")["runs"]
        self.assertEqual([(r["run_id"], r["rank"], r["value"], r["step"]) for r in top],
                         [(self.runs[0], 1, 1, 2), (self.runs[1], 2, 2.5, 2)])
        table = self.trk.out(*best, "--min")
        self.assertEqual(table.split("\n")[0].split(), ["RANK", "loss", "NAME", "RUN", "alpha"])
        filtered = self.trk.out(*best, "--min", "--filter", "params.alpha = '0.3'", "--quiet")
        self.assertEqual(filtered, self.runs[1] + "\n")

    def test_best_says_what_is_wrong(self):
        for words, status in ((["--min"], 2), (["--metric", "loss"], 2), (["--metric", "loss", "--min", "--max"], 2),
                              (["--metric", "loss", "--min", "--top", "none"], 2), (["--metric", "nix", "--min"], 3),
                              (["--metric", "loss", "--min", "--value", "mean"], 2)):
            self.trk.run("best", "curves", *words, expect=status)
        self.trk.run("best", "no such", "--metric", "loss", "--min", expect=3)
        self.assertEqual(self.trk.json("best", "curves", "--metric", "nix", "--min"), {"runs": []})

    def test_tables_fit_the_terminal_and_never_cut_ids_elsewhere(self):
        for words in (["runs", "list", "curves"], ["best", "curves", "--metric", "loss", "--min"],
                      ["runs", "show", self.runs[0]], ["runs", "diff", *self.runs], ["experiments", "list"]):
            for columns in (40, 80, 132):
                screen = self.trk.terminal(*words, columns=columns)
                self.assertIn("\x1b[", screen)
                for line in re.sub(r"\x1b\[[0-9;]*[mK]", "", screen).split("\n"):
                    talk = "more columns" in line or words[1] in ("show", "diff") and columns == 40
                    self.assertTrue(talk or len(line) <= columns, line)
            self.assertNotIn("\x1b", self.trk.terminal(*words, env={"NO_COLOR": "1"}))
            self.assertNotIn("\x1b", self.trk.out(*words))
        for run in self.runs:
            self.assertIn(run, self.trk.out("runs", "list", "curves", env={"COLUMNS": "20"}))


class Log(WithDaemon):
    def test_a_shell_script_records_a_run(self):
        tree = self.folder({"weights.bin": b"\0\1\2" * 1000, "sub/notes.txt": b"hello"}, "model")
        script = """set -e
            export TRK_RUN_ID=$(trk log run-start --experiment script --name shell --tag who=me)
            trk log param alpha=0.3 text="a = b"
            for step in 1 2 3; do trk log metric loss=0.$step extra=NaN --step $step; done
            trk log tag stage=final
            trk log artifact "$1"
            trk log artifact "$1/sub/notes.txt" --path docs/
            trk log run-end
            echo $TRK_RUN_ID"""
        done = subprocess.run(["bash", "-c", script, "script", tree], env=self.trk.environment, capture_output=True,
                              text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        run = self.trk.json("runs", "show", done.stdout.split()[-1])
        self.assertEqual((run["run_name"], run["status"]), ("shell", "FINISHED"))
        self.assertEqual(run["params"], {"alpha": "0.3", "text": "a = b"})
        self.assertEqual((run["metrics"]["loss"], run["metrics"]["extra"]), (0.3, "NaN"))
        self.assertEqual((run["tags"]["who"], run["tags"]["stage"]), ("me", "final"))
        files = self.trk.json("artifacts", "ls", run["run_id"], "-r")["files"]
        self.assertEqual([f["path"] for f in files],
                         ["docs/notes.txt", "model/sub/notes.txt", "model/weights.bin"])

    def test_children_statuses_and_mistakes(self):
        parent = self.start_run("nested")
        child = self.start_run("nested", parent=parent[:10])
        self.assertEqual(self.trk.json("runs", "show", child)["tags"]["mlflow.parentRunId"], parent)
        self.trk.run("log", "run-end", child, "--status", "KILLED")
        self.assertEqual(self.trk.json("runs", "show", child)["status"], "KILLED")
        for words, status in ((["param", "alpha=1"], 2), (["param", parent], 2), (["param", parent, "alpha"], 2),
                              (["metric", parent, "loss=abc"], 2), (["metric", parent, "loss=1", "--step", "x"], 2),
                              (["run-end", parent, "--status", "DONE"], 2), (["metric", "f" * 32, "a=1"], 3)):
            self.trk.run("log", *words, expect=status)
        self.trk.run("log", "param", parent, "alpha=1")
        changed = self.trk.run("log", "param", parent, "alpha=2", expect=1)
        self.assertIn("alpha", changed.stderr)
        self.assertEqual(self.trk.json("log", "metric", parent, "loss=-1", "--step", "-5")["run_id"], parent)

    def test_more_pairs_than_one_batch_takes(self):
        run = self.start_run("wide")
        self.trk.run("log", "param", run, *[f"p{i}={i}" for i in range(250)])
        self.assertEqual(len(self.trk.json("runs", "show", run)["params"]), 250)


class Artifacts(WithDaemon):
    FILES = {"a.txt": b"hello", "empty": b"", "sub/b.bin": bytes(range(256)) * 5000, "sub/deep/ü ö+&?%.txt": b"x" * 70000}

    def test_a_tree_comes_back_as_it_went(self):
        run, tree = self.start_run("files"), self.folder(self.FILES)
        put = self.trk.json("artifacts", "put", run, tree, "data/v1")
        self.assertEqual((put["path"], put["file_count"], put["tree_sha256"]),
                         ("data/v1", 4, tree_sha256(self.FILES)))
        target = os.path.join(self.home, "back")
        got = self.trk.json("artifacts", "get", run, "data/v1", "--to", target)
        self.assertEqual((got["file_count"], got["tree_sha256"]), (4, tree_sha256(self.FILES)))
        self.assertEqual(tree_of(target), self.FILES)
        again = self.trk.json("artifacts", "get", run, "data/v1", "--to", target)
        self.assertEqual(again["skipped_count"], 4)
        with open(os.path.join(target, "a.txt"), "wb") as file:
            file.write(b"HELLO")
        self.assertEqual(self.trk.json("artifacts", "get", run, "data/v1", "--to", target)["skipped_count"], 3)
        self.assertEqual(tree_of(target), self.FILES)

    def test_single_files_and_listings(self):
        run, tree = self.start_run("files"), self.folder({"same": b"inner"}, "same")
        self.trk.run("artifacts", "put", run, os.path.join(tree, "same"), "plots/loss.txt")
        self.trk.run("artifacts", "put", run, tree)
        self.assertEqual(self.trk.out("artifacts", "ls", run), "plots/\nsame/\n")
        self.assertEqual(self.trk.out("artifacts", "ls", run, "plots/"), "plots/loss.txt\n")
        self.assertEqual(self.trk.out("artifacts", "ls", run, "plots/loss.txt"), "plots/loss.txt\n")
        listed = self.trk.json("artifacts", "ls", run, "-r")["files"]
        self.assertEqual([(f["path"], f["bytes"], f["sha256"]) for f in listed],
                         [("plots/loss.txt", 5, sha256(b"inner")), ("same/same", 5, sha256(b"inner"))])
        self.assertIn("5 B", self.trk.out("artifacts", "ls", run, "-lr"))
        for path, expected in (("plots/loss.txt", {"loss.txt": b"inner"}), ("same", {"same": b"inner"}),
                               ("same/same", {"same": b"inner"})):
            target = tempfile.mkdtemp(dir=self.home)
            self.trk.run("artifacts", "get", run, path, "--to", target)
            self.assertEqual(tree_of(target), expected)

    def test_mistakes_have_their_statuses(self):
        run = self.start_run("files")
        self.trk.run("artifacts", "ls", run, "nowhere", expect=3)
        self.trk.run("artifacts", "get", run, "nowhere", expect=3)
        self.trk.run("artifacts", "put", run, "/no/such/file", expect=1)
        self.trk.run("artifacts", "put", run, self.folder({"x": b""}), "../out", expect=1)
        empty = tempfile.mkdtemp(dir=self.home)
        self.trk.run("artifacts", "put", run, empty, expect=1)
        self.trk.run("artifacts", "get", "1" * 32, expect=3)

    def test_a_bar_is_shown_on_a_terminal_only(self):
        run, data = self.start_run("files"), os.urandom(48 * 1024 * 1024)
        tree = self.folder({"big": data})
        screen = self.trk.terminal("artifacts", "put", run, tree)
        self.assertRegex(screen, r"uploading.*[━─].*\d+%.*/s")
        quiet = self.trk.run("artifacts", "get", run, "--to", os.path.join(self.home, "big"))
        self.assertNotIn("━", quiet.stdout + quiet.stderr)
        self.assertEqual(tree_of(os.path.join(self.home, "big")), {"tree/big": data})


class LyingServers(unittest.TestCase):
    """Downloads from a server that means ill, or breaks off: what was there stays."""
    FILES = {"README": b"read me", "sub/weights": os.urandom(300000)}
    OLD = {"old": b"old model"}

    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="trk-test-")
        self.addCleanup(shutil.rmtree, self.home)
        self.target = os.path.join(self.home, "model")
        os.mkdir(self.target)
        with open(os.path.join(self.target, "old"), "wb") as file:
            file.write(self.OLD["old"])

    def get(self, server, expect=0, words=()):
        return Trk(PROGRAM, server.url, self.home).run("models", "get", "m@a", "--to", self.target, *words,
                                                       expect=expect)

    def assert_untouched(self):
        self.assertEqual(tree_of(self.target), self.OLD)
        self.assertEqual(os.listdir(self.home), ["model"])

    def test_paths_that_lead_out_are_refused(self):
        for path in ("../evil", "/evil", "a/../../evil", "sub/..", ".", "", "a//b", "a/./b", "a\\b", "a\nb", "a\x1bb",
                     "x" * 256, "/".join(["y" * 200] * 6), "sub/"):
            def evil(manifest, path=path):
                manifest["files"].append({"path": path, "file_size": 1, "sha256": "0" * 64})
                lines = [f"{f['sha256']}  {f['path']}\n" for f in manifest["files"]]
                manifest["tree_sha256"] = sha256("".join(sorted(lines, key=lambda l: l[66:])).encode())
                return manifest
            with self.subTest(path=path), LyingServer(self.FILES, evil) as server:
                self.assertIn("nothing was written", self.get(server, 1).stderr)
                self.assertFalse(any("mlflow-artifacts" in path for path, _ in server.requests))
                self.assert_untouched()
        self.assertFalse(os.path.exists(os.path.join(os.path.dirname(self.home), "evil")))

    def test_manifests_that_contradict_themselves_are_refused(self):
        def twice(manifest):
            manifest["files"] *= 2
            return manifest

        def file_and_folder(manifest):
            manifest["files"][1]["path"] = "README/x"
            return manifest

        def other_tree(manifest):
            manifest["tree_sha256"] = "0" * 64
            return manifest

        def no_digest(manifest):
            del manifest["files"][0]["sha256"]
            return manifest

        def negative(manifest):
            manifest["files"][0]["file_size"] = -1
            return manifest

        for change in (twice, file_and_folder, other_tree, no_digest, negative, lambda m: [], lambda m: {"files": 7}):
            with self.subTest(change=change), LyingServer(self.FILES, change) as server:
                self.get(server, 1)
                self.assert_untouched()

    def test_wrong_bytes_are_refused(self):
        def other(manifest):
            manifest["files"][1]["sha256"] = sha256(b"other")
            manifest["tree_sha256"] = sha256("".join(
                f"{f['sha256']}  {f['path']}\n" for f in manifest["files"]).encode())
            return manifest

        def shorter(manifest):
            manifest["files"][1]["file_size"] -= 1
            return manifest

        def longer(manifest):
            manifest["files"][1]["file_size"] += 1
            return manifest

        for change in (other, shorter, longer):
            with self.subTest(change=change), LyingServer(self.FILES, change) as server:
                self.assertIn("other bytes", self.get(server, 1).stderr)
                self.assert_untouched()

    def test_a_tree_that_changed_since_it_was_registered_is_refused(self):
        with LyingServer(self.FILES, tags={"trackerd.tree_sha256": "1" * 64}) as server:
            self.assertIn("changed since", self.get(server, 1).stderr)
            self.assert_untouched()
        with LyingServer(self.FILES, uri="s3://bucket/model") as server:
            self.assertIn("s3://bucket/model", self.get(server, 1).stderr)
            self.assert_untouched()

    def test_a_broken_connection_leaves_the_directory_as_it_was(self):
        with LyingServer(self.FILES, cut={"sub/weights": 1000}) as server:
            self.assertIn("stays as it was", self.get(server, 6).stderr)
            self.assert_untouched()

    def test_an_honest_server_replaces_it_and_keeps_what_is_no_version(self):
        with LyingServer(self.FILES, tags={"trackerd.tree_sha256": tree_sha256(self.FILES)}) as server:
            kept = re.search(r"kept: (\S+)", self.get(server).stderr).group(1)
            self.assertEqual((tree_of(self.target), tree_of(kept)), (self.FILES, self.OLD))
            shutil.rmtree(kept)
            self.assertIn("already", self.get(server).stderr)
            self.files_changed_by_hand(server)

    def files_changed_by_hand(self, server):
        with open(os.path.join(self.target, "README"), "ab") as file:
            file.write(b"!")
        self.get(server, words=["--force"])
        self.assertEqual(tree_of(self.target), self.FILES)
        self.assertEqual(os.listdir(self.home), ["model"])

    def test_the_working_directory_is_not_replaced(self):
        with LyingServer(self.FILES) as server:
            trk = Trk(PROGRAM, server.url, self.home)
            trk.run("models", "get", "m@a", "--to", ".", expect=1)
            trk.run("models", "get", "m@a", "--to", "/no/such/place/model", expect=1)
            trk.run("models", "get", "m@a", "--to", "model/old", expect=1)
            self.assert_untouched()

    def test_links_below_the_target_are_not_followed(self):
        outside = tempfile.mkdtemp(prefix="trk-outside-")
        self.addCleanup(shutil.rmtree, outside)
        os.symlink(outside, os.path.join(self.target, "sub"))
        with LyingServer(self.FILES) as server:
            Trk(PROGRAM, server.url, self.home).run("artifacts", "get", "0" * 32, "model", "--to", self.target,
                                                    expect=1)
            self.assertEqual(os.listdir(outside), [])

    def test_a_broken_download_is_gone_on_with(self):
        command = ["artifacts", "get", "0" * 32, "model", "--to", self.target]
        with LyingServer(self.FILES, cut={"sub/weights": 200000}) as server:
            trk = Trk(PROGRAM, server.url, self.home)
            self.assertIn("goes on with it", trk.run(*command, expect=6).stderr)
            self.assertNotIn("weights", os.listdir(os.path.join(self.target, "sub")))
            server.cut = {}
            self.assertEqual(trk.json(*command)["resumed_bytes"], 200000)
            self.assertEqual(server.requests[-1][1]["Range"], "bytes=200000-")
            self.assertEqual(tree_of(self.target), {**self.FILES, **self.OLD})

    def test_a_part_that_is_wrong_is_fetched_anew(self):
        digest = sha256(self.FILES["sub/weights"])
        os.mkdir(os.path.join(self.target, "sub"))
        with LyingServer(self.FILES) as server:
            for junk in (b"junk" * 1000, b"x" * 400000):
                part = os.path.join(self.target, "sub", f".trk-{digest[:16]}.part")
                with open(part, "wb") as file:
                    file.write(junk)
                Trk(PROGRAM, server.url, self.home).run("artifacts", "get", "0" * 32, "model", "--to", self.target)
                self.assertEqual(tree_of(self.target), {**self.FILES, **self.OLD})
                os.remove(os.path.join(self.target, "sub", "weights"))


class Models(WithDaemon):
    FILES = {"README.md": b"# model", "weights.csv": b"1,2,3\n" * 5000}

    def test_from_registration_to_a_verified_copy(self):
        run = self.start_run("models")
        self.trk.run("artifacts", "put", run, self.folder(self.FILES, "model"))
        self.trk.run("models", "create", "taxi", "--description", "minutes")
        self.assertIn("already exists", self.trk.run("models", "create", "taxi", expect=4).stderr)
        made = self.trk.json("models", "register", run, "model", "--name", "taxi", "--alias", "champion")
        self.assertEqual((made["version"], made["run_id"], made["aliases"]), ("1", run, ["champion"]))
        self.assertEqual(made["tags"]["trackerd.tree_sha256"], tree_sha256(self.FILES))
        target = os.path.join(self.home, "champion")
        got = self.trk.json("models", "get", "taxi@champion", "--to", target)
        self.assertEqual((got["version"], got["changed"], got["tree_sha256"]), ("1", True, tree_sha256(self.FILES)))
        self.assertEqual(tree_of(target), self.FILES)
        self.second_version(run, target)

    def test_files_of_a_version_get_other_bytes_by_force_only(self):
        run = self.start_run("models")
        trees = [self.folder({"w": content, "notes": b"same"}, "model") for content in (b"old", b"new")]
        file = os.path.join(trees[1], "w")
        self.trk.run("artifacts", "put", run, trees[0])
        self.trk.run("models", "create", "kept")
        self.trk.run("models", "register", run, "model", "--name", "kept")
        self.trk.run("models", "alias", "kept", "champion", "1")
        for words in (("artifacts", "put", run, trees[1]), ("log", "artifact", run, file, "--path", "model/w")):
            refusal = self.trk.run(*words, expect=4).stderr
            self.assertIn("model/w' cannot be replaced: version 1 of model 'kept' (champion) needs it", refusal)
            self.trk.run(words[0], words[1], run, trees[0])
            self.trk.run(*words, "--force")
            forced = self.trk.json("models", "history", "kept", "--max", "1")["events"][0]
            self.assertEqual((forced["kind"], forced["version"], forced["cause"]), ("guard.forced", "1", f"trk {words[0]} {words[1]}"))
            self.assertNotEqual(forced["actor"], "")
            history = self.trk.out("models", "history", "kept", env={"COLUMNS": "200"})
            self.assertIn("v1: what it needs was replaced by force", history)
            self.trk.run("artifacts", "put", run, trees[0], "--force")
        self.trk.run("models", "alias", "kept", "champion", "--delete")
        self.trk.run("artifacts", "put", run, trees[1])
        history = self.trk.out("models", "history", "kept", env={"COLUMNS": "200"})
        self.assertIn("v1: files it needs were replaced", history)

    def second_version(self, run, target):
        newer = {**self.FILES, "weights.csv": b"4,5,6\n"}
        self.trk.run("artifacts", "put", run, self.folder(newer, "better"))
        printed = self.trk.out("models", "register", run, "better/", "--name", "taxi", "--description", "more")
        self.assertEqual(printed, "taxi/2\n")
        self.assertFalse(self.trk.json("models", "get", "taxi@champion", "--to", target)["changed"])
        self.trk.run("models", "alias", "taxi", "champion", "2")
        got = self.trk.json("models", "get", "taxi@champion", "--to", target)
        self.assertEqual((got["version"], got.get("kept")), ("2", None))
        self.assertEqual(tree_of(target), newer)
        self.trk.run("models", "get", "taxi/1", "--to", target)
        self.assertEqual(tree_of(target), self.FILES)
        listed = {model["name"]: model for model in self.trk.json("models", "list")["models"]}["taxi"]
        self.assertEqual((listed["latest_version"], listed["aliases"]), ("2", {"champion": "2"}))
        shown = self.trk.json("models", "show", "taxi")
        self.assertEqual([(v["version"], v["description"]) for v in shown["versions"]], [("2", "more"), ("1", "")])
        self.assertIn("champion", self.trk.out("models", "show", "taxi"))
        self.assertEqual(self.trk.out("models", "show", "taxi", "--quiet"), "2\n1\n")
        self.trk.run("models", "alias", "taxi", "champion", "--delete")
        self.trk.run("models", "get", "taxi@champion", "--to", target, expect=3)
        self.trk.run("models", "delete", "taxi/1", expect=2)
        self.trk.run("models", "delete", "taxi/1", "--yes")
        self.trk.run("models", "get", "taxi/1", "--to", target, expect=3)
        self.trk.run("models", "delete", "taxi", "--yes")
        self.trk.run("models", "show", "taxi", expect=3)

    def test_mistakes_have_their_statuses(self):
        run = self.start_run("models")
        self.trk.run("models", "register", run, "nowhere", "--name", "nix", expect=3)
        self.trk.run("artifacts", "put", run, self.folder({"x": b"1"}, "m"))
        self.trk.run("models", "register", run, "m", "--name", "nix", expect=3)
        self.trk.run("models", "register", run, "m", expect=2)
        self.trk.run("models", "get", "nix@a", "--to", "x", expect=3)
        self.trk.run("models", "get", "nix", "--to", "x", expect=2)
        self.trk.run("models", "get", "nix@a", expect=2)
        self.trk.run("models", "alias", "nix", "a", expect=2)
        self.trk.run("models", "alias", "nix", "a", "1", expect=3)


class Webhooks(WithDaemon):
    """A receiver that answers what `status` says, and keeps what it got."""
    OPTIONS = ("--webhook-allowed-schemes", "http", "--webhook-allow-private-addresses")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.status, cls.received = 200, []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                cls.received.append((self.headers, json.loads(body)))
                self.send_response(cls.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        cls.addClassCleanup(receiver.server_close)
        cls.addClassCleanup(receiver.shutdown)
        threading.Thread(target=receiver.serve_forever, args=(0.02,), daemon=True).start()
        cls.url = f"http://127.0.0.1:{receiver.server_port}/"

    def wait_log(self, name, state):
        """The newest delivery, once it has that state."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            newest = self.trk.json("webhooks", "log", name)["deliveries"][0]
            if newest["state"] == state:
                return newest
        self.fail(f"{name} is not {state}: {newest}")

    def test_from_creation_over_test_log_and_replay_to_deletion(self):
        self.assertIn("No webhooks", self.trk.run("webhooks", "list").stderr)
        path = os.path.join(self.folder({"secret": b"s3cret\nmore\n"}), "secret")
        hook = self.trk.out("webhooks", "create", "deploy", self.url, "--event", "registered_model.created", "--event",
                            "prompt.created", "--secret-file", path, "--description", "d").strip()
        listed, = self.trk.json("webhooks", "list")["webhooks"]
        self.assertEqual(listed, {"webhook_id": hook, "name": "deploy", "url": self.url, "status": "ACTIVE",
                                  "description": "d", "events": ["prompt.created", "registered_model.created"]})
        self.assertEqual(self.trk.out("webhooks", "list", "--quiet").strip(), hook)
        self.assertIn(hook[:8], self.trk.terminal("webhooks", "list"))
        self.assertTrue(self.trk.json("webhooks", "test", "deploy", "--event", "prompt.created")["success"])
        self.assertEqual(self.received[-1][1]["entity"], "prompt")
        self.assertIn("X-MLflow-Signature", self.received[-1][0])
        type(self).status = 404
        self.assertIn("answered 404", self.trk.run("webhooks", "test", hook[:6], expect=1).stderr)
        self.trk.run("models", "create", "m")
        failed = self.wait_log("deploy", "FAILED")
        self.assertEqual((failed["event"], failed["attempts"], failed["outcome"]),
                         ("registered_model.created", 1, "404"))
        self.assertIn("404", self.trk.terminal("webhooks", "log", hook))
        type(self).status = 200
        delivery = failed["delivery_id"]
        self.assertEqual(self.trk.json("webhooks", "replay", "deploy", delivery[:8])["delivery_id"], delivery)
        self.assertEqual(self.wait_log("deploy", "DELIVERED")["attempts"], 2)
        self.assertEqual(self.trk.out("webhooks", "log", "deploy", "--quiet").strip(), delivery)
        self.trk.run("webhooks", "delete", "deploy", expect=2)
        self.assertEqual(self.trk.json("webhooks", "delete", "deploy", "--yes"), {"webhook_id": hook, "deleted": True})
        self.assertEqual(self.trk.json("webhooks", "list"), {"webhooks": []})

    def test_mistakes_have_their_statuses(self):
        event = ("--event", "prompt.created")
        self.trk.run("webhooks", "create", "x", self.url, expect=2)
        self.trk.run("webhooks", "create", "x", self.url, "--event", "prompt", expect=2)
        self.trk.run("webhooks", "create", "x", self.url, "--event", "prompt.eaten", expect=1)
        self.trk.run("webhooks", "create", "x", "ftp://example.com", *event, expect=1)
        self.trk.run("webhooks", "create", "x", self.url, *event, "--secret-file", "nowhere", expect=1)
        empty = os.path.join(self.folder({"empty": b""}), "empty")
        self.trk.run("webhooks", "create", "x", self.url, *event, "--secret-file", empty, expect=1)
        self.trk.run("webhooks", "log", "nobody", expect=3)
        hooks = [self.trk.out("webhooks", "create", "twin", self.url, *event).strip() for _ in range(2)]
        self.trk.run("webhooks", "test", "twin", expect=4)
        self.trk.run("webhooks", "test", hooks[0])
        self.trk.run("webhooks", "replay", hooks[0], "aaaaaaaa", expect=3)
        self.assertIn("Nothing was delivered", self.trk.run("webhooks", "log", hooks[0]).stderr)
        for hook in hooks:
            self.trk.run("webhooks", "delete", hook, "--yes")


class Others(WithDaemon):
    def test_help_of_each_level_fits_80_columns(self):
        texts = [self.trk.out("--help"), self.trk.out("help"), self.trk.out("-h")]
        self.assertEqual(len(set(texts)), 1)
        for noun in NOUNS:
            text = self.trk.out(noun, "--help")
            self.assertIn(f"trk {noun}", text)
            texts.append(text)
            verbs = re.findall(r"^  (\S+)", text.split("Commands")[1], re.M) if "\nCommands" in text else []
            self.assertEqual(verbs == [], noun not in TWO_WORDS)
            for verb in verbs:
                texts.append(self.trk.out(noun, verb, "--help"))
                self.assertIn(f"Usage: trk {noun} {verb}", texts[-1])
        for line in "\n".join(texts).split("\n"):
            self.assertLessEqual(len(line), 80, line)

    def test_misspelt_words_are_met_with_a_guess(self):
        for words, guess in ((["rnus"], '"runs"'), (["runs", "lst", "x"], '"runs list"'),
                             (["runs", "list", "x", "--fliter", "y"], "--filter"), (["modles", "list"], '"models"')):
            self.assertIn(f"did you mean {guess}?", self.trk.run(*words, expect=2).stderr)
        for words in (["zzzzzz"], ["runs"], [], ["runs", "list", "a", "b"], ["best", "x", "--top"], ["runs", "list", "-z"],
                      ["version", "--json=1"], ["--url"], ["completion", "fish"]):
            failed = self.trk.run(*words, expect=2)
            self.assertEqual(failed.stdout, "")

    def test_options_may_stand_anywhere(self):
        expected = self.trk.json("experiments", "list")
        for words in (["--json", "experiments", "list"], ["experiments", "--json", "list"],
                      ["--url", self.daemon.url, "experiments", "list", "--json"],
                      ["--url=" + self.daemon.url + "/", "experiments", "list", "--json"]):
            self.assertEqual(json.loads(self.trk.out(*words, env={"TRK_URL": ""} if "--url" in words[0] else None)),
                             expected)

    def test_a_server_that_is_away_is_status_6(self):
        away = {"TRK_URL": "http://127.0.0.1:1"}
        for words in (["experiments", "list"], ["best", "x", "--metric", "m", "--min"], ["doctor"],
                      ["models", "get", "a@b", "--to", "x"], ["log", "run-start"]):
            self.assertRegex(self.trk.run(*words, env=away, expect=6).stderr, r"^trk: .+\n$")
        self.trk.run("experiments", "list", env={"TRK_URL": "ftp://x"}, expect=2)
        self.assertIn("trk", self.trk.json("version", env=away))
        self.assertIn(self.daemon.url, self.trk.out("version", env={"TRK_URL": "", "MLFLOW_TRACKING_URI": self.daemon.url}))

    def test_doctor_tells_what_it_sees(self):
        checks = self.trk.json("doctor", env={"TRK_EXPERIMENT": "taxi"})
        found = {c["name"]: c for c in checks["checks"]}
        self.assertTrue(checks["ok"])
        self.assertEqual({found[n]["status"] for n in ("server", "clock", "writable", "data", "spool")}, {"ok"})
        self.assertEqual(found["TRK_EXPERIMENT"]["detail"], "taxi")
        away = self.trk.json("doctor", env={"TRK_URL": "http://127.0.0.1:1"}, expect=6)
        self.assertFalse(away["ok"])

    def test_ui_prints_the_address(self):
        run = self.start_run("ui")
        self.assertEqual(self.trk.out("ui"), self.daemon.url + "/\n")
        self.assertEqual(self.trk.json("ui", run[:8])["url"], f"{self.daemon.url}/#/run/{run}")
        self.trk.terminal("ui", "--print")

    def test_sync_delivers_what_a_program_left(self):
        self.assertEqual(self.trk.json("sync")["runs_total"], 0)
        program = os.path.join(sys.argv[1], "train_loop")
        spool = os.path.join(self.home, "spool")
        environment = {**self.trk.environment, "TRK_SPOOL_DIR": spool, "TRK_OFFLINE": "1", "TRK_EXPERIMENT": "offline"}
        subprocess.run([program], env=environment, cwd=self.home, check=True, timeout=120, stdout=subprocess.DEVNULL)
        found = {c["name"]: c for c in self.trk.json("doctor", env={"TRK_SPOOL_DIR": spool})["checks"]}
        self.assertEqual(found["spool"]["status"], "warning")
        self.trk.run("sync", spool, "--url", "http://127.0.0.1:1", expect=6)
        done = self.trk.json("sync", spool)
        self.assertEqual((done["runs_delivered"], done["records_rejected"]), (1, 0))
        self.assertEqual(self.trk.json("sync", spool)["runs_total"], 0)

    def test_ctrl_c_is_status_130_and_leaves_nothing_half(self):
        run = self.start_run("stop")
        target = os.path.join(self.home, "stopped")
        self.trk.run("artifacts", "put", run, self.folder({"big": os.urandom(1024 * 1024)}))
        self.trk.run("models", "create", "stop")
        self.trk.run("models", "register", run, "tree", "--name", "stop")
        with Proxy(self.daemon.port) as proxy:
            proxy.gate = threading.Event()
            process = subprocess.Popen([PROGRAM, "models", "get", "stop/1", "--to", target, "--url", proxy.url],
                                       env=self.trk.environment, cwd=self.home, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            self.assertTrue(proxy.stalled.wait(60), "no download began")
            self.assertTrue(any(n.startswith(".stopped.trk-") for n in os.listdir(self.home)))
            process.send_signal(signal.SIGINT)
            _, talk = process.communicate(timeout=60)
            proxy.gate.set()
        self.assertEqual(process.returncode, 130, talk)
        self.assertFalse([n for n in os.listdir(self.home) if "stopped" in n])

    def complete(self, line):
        """What bash offers for a command line that ends where the cursor is."""
        script = """source "$1"
            COMP_WORDS=(); read -ra COMP_WORDS <<< "$2"; [[ $2 == *' ' ]] && COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _trk; printf '%s\\n' "${COMPREPLY[@]}" """
        done = subprocess.run(["bash", "-c", script, "bash", os.path.join(self.home, "trk.bash"), line],
                              env=self.trk.environment, cwd=self.home, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split("\n")[:-1]

    def test_completion_for_bash(self):
        path = os.path.join(self.home, "trk.bash")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.trk.out("completion", "bash"))
        subprocess.run(["bash", "-n", path], check=True)
        danger = "danger $(touch touched) `touch touched`"
        self.trk.run("experiments", "create", danger)
        self.trk.run("experiments", "create", "dance")
        self.trk.run("models", "create", "walker")
        self.assertEqual(self.complete("trk "), NOUNS + ["help"])
        self.assertEqual(self.complete("trk mod"), ["models"])
        self.assertEqual(self.complete("trk runs d"), ["diff", "delete"])
        self.assertEqual(self.complete("trk best x --me"), ["--metric"])
        self.assertEqual(self.complete("trk best x --value m"), ["min", "max"])
        self.assertEqual(self.complete("trk log run-end --status F"), ["FINISHED", "FAILED"])
        self.assertEqual(self.complete("trk models show w"), ["walker"])
        self.assertEqual(self.complete("trk models register a b --name w"), ["walker"])
        self.assertEqual(self.complete("trk completion "), ["bash", "zsh"])
        offered = self.complete("trk runs list dan")
        self.assertEqual(offered[0], "dance")
        self.assertEqual(subprocess.run(["bash", "-c", f"printf %s {offered[1]}"], capture_output=True, text=True,
                                        cwd=self.home, check=True).stdout, danger)
        self.assertNotIn("touched", os.listdir(self.home))

    def test_completion_for_zsh_names_every_command(self):
        text = self.trk.out("completion", "zsh")
        self.assertTrue(text.startswith("#compdef trk\n"))
        for command in ("runs/list)", "models/get)", "best/-)", "log/run-end)"):
            self.assertIn("\t" + command, text)
        if shutil.which("zsh"):
            subprocess.run(["zsh", "-n"], input=text, text=True, check=True)


class Result(unittest.TextTestResult):
    """With the ends of the daemons' logs behind what failed."""

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.stream.writeln(last_words())

    def addError(self, test, err):
        super().addError(test, err)
        self.stream.writeln(last_words())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], testRunner=unittest.TextTestRunner(resultclass=Result, verbosity=2))
