#!/usr/bin/env python3
"""Promotions, rollbacks, comparisons and lineage with the real program and daemon.

Usage: run_promote.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import json
import os
import random
import re
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from cli_support import Site, Trk  # noqa: E402
from daemon import binary  # noqa: E402

REFUSED, CONFLICT, NO_ACCESS, USAGE, NOT_FOUND = 7, 4, 5, 2, 3
V1 = "/api/trackerd/v1/models/"


def make_run(site, name, metrics=None, params=None, tags=None, **more):
    run = site.post("runs/create", experiment_id="0", run_name=name, start_time=1000, tags=[
        {"key": k, "value": v} for k, v in (tags or {}).items()], **more)["run"]["info"]["run_id"]
    site.post("runs/log-batch", run_id=run, metrics=[
        {"key": k, "value": v, "timestamp": 1} for k, v in (metrics or {}).items()],
        params=[{"key": k, "value": v} for k, v in (params or {}).items()])
    return run


def make_version(site, model, run, files=None, tags=None):
    """The number of a new version of a run's folder "model", as a text."""
    for path, data in (files or {}).items():
        status, _, reply = site.client.raw(
            "PUT", f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/model/{path}", data)
        check(status == 200, reply)
    reply = site.post("model-versions/create", name=model, source=f"runs:/{run}/model", run_id=run, tags=[
        {"key": k, "value": v} for k, v in (tags or {}).items()])
    return reply["model_version"]["version"]


def make_model(site, name, versions=0):
    site.post("registered-models/create", name=name)
    for _ in range(versions):
        site.post("model-versions/create", name=name, source="s3://bucket/x")


def holder(site, model, alias):
    return site.get(f"registered-models/alias?name={model}&alias={alias}")["model_version"]["version"]


def history(site, model):
    """All events, oldest first."""
    return site.get(f"{V1}{model}/history?order=asc&max_results=1000")["events"]


def is_narrow(text, columns=80):
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    wide = [line for line in plain.splitlines() if len(line) > columns]
    check(not wide, f"wider than {columns}: {wide}")
    return plain


@case
def every_requirement_can_refuse(site, trk):
    """Each kind of requirement refuses with its figure and limit, exit status 7, and nothing moves."""
    make_model(site, "kinds")
    good = make_run(site, "good", {"rmse": 7.0, "nan": "NaN"}, {"model": "ridge"})
    bad = make_run(site, "bad", {"rmse": 8.0, "nan": "NaN"}, {"model": "tree"})
    make_version(site, "kinds", good, {"weights": b"0123456789"}, {"reviewed": "yes"})
    make_version(site, "kinds", bad, {"weights": b"0" * 2000, "more": b"x"})
    site.post("registered-models/alias", name="kinds", alias="champion", version="1")
    rows = [
        ("rmse < 7.5", "rmse is 8, must be less than 7.5"),
        ("rmse <= champion + 0.5%", "rmse is 8, must be at most 7.035 (champion's 7 + 0.5%)"),
        ("rmse <= @champion + 0.5", "rmse is 8, must be at most 7.5 (champion's 7 + 0.5)"),
        ("nan < 5", "nan is NaN, which never passes"),
        ("f1 > 0.5", f"f1 is not known: run {bad} has no such metric"),
        ("size < 1k", "size is 2.001 kB, must be less than 1 kB"),
        ("size <= champion + 50%", "size is 2.001 kB, must be at most 15 B (champion's 10 B + 50%)"),
        ("files < 2", "the number of files is 2, must be less than 2"),
        ("tags.reviewed", "tag reviewed is not known: version 2 has no such tag"),
        ("params.model = 'ridge'", "parameter model is 'tree', must be exactly 'ridge'"),
    ]
    for requirement, sentence in rows:
        trk.run("models", "require", "kinds", requirement)
        done = trk.run("promote", "kinds", "2", "--to", "champion", "--reason", "x", expect=REFUSED)
        check(" ".join(done.stdout.split()) == "✗ " + sentence, done.stdout)
        check("fails 1 of 1 requirements of champion" in done.stderr, done.stderr)
        trk.run("promote", "kinds", "2", "--to", "champion", "--dry-run", expect=REFUSED)
        if requirement != "nan < 5":
            done = trk.run("promote", "kinds", "1", "--to", "champion", "--dry-run",
                           expect=REFUSED if requirement.startswith("f1") else 0)
        check(holder(site, "kinds", "champion") == "1", requirement)
        trk.run("models", "require", "kinds", "--remove", requirement.replace(" ", "  ").replace("@", ""))


def shout_digest(site, name, version):
    """Writes the digest that was registered in capitals, as other tools do."""
    tags = site.client.call("GET", f"model-versions/get?name={name}&version={version}")["model_version"]["tags"]
    registered = next(tag["value"] for tag in tags if tag["key"] == "trackerd.tree_sha256")
    check(registered != registered.upper(), f"{registered} has no letters")
    site.client.call("POST", "model-versions/set-tag", {
        "name": name, "version": version, "key": "trackerd.tree_sha256", "value": registered.upper()})


@case
def a_tampered_tree_has_no_digest(site, trk):
    """digest: the files must be here, and those that were registered."""
    make_model(site, "tree")
    run = make_run(site, "tree")
    trk.run("models", "require", "tree", "digest")
    make_version(site, "tree", run)
    done = trk.run("promote", "tree", "1", "--to", "a", "--dry-run", expect=REFUSED)
    check("there are no files at" in " ".join(done.stdout.split()), done.stdout)
    site.client.raw("PUT", f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/model/weights", b"first")
    trk.run("models", "register", run, "model", "--name", "tree")
    trk.run("promote", "tree", "2", "--to", "a", "--dry-run")
    shout_digest(site, "tree", "2")
    trk.run("promote", "tree", "2", "--to", "a", "--dry-run")
    site.client.raw("PUT", f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/model/weights?force=true", b"second")
    done = trk.run("promote", "tree", "2", "--to", "a", "--dry-run", expect=REFUSED)
    check("not those that were registered" in " ".join(done.stdout.split()), done.stdout)


@case
def a_promotion_is_remembered(site, trk):
    """What is promoted is told with reason and checks, by force or not, and its JSON has stable fields."""
    make_model(site, "memory")
    for value in (7.0, 7.01, 9.0):
        make_version(site, "memory", make_run(site, "r", {"rmse": value}))
    trk.run("models", "require", "memory", "rmse<=champion+0.5%", "--protect", "champion")
    first = trk.json("promote", "memory", "1", "--to", "champion", "--reason", "the first")
    check((first["promoted"], first["forced"], first["previous_version"]) == (True, False, ""), first)
    done = trk.run("promote", "memory", "2", "--to", "champion", "--reason", "newer data")
    check(done.stderr == "memory@champion is version 2 now; it was 1.\n", done.stderr)
    refused = trk.json("promote", "memory", "3", "--to", "champion", "--reason", "x", expect=REFUSED)
    check((refused["promoted"], refused["error_code"]) == (False, "REQUIREMENTS_NOT_MET"), refused)
    quiet = trk.run("promote", "memory", "3", "--to", "champion", "--reason", "x", "--quiet", expect=REFUSED)
    check(quiet.stdout == "" and quiet.stderr != "", quiet.stdout)
    done = trk.run("promote", "memory", "3", "--to", "champion", "--reason", "a fire", "--force")
    check(done.stderr == "memory@champion is version 3 now, by force; it was 2.\n", done.stderr)
    again = trk.run("promote", "memory", "3", "--to", "champion", "--reason", "x", "--force")
    check("was version 3 already" in again.stderr, again.stderr)
    told = [e for e in history(site, "memory") if e["kind"] == "alias.promoted"]
    check([(e["reason"], e["after"], e["detail"]["forced"]) for e in told] == [
        ("the first", {"version": "1"}, False), ("newer data", {"version": "2"}, False),
        ("a fire", {"version": "3"}, True)], told)
    shown = trk.out("models", "history", "memory", env={"COLUMNS": "200"})
    check("champion → v3, was v2 (forced)" in shown and "a fire" in shown, shown)
    check(told[2]["detail"]["checks"][0]["text"].startswith("rmse is 9, must be at most"), told[2])
    trk.run("promote", "memory", "3", "--reason", "x", expect=USAGE)
    trk.run("promote", "memory", "3", "--to", "champion", expect=USAGE)
    trk.run("promote", "memory", "77", "--to", "champion", "--reason", "x", expect=NOT_FOUND)


@case
def figures_of_the_model_come_first(site, trk):
    """A version of a logged model is judged by the model's own metrics, and by the run's where it has none."""
    make_model(site, "own")
    run = make_run(site, "own", {"rmse": 9.0, "mae": 3.0})
    model = site.post("logged-models", experiment_id="0", name="ridge", source_run_id=run)["model"]["info"]["model_id"]
    site.post("runs/log-batch", run_id=run, metrics=[
        {"key": "rmse", "value": 5.0, "timestamp": 1, "step": 1, "model_id": model},
        {"key": "rmse", "value": 4.0, "timestamp": 2, "step": 2, "model_id": model}])
    site.post("runs/log-batch", run_id=run, metrics=[{"key": "rmse", "value": 8.0, "timestamp": 3, "step": 3}])
    site.post("model-versions/create", name="own", source=f"models:/{model}", model_id=model)
    trk.run("models", "require", "own", "rmse < 4.5", "mae < 4")
    checks = trk.json("promote", "own", "1", "--to", "a", "--dry-run")["checks"]
    check([(c["origin"], c["value"]) for c in checks] == [("model", "4"), ("run", "3")], checks)
    make_version(site, "own", make_run(site, "other", {"rmse": 7.0, "mae": 2.0}))
    compared = site.get(f"{V1}own/diff?from=1&to=2")["metrics"]
    check([(m["key"], m["from"], m["to"]) for m in compared] == [("mae", 3.0, 2.0), ("rmse", 4.0, 7.0)], compared)


@case
def each_requirement_asks_its_own_alias(site, trk):
    """Of several aliases in the requirements each is compared with its own holder, and one alias twice with the same."""
    make_model(site, "several")
    for rmse in (5.0, 8.0, 6.0):
        make_version(site, "several", make_run(site, "r", {"rmse": rmse}))
    trk.run("models", "alias", "several", "champion", "1")
    trk.run("models", "alias", "several", "canary", "2")
    trk.run("models", "require", "several", "rmse < champion", "rmse < canary", "rmse < champion + 50%", "rmse < nobody")
    checks = trk.json("promote", "several", "3", "--to", "champion", "--dry-run", expect=7)["checks"]
    check([(c["ok"], c["limit"]) for c in checks] == [(False, "5"), (True, "8"), (True, "7.5"), (True, "")], checks)
    check([c["unheld_alias"] for c in checks] == ["", "", "", "nobody"], checks)
    shown = trk.run("promote", "several", "3", "--to", "champion", "--dry-run", expect=7).stdout
    check("\n○ not compared: rmse is 6; nobody holds nobody" in shown and shown.count("✓") == 2, shown)


@case
def a_protected_alias_moves_by_promotion_only(site, trk):
    """Neither trk nor MLflow's endpoints set, delete or lose a protected alias."""
    make_model(site, "safe", 2)
    trk.run("promote", "safe", "1", "--to", "champion", "--reason", "x")
    trk.run("models", "require", "safe", "--protect", "champion")
    done = trk.run("models", "alias", "safe", "champion", "2", expect=NO_ACCESS)
    check("use trk promote safe 2 --to champion --reason TEXT" in done.stderr, done.stderr)
    done = trk.run("models", "alias", "safe", "champion", "--delete", expect=NO_ACCESS)
    check("trk models require safe --unprotect champion" in done.stderr, done.stderr)
    trk.run("models", "delete", "safe/1", "--yes", expect=NO_ACCESS)
    trk.run("models", "delete", "safe", "--yes", expect=NO_ACCESS)
    trk.run("models", "rollback", "safe@champion", expect=1)
    check(holder(site, "safe", "champion") == "1", "it moved")
    trk.run("models", "delete", "safe/2", "--yes")
    trk.run("models", "require", "safe", "--unprotect", "champion")
    trk.run("models", "alias", "safe", "champion", "--delete")
    trk.run("promote", "safe", "1", "--to", "champion", "--reason", "x")
    trk.run("models", "require", "safe", "--protect", "champion")
    trk.run("models", "delete", "safe", "--yes", "--force")


@case
def an_alias_that_nobody_holds_is_told(site, trk):
    """"models require" warns of each alias that nobody holds, such as a mistyped one, as long as nobody does."""
    make_model(site, "typo")
    make_version(site, "typo", make_run(site, "r", {"rmse": 1.0}))
    trk.run("models", "alias", "typo", "canary", "1")
    unheld = ("models", "require", "typo", "rmse < champoin", "rmse < canary", "rmse < champoin + 1%")
    warning = "Nobody holds the alias 'champoin' yet: until somebody does, this requirement passes.\n"
    check(trk.run(*unheld).stderr == warning, "an alias that nobody holds")
    check(trk.run("models", "require", "typo").stderr == warning, "it is told again")
    check(trk.json("models", "require", "typo")["unheld_aliases"] == ["champoin"], "as JSON")
    trk.run("models", "alias", "typo", "champoin", "1")
    check(trk.run("models", "require", "typo").stderr == "", "somebody holds it")


@case
def rules_are_shown_and_changed(site, trk):
    """"models require" adds, removes and shows, in one spelling, and says what it does not understand."""
    make_model(site, "rules")
    done = trk.run("models", "require", "rules")
    check("Nothing is required" in done.stderr, done.stderr)
    trk.run("models", "require", "rules", "rmse<8", "size < 2G", "--protect", "champion", "--protect", "prod")
    shown = trk.json("models", "require", "rules", "rmse < 8", "--unprotect", "prod")
    check(shown["requirements"] == ["rmse < 8", "size < 2G"] and shown["protected_aliases"] == ["champion"], shown)
    check(trk.out("models", "require", "rules", "--quiet") == "rmse < 8\nsize < 2G\n", "quiet")
    plain = is_narrow(trk.terminal("models", "require", "rules"))
    check("Requirements\n  rmse < 8\n  size < 2G\n\nProtected aliases\n  champion\n" in plain, plain)
    done = trk.run("models", "require", "rules", "rmse < 5%", expect=1)
    check("a percentage needs an alias" in done.stderr, done.stderr)
    trk.run("models", "require", "rules", "--remove", "f1 < 8", expect=NOT_FOUND)
    trk.run("models", "require", "rules", "--unprotect", "prod", expect=NOT_FOUND)
    trk.run("models", "require", "nobody", expect=NOT_FOUND)
    kinds = [e["kind"] for e in history(site, "rules")]
    check(kinds == ["model.created", "model.rules_set", "model.rules_set"], kinds)


class Naive:
    """What the alias of a model with n versions does, told by hand."""

    def __init__(self, versions):
        self.there = set(versions)
        self.stays = []  # versions, oldest first; None: the alias was deleted

    def move(self, version):
        if not self.stays or self.stays[-1] != version:
            self.stays.append(version)

    def present(self):
        return self.stays[-1] if self.stays else None

    def back(self):
        """Where a rollback goes, or None."""
        for i in range(len(self.stays) - 2, -1, -1):
            if self.stays[i] is not None and self.stays[i] != self.present() and self.stays[i] in self.there:
                self.stays = self.stays[:i + 1]
                return self.stays[i]
        return None


@case
def rollbacks_walk_back(site, trk):
    """Any mixture of moves, deletions and rollbacks goes where a replay by hand goes."""
    chance = random.Random(4)
    for round_number in range(6):
        model = f"walk{round_number}"
        make_model(site, model, 6)
        naive = Naive(range(1, 7))
        for _ in range(40):
            kind = chance.choice(["set", "set", "promote", "back", "back", "delete", "lose"])
            version = chance.choice(sorted(naive.there))
            if kind == "set":
                site.post("registered-models/alias", name=model, alias="a", version=str(version))
                naive.move(version)
            elif kind == "promote":
                site.post(f"{V1}{model}/promote", version=str(version), alias="a", reason="x")
                naive.move(version)
            elif kind == "delete" and naive.present() is not None:
                site.client.call("DELETE", "registered-models/alias", {"name": model, "alias": "a"})
                naive.move(None)
            elif kind == "lose" and len(naive.there) > 3:
                site.client.call("DELETE", "model-versions/delete", {"name": model, "version": str(version)})
                if naive.present() == version:
                    naive.move(None)
                naive.there.discard(version)
            elif kind == "back":
                before = naive.present()
                wanted = naive.back()
                status, _, reply = site.client.raw("POST", f"{V1}{model}/rollback", json.dumps({"alias": "a"}),
                                                   {"Content-Type": "application/json"})
                got = json.loads(reply)
                check((status == 200) == (wanted is not None), f"{before} → {wanted}: {got}")
                check(wanted is None or got["version"] == str(wanted), f"{before} → {wanted}: {got}")


@case
def a_rollback_says_what_it_did(site, trk):
    """From where to where, and when that version held the alias before; --to names another one."""
    make_model(site, "back", 4)
    for version in "123":
        trk.run("models", "alias", "back", "prod", version)
    line = " ".join(trk.out("models", "rollback", "back@prod").split())
    check(re.fullmatch(r"back@prod: version 3 → 2, which held it from \d{4}-.* until \d{4}-.*", line), line)
    check(trk.out("models", "rollback", "back@prod", "--quiet") == "1\n", "quiet")
    done = trk.run("models", "rollback", "back@prod", expect=CONFLICT)
    check("nothing to go back to" in done.stderr, done.stderr)
    told = trk.json("models", "rollback", "back@prod", "--to", "3", "--reason", "it was not 3")
    check((told["version"], told["previous_version"]) == ("3", "1"), told)
    done = trk.run("models", "rollback", "back@prod", "--to", "4", expect=CONFLICT)
    check("never held" in done.stderr, done.stderr)
    trk.run("models", "rollback", "back@prod", "--to", "9", expect=NOT_FOUND)
    trk.run("models", "rollback", "back", expect=USAGE)
    kinds = [(e["kind"], e["reason"]) for e in history(site, "back") if e["kind"] == "alias.rolled_back"]
    check(kinds == [("alias.rolled_back", ""), ("alias.rolled_back", ""), ("alias.rolled_back", "it was not 3")], kinds)


@case
def promoters_do_not_overtake_each_other(site, trk):
    """Of two that promote from one revision one wins; each check is against the very version that is replaced."""
    make_model(site, "race")
    values = {"1": 7.0, "2": 8.0}
    for value in values.values():
        make_version(site, "race", make_run(site, "r", {"rmse": value}))
    trk.run("models", "require", "race", "rmse <= champion + 50%")
    revision = site.post(f"{V1}race/promote", version="1", alias="champion", reason="start")["revision"]
    for _ in range(25):
        present = holder(site, "race", "champion")
        wins, start = [], threading.Barrier(2)

        def promote(version):
            client = site.daemon.connect()
            start.wait()
            status, _, reply = client.raw(
                "POST", f"{V1}race/promote", json.dumps({"version": version, "alias": "champion", "reason": "race"}),
                {"Content-Type": "application/json", "If-Match": f'"{revision}"'})
            wins.append((status, json.loads(reply)))
            client.close()

        other = "2" if present == "1" else "1"
        threads = [threading.Thread(target=promote, args=(other,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check(sorted(status for status, _ in wins) == [200, 412], wins)
        revision = next(reply["revision"] for status, reply in wins if status == 200)
    before = None
    for event in (e for e in history(site, "race") if e["kind"] == "alias.promoted"):
        check((event["before"] or {}).get("version") == before, event)
        text = event["detail"]["checks"][0]["text"]
        check(before is None or f"(champion's {values[before]:g} + 50%)" in text, text)
        before = event["after"]["version"]


@case
def versions_are_compared(site, trk):
    """"models diff" shows only what differs, in 80 columns, and the same as JSON."""
    make_model(site, "differ")
    one = make_run(site, "one", {"rmse": 7.43, "same": 1}, {"alpha": "0.3", "same": "x"},
                   {"mlflow.source.git.commit": "c0ffee" * 6})
    two = make_run(site, "a run with a rather long name that goes on", {"rmse": 7.41, "same": 1, "f1": 0.5},
                   {"alpha": "0.1", "same": "x", "note": "long " * 60})
    for run, digest in ((one, "d1"), (two, "d2")):
        site.post("runs/log-inputs", run_id=run, datasets=[{
            "dataset": {"name": "trips", "digest": digest, "source_type": "local", "source": "trips.csv"},
            "tags": [{"key": "mlflow.data.context", "value": "training"}]}])
    make_version(site, "differ", one, {"same": b"same", "weights": b"1"})
    make_version(site, "differ", two, {"same": b"same", "weights": b"2", "sub/new": b"3"}, {"reviewed": "yes"})
    site.post("registered-models/alias", name="differ", alias="champion", version="1")
    plain = is_narrow(trk.terminal("models", "diff", "differ", "@champion", "2"))
    for word in ("v1 @champion", "alpha", "0.3", "rmse", "7.43", "f1", "trips (training)", "d1", "reviewed", "weights",
                 "sub/new"):
        check(word in plain, f"{word}: {plain}")
    check("same" not in plain, plain)
    told = trk.json("models", "diff", "differ", "@champion", "2")
    check([p["key"] for p in told["params"]] == ["alpha", "note"], told)
    check([f["path"] for f in told["files"]] == ["sub/new", "weights"], told)
    done = trk.run("models", "diff", "differ", "1", "@champion")
    check("do not differ" in done.stderr, done.stderr)
    trk.run("models", "diff", "differ", "1", "9", expect=NOT_FOUND)
    trk.run("models", "diff", "differ", "1", "@nobody", expect=NOT_FOUND)


@case
def lineage_goes_up_and_down(site, trk):
    """"models lineage" shows run, pipeline, code, data, figures and deployments, in 80 columns."""
    make_model(site, "line")
    top = make_run(site, "nightly pipeline")
    middle = make_run(site, "tuning", tags={"mlflow.parentRunId": top})
    run = make_run(site, "trial 7", {"rmse": 7.43}, {"alpha": "0.3"}, {
        "mlflow.parentRunId": middle, "mlflow.source.git.commit": "c0ffee",
        "mlflow.source.git.repoURL": "https://git.example/taxis/taxi-duration.git"})
    site.post("runs/log-inputs", run_id=run, datasets=[{"dataset": {
        "name": "trips", "digest": "0123456789", "source_type": "local", "source": "s3://bucket/" + "x" * 100}}])
    make_version(site, "line", run, {"weights": b"1"})
    site.post("registered-models/alias", name="line", alias="champion", version="1")
    site.client.call("PUT", "/api/trackerd/v1/deployments/" + "ab" * 16, {
        "model": "line", "version": "1", "alias": "champion", "environment": "prod", "target": "front", "host": "h1",
        "path": "/srv/line", "state": "active", "heartbeat_ms": 0})
    plain = is_narrow(trk.terminal("models", "lineage", "line@champion"))
    for word in ("line version 1", "champion", run, "trial 7", "tuning", "nightly pipeline", "c0ffee", "trips",
                 "0123456789", "alpha", "7.43", "front", "prod", "active"):
        check(word in plain, f"{word}: {plain}")
    check(plain.index("tuning") < plain.index("nightly pipeline"), "nearest first")
    told = trk.json("models", "lineage", "line", "1")
    check([p["run_name"] for p in told["parents"]] == ["tuning", "nightly pipeline"], told)
    trk.run("models", "lineage", "line", "9", expect=NOT_FOUND)
    trk.run("models", "lineage", "line", expect=USAGE)
    site.post("runs/set-tag", run_id=top, key="mlflow.parentRunId", value=run)  # a loop ends
    check(len(trk.json("models", "lineage", "line", "1")["parents"]) == 2, "a loop")


if __name__ == "__main__":
    with Site("trackerd-promote-") as the_site:
        the_trk = Trk(os.path.abspath(binary(sys.argv, "trk")), the_site.daemon.url, the_site.home)
        run_cases(the_site, the_trk, only=sys.argv[2] if len(sys.argv) > 2 else "")
