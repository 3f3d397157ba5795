#!/usr/bin/env python3
"""Deployments: targets that report, fall silent, come back and are forgotten; what the daemon and trk show of them.

Usage: run_deployments.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import contextlib
import http.client
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import threading
import time

from cli_support import Trk

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, binary  # noqa: E402

DEADLINE_S = 60
HEARTBEAT_MS = 1000
PLACE = "/api/trackerd/v1/deployments"


def wait_until(condition, what):
    """The first true value of the condition."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not in time: {what}")


def id_of(number):
    return f"{number:032x}"


class Fleet:
    """What targets say, on one connection."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.client = daemon.connect()

    def report(self, number=1, state="active", version="1", **more):
        body = {"model": "taxi", "alias": "champion", "environment": "prod", "target": f"t{number}", "host": "h1",
                "path": "/srv/taxi", "state": state, "version": version, **more}
        return self.client.call("PUT", f"{PLACE}/{id_of(number)}", body)

    def heartbeat(self, number=1):
        return self.client.call("POST", f"{PLACE}/{id_of(number)}/heartbeat", {})["state"]

    def get(self, number=1):
        return self.client.call("GET", f"{PLACE}/{id_of(number)}")

    def history(self, number=1):
        """Oldest first."""
        return self.client.call("GET", f"{PLACE}/{id_of(number)}/history?max_results=1000")["changes"][::-1]

    def states(self, number=1):
        return [change["state"] for change in self.history(number)]

    def await_state(self, state, number=1):
        return wait_until(lambda: (found := self.get(number))["state"] == state and found, f"{state}")

    def gauges(self):
        """{state: how many} of /metrics"""
        _, _, text = self.client.raw("GET", "/metrics")
        prefix = 'trackerd_deployments{state="'
        lines = [line[len(prefix):] for line in text.decode().splitlines() if line.startswith(prefix)]
        return {line.split('"')[0]: int(line.split()[-1]) for line in lines}

    def register(self, versions=1):
        self.client.call("POST", "registered-models/create", {"name": "taxi"})
        for _ in range(versions):
            self.client.call("POST", "model-versions/create", {"name": "taxi", "source": "mlflow-artifacts:/0/models/a"})

    def point(self, version, alias="champion"):
        self.client.call("POST", "registered-models/alias", {"name": "taxi", "alias": alias, "version": version})


@contextlib.contextmanager
def site():
    with Daemon(binary(sys.argv)) as daemon:
        yield Fleet(daemon)


def edit(daemon, sql):
    """On a daemon that is stopped."""
    with contextlib.closing(sqlite3.connect(os.path.join(daemon.data, "tracker.db"))) as db, db:
        db.execute(sql)


@case
def silent_targets_turn_stale_and_come_back():
    """a target turns stale after three of its own heartbeats, alone, and its next heartbeat brings it back"""
    with site() as fleet:
        fleet.report(2)
        fleet.report(3, heartbeat_ms=3600 * 1000)
        began = time.monotonic()
        reported = fleet.report(1, heartbeat_ms=HEARTBEAT_MS, reason="the alias moved")
        stale = fleet.await_state("stale")
        check(time.monotonic() - began > 2, "it was stale before three heartbeats could be missed")
        check(stale["since_ms"] >= stale["last_seen_ms"] + 3 * HEARTBEAT_MS, f"stale too early: {stale}")
        check(stale["reason"] == "missed 3 heartbeats, one every 1 s; it was active before", stale["reason"])
        check(stale["version"] == "1", "what runs there is forgotten")
        wait_until(lambda: fleet.gauges() == {"deploying": 0, "active": 2, "rolled_back": 0, "failed": 0, "stale": 1},
                   f"gauges {fleet.gauges()}")
        check(fleet.heartbeat() == "active", "a heartbeat is told another state")
        check(fleet.states(1)[:3] == ["active", "stale", "active"], f"history {fleet.states(1)}")
        check(fleet.states(2) == fleet.states(3) == ["active"], "others changed, too")
        # Heartbeats go on: what is asked may take longer than three of them on a bad day.
        wait_until(lambda: fleet.heartbeat() == "active" and fleet.gauges()["active"] == 3, "gauges after it came back")
        back = wait_until(lambda: fleet.heartbeat() == "active" and (now := fleet.get(1))["state"] == "active" and now,
                          "it is back")
        check(back["since_ms"] == reported["since_ms"] and back["reason"] == "the alias moved",
              f"it came back otherwise than it was: {back}")
        # Silent again, from when it came back.
        again = fleet.await_state("stale")
        check(again["since_ms"] >= back["last_seen_ms"] + 3 * HEARTBEAT_MS, f"stale too early: {again}")


def beat_until_the_other_is_stale(fleet):
    """The longest time in ms from one heartbeat of the first target to what is asked after the next."""
    fleet.report(1, heartbeat_ms=HEARTBEAT_MS)
    fleet.report(2, heartbeat_ms=HEARTBEAT_MS)
    count, longest, before = 0, 0, time.monotonic()
    while fleet.get(2)["state"] != "stale":  # more than three intervals
        now = time.monotonic()
        state = fleet.heartbeat(1)
        longest, before, count = max(longest, time.monotonic() - before), now, count + 1
        check(state == "active" or longest * 1000 > HEARTBEAT_MS, "stale in spite of heartbeats")
    check(count > 3, f"only {count} heartbeats were sent")
    states = fleet.states(1)
    return states, max(longest, time.monotonic() - before) * 1000


@case
def heartbeats_keep_it_alive():
    """a target that sends heartbeats is never stale, and its history does not grow"""
    for _ in range(5):
        with site() as fleet:
            states, longest_ms = beat_until_the_other_is_stale(fleet)
        # A disk that stalls for intervals makes heartbeats late: then nothing is proved either way.
        if longest_ms < HEARTBEAT_MS:
            check(states == ["active"], f"history {states}")
            return
        print(f"        a heartbeat took {longest_ms:.0f} ms; again")
    check(False, "the disk stalls all the time")


@case
def a_shorter_interval_counts_at_once():
    """a target that begins to send heartbeats is missed after them, whoever else is due later"""
    with site() as fleet:
        fleet.report(1, heartbeat_ms=24 * 3600 * 1000)
        fleet.report(2, heartbeat_ms=0)
        fleet.report(2, heartbeat_ms=HEARTBEAT_MS)
        fleet.await_state("stale", 2)
        check(fleet.get(1)["state"] == "active", "the other one is stale, too")


@case
def a_restart_is_nobodys_silence():
    """after a restart each target has its three intervals again, and hundreds turn stale at once"""
    with site() as fleet:
        for number in range(1, 452):
            fleet.report(number, heartbeat_ms=3600 * 1000)
        fleet.daemon.kill()
        edit(fleet.daemon, "UPDATE deployments SET last_seen_ms = last_seen_ms - 3600000")
        edit(fleet.daemon, f"UPDATE deployments SET heartbeat_ms = {HEARTBEAT_MS} WHERE target <> 't1'")
        began = time.time()
        fleet.daemon.start()
        fleet = Fleet(fleet.daemon)
        check(fleet.heartbeat(1) == "active", "it is not known any more")
        stale = fleet.await_state("stale", 2)
        check(stale["since_ms"] >= began * 1000 + 3 * HEARTBEAT_MS, "it did not get its three intervals")
        check(stale["last_seen_ms"] < began * 1000 - 3000 * 1000, "when it was seen last is lost")
        wait_until(lambda: (fleet.gauges()["stale"], fleet.gauges()["active"]) == (450, 1), "all of them stale")
        check(fleet.states(451) == ["active", "stale"], f"history {fleet.states(451)}")
        times = {fleet.get(number)["since_ms"] for number in range(2, 452)}
        check(times == {stale["since_ms"]}, f"they were missed in one look, but turned stale at {sorted(times)}")


@case
def a_target_stays_stale_over_a_restart():
    """who is stale when the daemon stops is stale when it starts, once in the history"""
    with site() as fleet:
        fleet.report(1, heartbeat_ms=HEARTBEAT_MS)
        fleet.await_state("stale")
        fleet.daemon.stop()
        fleet.daemon.start()
        fleet = Fleet(fleet.daemon)
        wait_until(lambda: fleet.gauges()["stale"] == 1, "counted after the start")
        check(fleet.states() == ["active", "stale"], f"history {fleet.states()}")


@case
def reports_survive_a_kill():
    """what a target was answered is there after kill -9, and the history ends with what is shown"""
    with site() as fleet:
        answered = {}

        def target(number):
            mine = Fleet(fleet.daemon)
            version = 0
            with contextlib.suppress(Exception):  # until the daemon is away
                while True:
                    version += 1
                    seq = mine.report(number, version=str(version), heartbeat_ms=3600 * 1000)["seq"]
                    answered[number] = (version, int(seq))
                    mine.heartbeat(number)

        threads = [threading.Thread(target=target, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(answered) == 8 and min(v for v, _ in answered.values()) > 5, "some reports")
        fleet.daemon.kill()
        for thread in threads:
            thread.join()
        fleet.daemon.start()
        fleet = Fleet(fleet.daemon)
        seqs = set()
        for number, (version, seq) in answered.items():
            found, history = fleet.get(number), fleet.history(number)
            check(int(found["version"]) in (version, version + 1), f"{number}: {found['version']}, answered {version}")
            check(int(found["seq"]) >= seq, f"{number}: row {found['seq']}, answered {seq}")
            check(history[-1]["seq"] == found["seq"] and history[-1]["version"] == found["version"],
                  f"{number}: the history ends with {history[-1]}")
            check([c["version"] for c in history] == [str(v + 1) for v in range(len(history))], "a report is missing")
            seqs.update(c["seq"] for c in history)
        check(seqs == {str(i + 1) for i in range(len(seqs))}, "numbers of the history have gaps")


@case
def two_reporters_with_one_id():
    """of two directories with one id the last one is believed, and the history shows both"""
    with site() as fleet:
        fleet.report(host="h1")
        fleet.report(host="copy")
        fleet.report(host="h1")
        check(fleet.get()["host"] == "h1", "the last one is not believed")
        check([c["host"] for c in fleet.history()] == ["h1", "copy", "h1"], f"history {fleet.history()}")


@case
def what_the_alias_says_is_of_now():
    """moving or deleting an alias, and deleting the model, shows at each target"""
    with site() as fleet:
        def seen():
            found = fleet.get()
            return found["alias_version"], found["differs"], found["in_registry"]

        fleet.register(versions=2)
        fleet.point("1")
        fleet.report()
        check(seen() == ("1", False, True), f"at first {seen()}")
        fleet.point("2")
        check(seen() == ("2", True, True), f"after the alias moved {seen()}")
        fleet.client.call("DELETE", "registered-models/alias", {"name": "taxi", "alias": "champion"})
        check(seen() == ("", True, True), f"after the alias was deleted {seen()}")
        fleet.client.call("DELETE", "registered-models/delete", {"name": "taxi", "force": True})
        check(seen() == ("", True, False), f"after the model was deleted {seen()}")


class Follower:
    """What live events tell of deployments: (id, DEPLOYMENT) in order, as they come."""

    def __init__(self, fleet, last_event_id=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", fleet.daemon.port, timeout=DEADLINE_S)
        self.connection.request("GET", "/api/trackerd/v1/events?topics=deployment:*",
                                headers={"Last-Event-ID": last_event_id} if last_event_id else {})
        self.stream = self.connection.getresponse()

    def next(self):
        """The next event of a deployment."""
        fields = {}
        while True:
            line = self.stream.readline().decode().rstrip("\n")
            if line == "" and fields.get("event") == "deployment":
                return fields["id"], json.loads(fields["data"])
            if line == "":
                fields = {}
            else:
                name, _, value = line.partition(": ")
                fields[name] = value

    def close(self):
        self.stream.close()
        self.connection.close()


@case
def live_events_tell_each_change():
    """who follows deployments is told each change as it is kept, and after a gap and a restart those between"""
    with site() as fleet:
        follower = Follower(fleet)
        fleet.report(1, state="deploying", heartbeat_ms=HEARTBEAT_MS)
        shown = fleet.report(1, heartbeat_ms=HEARTBEAT_MS)
        event_id, told = follower.next()
        check(told["state"] == "deploying" and told["seq"] == "1", f"first {told}")
        event_id, told = follower.next()
        check(told == shown, f"told {told}, shown {shown}")
        last_id, told = follower.next()
        check(told["state"] == "stale" and told == fleet.get(), f"told {told}, shown {fleet.get()}")
        follower.close()
        fleet.heartbeat()
        fleet.client.call("DELETE", f"{PLACE}/{id_of(1)}")
        fleet.daemon.kill()
        fleet.daemon.start()
        follower = Follower(Fleet(fleet.daemon), last_event_id=event_id)
        seen = [follower.next() for _ in range(3)]
        check([told["state"] for _, told in seen] == ["stale", "active", "forgotten"], f"after the gap {seen}")
        follower.close()


@case
def a_thousand_targets():
    """a thousand targets are listed, in pages and by trk, and a thousand heartbeats of several at once keep them"""
    with site() as fleet:
        for number in range(1000):
            fleet.report(number, environment=f"e{number % 10}", heartbeat_ms=3600 * 1000)
        found, token = [], ""
        while True:
            page = fleet.client.call("GET", f"{PLACE}?max_results=300&page_token={token}")
            found += [d["deployment_id"] for d in page["deployments"]]
            token = page["next_page_token"]
            if not token:
                break
        check(found == [id_of(number) for number in reversed(range(1000))], "the pages do not make the whole")
        check(len(fleet.client.call("GET", f"{PLACE}?environment=e3&max_results=1000")["deployments"]) == 100, "filter")

        def send(first):
            mine = Fleet(fleet.daemon)
            for number in range(first, 1000, 4):
                mine.heartbeat(number)

        before = fleet.get(999)["last_seen_ms"]
        threads = [threading.Thread(target=send, args=(first,)) for first in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check(fleet.get(999)["last_seen_ms"] >= before and fleet.gauges()["active"] == 1000, "they were not seen")
        with trk(fleet) as program:
            listed = program.json("deployments")["deployments"]
            check([(d["environment"], d["target"]) for d in listed] ==
                  sorted((d["environment"], d["target"]) for d in listed) and len(listed) == 1000, "trk lists others")


# ---- trk ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def trk(fleet):
    home = tempfile.mkdtemp(prefix="trk-deployments-")
    try:
        yield Trk(os.path.abspath(binary(sys.argv, "trk")), fleet.daemon.url, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@case
def trk_shows_what_runs():
    """trk deployments is a table of 80 columns which says where the alias says something else"""
    with site() as fleet, trk(fleet) as program:
        check("No deployments." in program.run("deployments").stderr, "an empty list")
        fleet.register(versions=2)
        fleet.point("2")
        fleet.report(1, version="2")
        fleet.report(2, version="1")
        fleet.report(3, version="2", previous_version="1", state="deploying", environment="staging")
        fleet.report(4, version="", state="failed", alias="", environment="staging", reason="version 2: no disk")
        fleet.report(5, model="gone", environment="", version="7")
        seen = program.terminal("deployments", env={"NO_COLOR": "1"})
        lines = seen.splitlines()
        check(all(len(line) <= 80 for line in lines), seen)
        check(lines[0].split() == ["ENV", "TARGET", "MODEL", "RUNS", "STATE", "SINCE", "SEEN"], seen)
        rows = [" ".join(line.split()) for line in lines[1:]]
        expected = ["t5 gone@champion v7 (alias gone) active just now",
                    "prod t1 taxi@champion v2 active just now",
                    "prod t2 taxi@champion v1 (says v2) active just now",
                    "staging t3 taxi@champion v1 to v2 deploying just now",
                    "staging t4 taxi nothing failed just now"]
        check(len(rows) == 5 and all(row.startswith(want) for row, want in zip(rows, expected)), seen)
        check(id_of(1)[:8] in program.terminal("deployments", columns=100), "no room for the id")
        check(program.out("deployments", "--quiet", "--model", "taxi", "--env", "prod").split() == [id_of(1), id_of(2)],
              "filters")
        check([d["deployment_id"] for d in program.json("deployments", "list", "--state", "failed")["deployments"]] ==
              [id_of(4)], "--state")
        check("reason" in program.out("deployments", "--target", "t4", "--json"), "--json")


@case
def trk_checks_for_scripts():
    """trk deployments --check exits with 7 for what differs, failed or is stale, and with 0 otherwise"""
    with site() as fleet, trk(fleet) as program:
        fleet.register(versions=2)
        fleet.point("1")
        fleet.report(1)
        program.run("deployments", "--check")
        program.run("deployments", "--check", "--env", "nowhere")
        fleet.report(2, heartbeat_ms=HEARTBEAT_MS)
        fleet.report(3, state="failed", reason="no")
        fleet.point("2")
        done = program.run("deployments", "--check", "--target", "t1", expect=7)
        check("prod/t1 runs another version than the alias says" in done.stderr, done.stderr)
        fleet.point("1")
        check("prod/t3 failed" in program.run("deployments", "--check", "--target", "t3", "--quiet", expect=7).stderr, "t3")
        fleet.await_state("stale", 2)
        done = program.run("deployments", "--check", expect=7)
        check("prod/t2 is stale; 2 of 3 deployments are not as they should be" in done.stderr, done.stderr)
        check(len(program.json("deployments", "--check", expect=7)["deployments"]) == 3, "no JSON beside the status")


@case
def trk_shows_and_forgets_one():
    """trk deployments show tells a target's history, also after trk deployments forget"""
    with site() as fleet, trk(fleet) as program:
        fleet.register()
        fleet.point("1")
        fleet.report(1, state="deploying", heartbeat_ms=3600 * 1000)
        fleet.report(1, heartbeat_ms=3600 * 1000)
        fleet.report(2, target="t1", environment="staging")
        check("fits 2 deployments" in program.run("deployments", "show", "t1", expect=4).stderr, "it is not one")
        shown = program.out("deployments", "show", "prod/t1")
        for part in ("prod/t1  active", id_of(1), "taxi@champion", "/srv/taxi", "(a heartbeat every 1 h 0 min)", "deploying"):
            check(part in shown, f"{part!r} is not in\n{shown}")
        found = program.json("deployments", "show", id_of(1), "--max", "1")
        check(found["deployment"]["state"] == "active" and len(found["changes"]) == 1, f"{found}")
        program.run("deployments", "show", "nobody", expect=3)
        check("Say so with --yes" in program.run("deployments", "forget", "prod/t1", expect=2).stderr, "it was not asked")
        program.run("deployments", "forget", "prod/t1", "--yes")
        check(program.out("deployments", "-q").split() == [id_of(2)], "it is still there")
        found = program.json("deployments", "show", id_of(1))
        check(found["deployment"] is None and found["changes"][0]["state"] == "forgotten", f"{found}")
        program.run("deployments", "forget", id_of(1), "--yes", expect=3)


@case
def trk_helps():
    """trk deployments without a command lists; what is none is told, with the nearest one"""
    with site() as fleet, trk(fleet) as program:
        fleet.report()
        check(program.out("deployments") == program.out("deployments", "list"), "list")
        check(program.out("deployments", "--json", "--model", "taxi") == program.out("deployments", "list", "--json"), "list")
        check('did you mean "deployments show"' in program.run("deployments", "shwo", expect=2).stderr, "no hint")
        check("Without a command: list." in program.out("deployments", "--help"), "help")
        check("too much" in program.run("deployments", "--json", "more", expect=2).stderr, "a word too much")


if __name__ == "__main__":
    run_cases(only=sys.argv[2] if len(sys.argv) > 2 else "")
