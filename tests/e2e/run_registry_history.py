#!/usr/bin/env python3
"""The registry's memory: nothing is lost by a race or a kill, any moment comes back as it was, and what somebody changed
in the database behind the daemon's back is found.

    run_registry_history.py FOLDER_OF_BINARIES
"""
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, Failure, binary  # noqa: E402

RACES = 1000
STEPS = 200
KILLS = 3
JSON = {"Content-Type": "application/json"}


# ---- the API --------------------------------------------------------------------------------------------------

def events(client, name, **query):
    """All events of a model, the oldest first."""
    found, token = [], ""
    while True:
        page = client.call("GET", f"/api/trackerd/v1/models/{urllib.parse.quote(name)}/history?" + urllib.parse.urlencode(
            {"order": "asc", "max_results": 500, "page_token": token, **query}))
        found += page["events"]
        token = page["next_page_token"]
        if not token:
            return found


def state_at(client, name, expect=200, **moment):
    return client.call("GET", f"/api/trackerd/v1/models/{urllib.parse.quote(name)}/at?" + urllib.parse.urlencode(moment),
                       expect=expect)


def verify(client, expected="", page=200):
    """(problems, whether the expected digest is in the chain, the head's digest) of chain and models."""
    problems, known, seq, sha256 = [], False, "0", ""
    while True:
        query = {"after_seq": seq, "after_sha256": sha256, "max_results": page}
        if expected:
            query["expect_sha256"] = expected
        reply = client.call("GET", "/api/trackerd/v1/registry/verify?" + urllib.parse.urlencode(query))
        check(reply["ok"] == (not reply["problems"]), reply)
        problems += [p["problem"] for p in reply["problems"]]
        known = known or reply["expected_seq"] != "0"
        seq, sha256 = reply["last_seq"], reply["last_sha256"]
        if reply["checked"] < page:
            break
    head, token = reply["head_sha256"], ""
    while True:
        reply = client.call("GET", f"/api/trackerd/v1/registry/verify?models=true&max_results=2&page_token={token}")
        problems += [p["problem"] for p in reply["problems"]]
        token = reply["next_page_token"]
        if not token:
            return problems, known, head


def move(client, name, alias, version, actor="", revision=None):
    """(status, the revision that the alias has now, the sentence of a refusal)"""
    headers = dict(JSON)
    if actor:
        headers["X-Trackerd-User"] = actor
    if revision is not None:
        headers["If-Match"] = f'"{revision}"'
    status, reply_headers, body = client.raw("POST", "/api/2.0/mlflow/registered-models/alias", json.dumps(
        {"name": name, "alias": alias, "version": version}), headers)
    return status, (reply_headers.get("ETag") or "").strip('"'), json.loads(body).get("message", "")


def make_model(client, name, versions):
    client.call("POST", "registered-models/create", {"name": name})
    for number in range(versions):
        client.call("POST", "model-versions/create", {"name": name, "source": f"s3://b/{number}"})


# ---- a naive replay -------------------------------------------------------------------------------------------

def replay(history):
    """What a model is after these events: all of them from the first on, without any index."""
    model, versions, aliases = None, {}, {}
    for event in history:
        kind, after, number = event["kind"], event["after"], event["version"]
        if kind in ("model.created", "model.adopted", "model.restored"):
            model = {"name": after["name"], "description": after["description"],
                     "tags": {t["key"]: t["value"] for t in after["tags"]}}
        elif kind == "model.deleted":
            model = None
        elif kind == "model.renamed":
            model["name"] = after["name"]
        elif kind == "model.described":
            model["description"] = after["description"]
        elif kind == "model.tag_set":
            model["tags"][event["key"]] = after["value"]
        elif kind == "model.tag_deleted":
            del model["tags"][event["key"]]
        elif kind in ("version.created", "version.adopted", "version.restored"):
            versions[number] = {"stage": after["stage"], "description": after["description"], "source": after["source"],
                                "tags": {t["key"]: t["value"] for t in after["tags"]}}
        elif kind == "version.deleted":
            del versions[number]
        elif kind == "version.described":
            versions[number]["description"] = after["description"]
        elif kind == "version.stage_moved":
            versions[number]["stage"] = after["stage"]
        elif kind == "version.tag_set":
            versions[number]["tags"][event["key"]] = after["value"]
        elif kind == "version.tag_deleted":
            del versions[number]["tags"][event["key"]]
        elif kind in ("alias.set", "alias.adopted"):
            aliases[event["alias"]] = after["version"]
        elif kind == "alias.deleted":
            del aliases[event["alias"]]
        else:
            raise AssertionError(f"an event of kind {kind}")
    return None if model is None else {**model, "versions": versions, "aliases": aliases}


def told(reply):
    """A reply about a model at a moment, in the shape of a replay."""
    tags = lambda entity: {t["key"]: t["value"] for t in entity["tags"]}  # noqa: E731
    return {"name": reply["model"]["name"], "description": reply["model"]["description"], "tags": tags(reply["model"]),
            "versions": {v["version"]: {"stage": v["stage"], "description": v["description"], "source": v["source"],
                                        "tags": tags(v)} for v in reply["versions"]},
            "aliases": {a["alias"]: a["version"] for a in reply["aliases"]}}


def now(client, name):
    """The model as MLflow's API has it, in the shape of a replay; None when it is not there."""
    status, _, body = client.raw("GET", f"/api/2.0/mlflow/registered-models/get?name={name}")
    if status == 404:
        return None
    model = json.loads(body)["registered_model"]
    found = client.call("GET", f"model-versions/search?filter=name%3D%27{name}%27").get("model_versions", [])
    tags = lambda entity: {t["key"]: t["value"] for t in entity.get("tags", [])}  # noqa: E731
    return {"name": model["name"], "description": model.get("description", ""), "tags": tags(model),
            "versions": {v["version"]: {"stage": v["current_stage"], "description": v.get("description", ""),
                                        "source": v["source"], "tags": tags(v)} for v in found},
            "aliases": {a["alias"]: a["version"] for a in model.get("aliases", [])}}


# ---- the chain, computed again --------------------------------------------------------------------------------

COLUMNS = ("event_seq time_ms model_seq model kind version part key alias_version actor client cause reason detail_json"
           " before_json after_json").split()


def digest(previous, row):
    """As store/registry_history.h says it is made."""
    whole = hashlib.sha256(previous)
    for value in row:
        if value is None:
            whole.update(struct.pack(">Q", 2 ** 64 - 1))
        elif isinstance(value, int):
            whole.update(struct.pack(">q", value))
        else:
            text = value.encode()
            whole.update(struct.pack(">Q", len(text)) + text)
    return whole.digest()


def rewrite_chain(db):
    """What somebody does who knows how the chain is made and may write everything."""
    previous = bytes(32)
    for row in db.execute(f"SELECT {', '.join(COLUMNS)} FROM registry_events ORDER BY event_seq").fetchall():
        previous = digest(previous, row)
        db.execute("UPDATE registry_events SET sha256 = ? WHERE event_seq = ?", (previous, row[0]))
    db.execute("UPDATE registry_head SET event_seq = ?, sha256 = ?", (row[0], previous))


# ---- races ----------------------------------------------------------------------------------------------------

class Mover(threading.Thread):
    """One of two who move an alias at once, round after round, each knowing the revision of the round before."""

    def __init__(self, daemon, name, barrier, shared):
        super().__init__(name=name, daemon=True)
        self.client = daemon.connect()
        self.barrier, self.shared = barrier, shared
        self.results = []

    def run(self):
        for number in range(RACES):
            self.barrier.wait(60)
            version = str(1 + (number * 2 + (self.name == "ben")) % 7)
            self.results.append((version, *move(self.client, "taxi", "champion", version, self.name, self.shared["revision"])))
            self.barrier.wait(60)
            if self.results[-1][1] == 200:
                self.shared["revision"] = self.results[-1][2]
            self.barrier.wait(60)


@case
def two_movers_race(program):
    """Of two who move an alias at once, one wins and the other hears who; every move is remembered once, in order."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        make_model(client, "taxi", 7)
        barrier, shared = threading.Barrier(2), {"revision": "0"}
        movers = [Mover(daemon, "ana", barrier, shared), Mover(daemon, "ben", barrier, shared)]
        for mover in movers:
            mover.start()
        for mover in movers:
            mover.join(300)
            check(len(mover.results) == RACES, f"{mover.name} did {len(mover.results)} rounds")
        won = []
        for number in range(RACES):
            results = {mover.name: mover.results[number] for mover in movers}
            winners = [name for name in results if results[name][1] == 200]
            check(len(winners) == 1, f"round {number}: {results}")
            winner, loser = winners[0], "ben" if winners[0] == "ana" else "ana"
            version, _, revision, _ = results[winner]
            won.append((winner, version, revision))
            check(results[loser][1] == 412, results)
            check(re.search(rf"was moved to version {version} by {winner} at .*: its revision is {revision}, not ",
                            results[loser][3]), results[loser])
        moves = [e for e in events(client, "taxi") if e["kind"] == "alias.set"]
        check([(e["actor"], e["version"], e["seq"]) for e in moves] == won, "the history tells of other moves")
        check(all(a["after"] == b["before"] for a, b in zip(moves, moves[1:])), "a move begins elsewhere")
        check(verify(client)[0] == [], verify(client)[0])
        for winner, version, revision in won:
            alias = state_at(client, "taxi", seq=revision)["aliases"][0]
            check((alias["actor"], alias["version"], alias["revision"]) == (winner, version, revision), alias)


# ---- any moment -----------------------------------------------------------------------------------------------

class Walk:
    """Changes a model at random, by what MLflow's API and the one of the history offer."""

    def __init__(self, client, chance):
        self.client, self.chance, self.name = client, chance, "walk"

    def call(self, method, path, body):
        status, _, reply = self.client.raw(method, path, json.dumps(body), JSON)
        if status not in (200, 404, 409):
            raise Failure(f"{method} {path} {body}: {status}: {reply[:300]!r}")

    def step(self):
        mlflow, ours = "/api/2.0/mlflow/", f"/api/trackerd/v1/models/{self.name}/"
        key, value = self.chance.choice("klmn"), self.chance.choice(("", "x", 'é"\\\n', "y" * 17000))
        version, name = str(self.chance.randint(1, 6)), self.name
        stage = self.chance.choice(("None", "Staging", "Production", "Archived"))
        new_name = self.chance.choice(("walk", "stroll"))
        steps = (
            (4, "POST", mlflow + "model-versions/create", {"source": "s3://b/" + key, "tags": [{"key": key, "value": value}]}),
            (4, "POST", mlflow + "registered-models/set-tag", {"key": key, "value": value}),
            (2, "DELETE", mlflow + "registered-models/delete-tag", {"key": key}),
            (5, "POST", mlflow + "model-versions/set-tag", {"version": version, "key": key, "value": value}),
            (3, "DELETE", mlflow + "model-versions/delete-tag", {"version": version, "key": key}),
            (3, "PATCH", mlflow + "model-versions/update", {"version": version, "description": value}),
            (2, "PATCH", mlflow + "registered-models/update", {"description": value}),
            (5, "POST", mlflow + "model-versions/transition-stage", {
                "version": version, "stage": stage, "archive_existing_versions": stage in ("Staging", "Production")}),
            (8, "POST", mlflow + "registered-models/alias", {"alias": key, "version": version}),
            (3, "DELETE", mlflow + "registered-models/alias", {"alias": key}),
            (4, "DELETE", mlflow + "model-versions/delete", {"version": version}),
            (8, "POST", ours + "restore", {"version": version}),
            (2, "POST", mlflow + "registered-models/rename", {"new_name": new_name}),
            (1, "DELETE", mlflow + "registered-models/delete", {}),
        )
        _, method, path, body = self.chance.choices(steps, [weight for weight, *_ in steps])[0]
        self.call(method, path, {**body, "name": name})
        if path.endswith("rename") and now(self.client, new_name) is not None:
            self.name = new_name
        if path.endswith("registered-models/delete"):
            self.call("POST", ours + "restore", {})


@case
def any_moment_comes_back(program):
    """A model at the time of any event is what a naive replay of its history gives, and what the API said then."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        walk = Walk(client, random.Random(7))
        client.call("POST", "registered-models/create", {"name": "walk", "description": "begins"})
        client.call("POST", "registered-models/create", {"name": "other"})
        said = {}
        for step in range(STEPS):
            if step % 10 == 0:  # another model's events lie between
                client.call("POST", "registered-models/set-tag", {"name": "other", "key": "k", "value": str(step)})
            walk.step()
            said[int(events(client, walk.name)[-1]["seq"])] = now(client, walk.name)
        history = events(client, walk.name)
        kinds = {e["kind"] for e in history}
        check(len(kinds) == 16, f"only {sorted(kinds)} happened")
        for count in range(1, len(history) + 1):
            seq, expected = int(history[count - 1]["seq"]), replay(history[:count])
            if expected is None:
                state_at(client, walk.name, seq=seq, expect=404)
                continue
            check(told(state_at(client, walk.name, seq=seq)) == expected, f"after event {seq}")
            check(said.get(seq, expected) == expected, f"the API said otherwise after event {seq}")
        for time_ms in {e["time_ms"] for e in history}:
            before = [e for e in history if e["time_ms"] <= time_ms]
            if replay(before) is not None:
                check(told(state_at(client, walk.name, time_ms=time_ms)) == replay(before), f"at {time_ms}")
        check(all(a["time_ms"] <= b["time_ms"] for a, b in zip(history, history[1:])), "time goes back")
        state_at(client, walk.name, time_ms=history[0]["time_ms"] - 1, expect=404)
        check(verify(client)[0] == [], verify(client)[0])
        since, until = history[20]["time_ms"], history[60]["time_ms"]
        window = [e for e in history if since <= e["time_ms"] <= until]
        check(events(client, walk.name, since_ms=since, until_ms=until) == window, "a part of the history is another one")


@case
def large_states_are_kept_once(program):
    """A large description is kept as what it became; as what it was, by its digest."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        client.call("POST", "registered-models/create", {"name": "big"})
        texts = ["a" * 17000, "b" * 1000000, "c"]
        for text in texts:
            client.call("PATCH", "registered-models/update", {"name": "big", "description": text})
        history = events(client, "big")[1:]
        check([e["after"]["description"] for e in history] == texts, "it became something else")
        check(history[0]["before"] == {"description": ""}, history[0]["before"])
        for event, text in zip(history[1:], texts):
            state = json.dumps({"description": text}, separators=(",", ":")).encode()
            check(event["before"] == {"bytes": len(state), "sha256": hashlib.sha256(state).hexdigest()}, event["before"])
        check(state_at(client, "big", seq=history[1]["seq"])["model"]["description"] == texts[1], "another description")
        check(verify(client)[0] == [], verify(client)[0])


# ---- what was there before, and elsewhere ---------------------------------------------------------------------

@case
def what_stood_before_is_adopted(program):
    """Models of a database without a history get their first events at the start, once."""
    data = tempfile.mkdtemp(prefix="trackerd-test-")
    try:
        with Daemon(program, data=data) as daemon:
            client = daemon.connect()
            walk = Walk(client, random.Random(3))
            client.call("POST", "registered-models/create", {"name": "walk"})
            for _ in range(60):
                walk.step()
            version = client.call("POST", "model-versions/create", {"name": walk.name, "source": "s3://b/0"})["model_version"]["version"]
            move(client, walk.name, "champion", version)
            was = now(client, walk.name)
        with sqlite3.connect(os.path.join(data, "tracker.db")) as db:
            db.execute("DELETE FROM registry_events")
            db.execute("UPDATE registry_head SET event_seq = 0, time_ms = 0, sha256 = zeroblob(32)")
            db.execute("UPDATE registered_models SET model_seq = 0")
        db.close()
        for _ in range(2):
            with Daemon(program, data=data) as daemon:
                client = daemon.connect()
                history = events(client, walk.name)
                kinds = [e["kind"] for e in history]
                check(kinds == ["model.adopted"] + ["version.adopted"] * len(was["versions"])
                      + ["alias.adopted"] * len(was["aliases"]), kinds)
                check(told(state_at(client, walk.name, seq=history[-1]["seq"])) == was, "it is another one")
                check(verify(client)[0] == [], verify(client)[0])
        with Daemon(program, data=data) as daemon:
            client = daemon.connect()
            status, revision, _ = move(client, walk.name, "fresh", version, revision="0")
            check((status, revision) == (200, str(len(history) + 1)), (status, revision))
    finally:
        shutil.rmtree(data, ignore_errors=True)


@case
def imports_are_remembered(program):
    """What an import brings is an event with the time of the import, and tells the times that it had elsewhere."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        model = {"name": "taxi", "creation_time": 1000, "last_updated_time": 2000, "tags": [{"key": "k", "value": "v"}]}
        version = {"name": "taxi", "version": "3", "source": "s3://b", "user_id": "dora", "stage": "Staging",
                   "creation_time": 3000, "last_updated_time": 4000, "aliases": ["champion"]}
        for _ in range(2):  # again: nothing new
            client.call("POST", "/api/trackerd/v1/import/model", model)
            client.call("POST", "/api/trackerd/v1/import/model-version", version)
        client.call("POST", "/api/trackerd/v1/import/model", {**model, "tags": [{"key": "l", "value": "w"}]})
        history = events(client, "taxi")
        check([e["kind"] for e in history] == ["model.created", "version.created", "alias.set", "model.tag_set"], history)
        check(history[0]["detail"] == {"imported": True, "creation_time_ms": 1000, "last_updated_time_ms": 2000}, history[0])
        check(history[1]["detail"]["creation_time_ms"] == 3000 and history[1]["actor"] == "dora", history[1])
        check(history[0]["time_ms"] > 10 ** 12, history[0])
        # The same number again, after a deletion: nothing of the one before shows through.
        client.call("POST", "model-versions/set-tag", {"name": "taxi", "version": "3", "key": "old", "value": "x"})
        client.call("DELETE", "model-versions/delete", {"name": "taxi", "version": "3"})
        client.call("POST", "/api/trackerd/v1/import/model-version", version)
        history = events(client, "taxi")
        state = told(state_at(client, "taxi", seq=history[-1]["seq"]))
        check(state == replay(history) == now(client, "taxi") and state["versions"]["3"]["tags"] == {}, state)
        check(verify(client)[0] == [], verify(client)[0])


# ---- tampering ------------------------------------------------------------------------------------------------

CHANGED = "the digest of event {} fits neither its content nor the event before it: one of them was changed"
# What somebody does to a stopped daemon's database, and what is told of it.
TAMPERED = (
    ("another actor", ["UPDATE registry_events SET actor = 'eve' WHERE event_seq = 5"], [CHANGED.format(5)]),
    ("another time", ["UPDATE registry_events SET time_ms = time_ms + 1 WHERE event_seq = 5"], [CHANGED.format(5)]),
    ("another state", ["UPDATE registry_events SET after_json = '{\"version\":\"1\"}' WHERE event_seq = 8"], [CHANGED.format(8)]),
    ("no reason", ["UPDATE registry_events SET reason = '' WHERE event_seq = 5"], [CHANGED.format(5)]),
    ("another digest", ["UPDATE registry_events SET sha256 = zeroblob(32) WHERE event_seq = 5"],
     [CHANGED.format(5), CHANGED.format(6)]),
    ("no digest", ["UPDATE registry_events SET sha256 = x'00' WHERE event_seq = 5"], [CHANGED.format(5), CHANGED.format(6)]),
    ("a missing event", ["DELETE FROM registry_events WHERE event_seq = 5"], ["event 5 is missing"]),
    ("two missing events", ["DELETE FROM registry_events WHERE event_seq IN (5, 6)"], ["events 5 to 6 are missing"]),
    ("the first one is missing", ["DELETE FROM registry_events WHERE event_seq = 1"], ["event 1 is missing"]),
    ("a swapped pair", ["UPDATE registry_events SET event_seq = -1 WHERE event_seq = 5",
                        "UPDATE registry_events SET event_seq = 5 WHERE event_seq = 6",
                        "UPDATE registry_events SET event_seq = 6 WHERE event_seq = -1"],
     [CHANGED.format(5), CHANGED.format(6), CHANGED.format(7)]),
    ("a truncated tail", ["DELETE FROM registry_events WHERE event_seq > 8"], ["events 9 to 10 are missing at the end"]),
    ("another end", ["UPDATE registry_head SET sha256 = zeroblob(32)"],
     ["the digest that was noted as the end of the chain is not the one of its last event"]),
    ("an earlier end", ["UPDATE registry_head SET event_seq = 8"],
     ["the end of the chain was noted as event 8, but there are events up to 10"]),
    ("a moved alias", ["UPDATE model_aliases SET version = 1 WHERE alias = 'champion'"],
     ["alias 'champion' of model 'taxi' points to version 1, but its history says to version 2"]),
    ("a new alias", ["INSERT INTO model_aliases SELECT model_pk, 'gold', 1 FROM registered_models WHERE name = 'taxi'"],
     ["alias 'gold' of model 'taxi' points to version 1, but its history says to nowhere"]),
    ("another stage", ["UPDATE model_versions SET stage = 'Production' WHERE version = 2"],
     ["the stage of version 2 of model 'taxi' is 'Production', but its history says 'Staging'"]),
    ("another source", ["UPDATE model_versions SET source = 's3://evil' WHERE version = 1"],
     ["the source of version 1 of model 'taxi' is 's3://evil', but its history says 's3://b/0'"]),
    ("a lost tag", ["DELETE FROM model_version_tags"],
     ["the tag 'k' of version 2 of model 'taxi' is gone, but its history says that it is there"]),
    ("another tag", ["UPDATE model_version_tags SET value = 'w'"],
     ["the tag 'k' of version 2 of model 'taxi' is 'w', but its history says 'v'"]),
    ("a lost version", ["DELETE FROM model_versions WHERE version = 1"],
     ["version 1 of model 'taxi' is gone, but its history says that it is there"]),
    ("a smuggled version", ["INSERT INTO model_versions (model_pk, version, source, storage_location, creation_time_ms,"
                            " last_updated_time_ms) SELECT model_pk, 9, 's', 's', 1, 1 FROM registered_models"
                            " WHERE name = 'taxi'"],
     ["version 9 of model 'taxi' is there, but not in its history"]),
    ("a lost model", ["DELETE FROM registered_models WHERE name = 'other'"],
     ["model 'other' is gone, but the history says that it is there"]),
    ("another name", ["UPDATE registered_models SET name = 'else' WHERE name = 'other'"],
     ["the name of model 'else' is 'else', but its history says 'other'"]),
    ("other rules", ["INSERT INTO model_protected_aliases SELECT model_pk, 'a' FROM registered_models WHERE name = 'other'"],
     ["the rules of model 'other' is '{\"requirements\":[],\"protected_aliases\":[\"a\"]}', but its history says"
      " '{\"requirements\":[],\"protected_aliases\":[]}'"]),
)


def make_tampering_ground(program, data):
    """Ten events; returns the digests of the sixth and the last."""
    with Daemon(program, data=data) as daemon:
        client = daemon.connect()
        make_model(client, "taxi", 2)                                                              # 1, 2, 3
        move(client, "taxi", "champion", "1", "ana")                                               # 4
        client.raw("POST", "/api/2.0/mlflow/registered-models/alias", json.dumps(                  # 5
            {"name": "taxi", "alias": "champion", "version": "2", "reason": "better"}), JSON)
        client.call("POST", "model-versions/set-tag", {"name": "taxi", "version": "2", "key": "k", "value": "v"})  # 6
        noted = verify(client)[2]
        move(client, "taxi", "champion", "1", "ana")                                               # 7
        move(client, "taxi", "champion", "2", "ana")                                               # 8
        client.call("POST", "model-versions/transition-stage", {"name": "taxi", "version": "2", "stage": "Staging",
                                                                "archive_existing_versions": False})  # 9
        client.call("POST", "registered-models/create", {"name": "other"})                         # 10
        problems, known, head = verify(client, noted)
        check((problems, known) == ([], True), (problems, known))
        return noted, head


def tampered(program, ground, change, expected=""):
    """Verifies a copy of the ground that `change` was let loose on, with pages of three events."""
    data = tempfile.mkdtemp(prefix="trackerd-test-")
    try:
        shutil.copytree(ground, data, dirs_exist_ok=True)
        with sqlite3.connect(os.path.join(data, "tracker.db")) as db:
            db.execute("PRAGMA foreign_keys = ON")
            change(db)
        db.close()
        with Daemon(program, data=data) as daemon:
            whole = verify(daemon.connect(), expected)
            check(verify(daemon.connect(), expected, page=3)[:2] == whole[:2], "pages tell otherwise")
            return whole
    finally:
        shutil.rmtree(data, ignore_errors=True)


@case
def tampering_is_found(program):
    """Each change of a stopped daemon's database is found, and told as what it is."""
    ground = tempfile.mkdtemp(prefix="trackerd-test-")
    try:
        noted, head = make_tampering_ground(program, ground)
        for title, statements, expected in TAMPERED:
            problems = tampered(program, ground, lambda db: [db.execute(sql) for sql in statements])[0]
            # What is said of the registry beside the chain follows from it.
            found = problems[:len(expected)] if "event" in expected[0] else problems
            check(found == expected, f"{title}: {problems}")

        def forge(db):
            db.execute("UPDATE registry_events SET actor = 'eve' WHERE event_seq = 5")
            rewrite_chain(db)

        problems, known, forged_head = tampered(program, ground, forge, noted)
        check((problems, known) == ([], False) and forged_head != head, "a chain made anew shows by the noted digest only")

        def cut(db):
            db.execute("DELETE FROM registry_events WHERE event_seq = 10")
            db.execute("DELETE FROM registered_models WHERE name = 'other'")
            rewrite_chain(db)

        problems, known, _ = tampered(program, ground, cut, head)
        check((problems, known) == ([], False), "a tail cut off cleanly shows by the noted digest only")
        check(tampered(program, ground, rewrite_chain, head) == ([], True, head), "the chain is made in another way")
    finally:
        shutil.rmtree(ground, ignore_errors=True)


# ---- the command line -----------------------------------------------------------------------------------------

def trk(program, daemon, *words, status=0, user="ana"):
    """What it prints, and what it says beside that."""
    done = subprocess.run([os.path.join(os.path.dirname(program), "trk"), *words], text=True, capture_output=True, timeout=60,
                          env={**os.environ, "TRK_URL": daemon.url, "TRK_USER": user, "TZ": "UTC", "COLUMNS": "80"})
    check(done.returncode == status, f"{words}: {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout, done.stderr


@case
def the_command_line_tells_it(program):
    """trk tells the history, a model as it was, and what was tampered with; it says who changes what, and by which command."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        trk(program, daemon, "models", "create", "taxi")
        for number in range(2):
            client.call("POST", "model-versions/create", {"name": "taxi", "source": f"s3://b/{number}"})
        trk(program, daemon, "models", "alias", "taxi", "champion", "1", "--reason", "the first", "--if-revision", "0")
        out = json.loads(trk(program, daemon, "models", "history", "taxi", "--json", "--max", "1")[0])["events"]
        check(len(out) == 1 and (out[0]["actor"], out[0]["cause"], out[0]["reason"]) == ("ana", "trk models alias", "the first")
              and out[0]["client"].startswith("trk/"), out)
        seq = out[0]["seq"]
        _, err = trk(program, daemon, "models", "alias", "taxi", "champion", "2", "--if-revision", "0", status=4)
        check("was moved to version 1 by ana at" in err, err)
        trk(program, daemon, "models", "alias", "taxi", "champion", "2", "--if-revision", seq, user="ben")
        table = trk(program, daemon, "models", "history", "taxi")[0].splitlines()
        check(all(len(line) <= 80 for line in table) and len(table) == 6, table)
        check(re.search(r"^ +5 .* ben +champion → v2, was v1 +trk models alias$", table[1]), table)
        check(table[5].rstrip().endswith("trk models create"), table)
        check(trk(program, daemon, "models", "history", "taxi", "--until", "2h", "--quiet")[0] == "", "events of the future")
        check(trk(program, daemon, "models", "history", "taxi", "--since", "2h", "-q")[0].split() == list("54321"), "others")
        shown = trk(program, daemon, "models", "show", "taxi", "--at", "0s")[0]
        check(re.search(r"after event 5\n", shown) and re.search(r"^ +2 +champion *$", shown, re.M) and "STAGE" not in shown, shown)
        state = json.loads(trk(program, daemon, "models", "show", "taxi", "--at", "0s", "--json")[0])
        check(told(state)["aliases"] == {"champion": "2"}, state)
        quiet = trk(program, daemon, "models", "show", "taxi", "--at", "0s", "--quiet")[0].split()
        check(quiet == [v["version"] for v in reversed(state["versions"])], quiet)
        trk(program, daemon, "models", "show", "taxi", "--at", "2h", status=3)
        trk(program, daemon, "models", "show", "taxi", "--at", "soon", status=2)
        check("yet to come" in trk(program, daemon, "models", "show", "taxi", "--at", "9999-01-01", status=2)[1], "years ahead")
        trk(program, daemon, "models", "delete", "taxi/2", "--yes")
        trk(program, daemon, "models", "restore", "taxi", "2", "--reason", "needed")
        trk(program, daemon, "models", "restore", "taxi", "2", status=4)
        trk(program, daemon, "models", "delete", "taxi", "--yes")
        trk(program, daemon, "models", "restore", "taxi")
        check(now(client, "taxi")["versions"].keys() == {"1", "2"}, now(client, "taxi"))
        number, digest_ = trk(program, daemon, "models", "verify")[0].split()
        check(number == str(len(events(client, "taxi"))), number)
        move(client, "taxi", "champion", "1")
        report = json.loads(trk(program, daemon, "models", "verify", "--expect", digest_, "--json")[0])
        check(report["ok"] and report["expected_seq"] == number and report["problems"] == [], report)
        _, err = trk(program, daemon, "models", "verify", "--expect", "0" * 64, status=1)
        check("no event has the digest" in err, err)
        daemon.stop()
        with sqlite3.connect(os.path.join(daemon.data, "tracker.db")) as db:
            db.execute("UPDATE registry_events SET actor = 'eve' WHERE event_seq IN (3, 5)")
        db.close()
        daemon.start()
        out, err = trk(program, daemon, "models", "verify", status=1)
        check(out.splitlines() == [CHANGED.format(3), CHANGED.format(5)] and "2 problems" in err, (out, err))


@case
def the_command_line_shows_what_counts_first(program):
    """At 80 columns the event is whole and the reason is cut; stages show when there are some, the newest version first."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        make_model(client, "taxi", 2)
        trk(program, daemon, "models", "require", "taxi", "size < 0", "--protect", "champion")
        for version in "12":
            trk(program, daemon, "promote", "taxi", version, "--to", "champion", "--force", "--reason", "why? " * 20)
        table = trk(program, daemon, "models", "history", "taxi")[0].splitlines()
        check("champion → v2, was v1 (forced)  why? " in table[1] and all(len(line) <= 80 for line in table), table)
        client.call("POST", "model-versions/transition-stage",
                    {"name": "taxi", "version": "1", "stage": "Staging", "archive_existing_versions": False})
        for words in ((), ("--at", "0s")):
            shown = trk(program, daemon, "models", "show", "taxi", *words)[0].splitlines()[-3:]
            check("STAGE" in shown[0] and re.match(r" +2  champion ", shown[1]) and "Staging" in shown[2], shown)
        for words in ("promote", "taxi", "1", "--to", "champion", "--reason", ""), ("promote", "taxi", "1", "--to", "", "--reason", "x"):
            trk(program, daemon, *words, status=2)
        for revision in ("x", "-1", "1x", "9" * 20):
            trk(program, daemon, "models", "alias", "taxi", "a", "1", "--if-revision", revision, status=2)
        for what in ("taxi", "taxi/2"):
            _, err = trk(program, daemon, "models", "delete", what, "--yes", status=5)
            check(err.endswith("force=true deletes it anyway. With trk that is --force.\n") or
                  err.endswith("force=true deletes the model anyway. With trk that is --force.\n"), err)


# ---- kill -9 --------------------------------------------------------------------------------------------------

def move_until_killed(daemon, acknowledged, number):
    client = daemon.connect()
    count = 0
    try:
        while True:
            alias, version = f"a{number}", str(1 + count % 3)
            status, revision, message = move(client, "taxi", alias, version, f"mover {number}")
            check(status == 200, message)
            acknowledged.append((alias, version, revision))
            count += 1
    except (OSError, http.client.HTTPException):
        return


@case
def a_kill_leaves_the_chain_whole(program):
    """After kill -9 under load the chain is whole, and every move that was acknowledged is in it."""
    with Daemon(program) as daemon:
        make_model(daemon.connect(), "taxi", 3)
        acknowledged = []
        for kill in range(KILLS):
            enough = len(acknowledged) + 100
            movers = [threading.Thread(target=move_until_killed, args=(daemon, acknowledged, number), daemon=True)
                      for number in range(3)]
            for mover in movers:
                mover.start()
            while len(acknowledged) < enough and any(mover.is_alive() for mover in movers):
                movers[0].join(0.005)
            daemon.kill()
            for mover in movers:
                mover.join(60)
            daemon.start()
            client = daemon.connect()
            check(verify(client)[0] == [], verify(client)[0])
            known = {(e["alias"], e["version"], e["seq"]) for e in events(client, "taxi") if e["kind"] == "alias.set"}
            lost = [item for item in acknowledged if item not in known]
            check(len(acknowledged) >= enough and not lost, f"kill {kill}: {lost[:5]} of {len(acknowledged)} were lost")


if __name__ == "__main__":
    run_cases(binary(sys.argv), only=sys.argv[2] if len(sys.argv) > 2 else "")
