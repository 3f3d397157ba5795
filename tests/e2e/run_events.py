#!/usr/bin/env python3
"""Live events and long polls on an alias: what is told, when, in which order, and what a lost connection misses: nothing.

Usage: run_events.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import http.client
import json
import os
import random
import resource
import select
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, binary  # noqa: E402

DEADLINE_S = 60
DRAIN_S = 50          # the daemon's patience with what does not end by itself
RING_CHANGES = 8192   # LIVE_RING_CHANGES of limits.h
WATCHERS = 1000


class Stream:
    """One connection to the events; iterates over them as dictionaries with id, event and data."""

    def __init__(self, port, topics, last_id=None, receive_bytes=None, timeout=DEADLINE_S):
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        lines = [f"GET /api/trackerd/v1/events?topics={urllib.parse.quote(topics)} HTTP/1.1", "Host: localhost"]
        if last_id:
            lines.append(f"Last-Event-ID: {last_id}")
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode())
        self.last_id = last_id
        self.reply = None

    def open(self):
        """Reads the head, and the greeting with the first id."""
        self.reply = http.client.HTTPResponse(self.socket)
        self.reply.begin()
        check(self.reply.status == 200, f"{self.reply.status}: {self.reply.headers}")
        check(self.reply.headers["Content-Type"] == "text/event-stream", str(self.reply.headers))
        block = self.block()
        check(block.get("retry") == "1000" and (block.get("id") or self.last_id), f"the greeting is {block}")
        return self

    def block(self):
        """Lines up to an empty one; None at the end of the stream."""
        fields = {}
        while True:
            line = self.reply.readline()
            if not line:
                return None
            line = line.decode().rstrip("\n")
            if not line:
                self.last_id = fields.get("id", self.last_id)
                return fields
            name, _, value = line.partition(": ")
            fields[name] = value

    def event(self):
        while True:
            block = self.block()
            if block is None:
                return None
            if "event" in block:
                return {"id": block["id"], "event": block["event"], "data": json.loads(block["data"])}

    def close(self):
        self.socket.close()


def follow(daemon, topics, last_id=None, **options):
    return Stream(daemon.port, topics, last_id, **options).open()


def create_run(client, experiment="0"):
    return client.call("POST", "runs/create", {"experiment_id": experiment})["run"]["info"]["run_id"]


def log_metric(client, run_id, step=0):
    client.call("POST", "runs/log-metric",
                {"run_id": run_id, "key": "loss", "value": step, "timestamp": 1 + step, "step": step})


def create_model(client, name, versions=2):
    client.call("POST", "registered-models/create", {"name": name})
    for _ in range(versions):
        client.call("POST", "model-versions/create", {"name": name, "source": "mlflow-artifacts:/0/models/a"})


def move(client, model, alias, version):
    client.call("POST", "registered-models/alias", {"name": model, "alias": alias, "version": str(version)})


def delete_alias(client, model, alias):
    client.call("DELETE", "registered-models/alias", {"name": model, "alias": alias})


def ask_alias(daemon, model, alias, **query):
    """(status, ETag, reply)"""
    client = daemon.connect()
    try:
        path = f"/api/trackerd/v1/models/{model}/aliases/{alias}?{urllib.parse.urlencode(query)}"
        status, headers, body = client.raw("GET", path)
        return status, headers["ETag"], json.loads(body) if body else None
    finally:
        client.close()


class Asking(threading.Thread):
    """A long poll on a thread of its own."""

    def __init__(self, daemon, model, alias, **query):
        super().__init__(daemon=True)
        self.arguments = (daemon, model, alias)
        self.query = query
        self.answer = None
        self.start()

    def run(self):
        try:
            self.answer = ask_alias(*self.arguments, **self.query)
        except OSError as error:
            self.answer = error

    def wait(self):
        self.join(DEADLINE_S)
        check(self.answer is not None, "the long poll was not answered")
        check(not isinstance(self.answer, OSError), f"the long poll ended with {self.answer!r}")
        return self.answer


def wait_until(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        check(time.monotonic() < deadline, f"{what} did not happen")
        time.sleep(0.01)


def history(client, model):
    """All events of a model, oldest first."""
    return client.call("GET", f"/api/trackerd/v1/models/{model}/history?order=asc&max_results=1000")["events"]


# ---- runs and experiments -------------------------------------------------------------------------

@case
def what_happens_to_a_run_is_told_to_its_followers_and_those_of_its_experiment(daemon):
    client = daemon.connect()
    experiment = client.call("POST", "experiments/create", {"name": "told"})["experiment_id"]
    of_experiment, of_all = follow(daemon, f"experiment:{experiment}"), follow(daemon, "run:*")
    run_id = create_run(client, experiment)
    event = of_experiment.event()
    check(event["event"] == "run" and event["data"]["run_id"] == run_id and "created" in event["data"]["what"],
          str(event))
    check(of_all.event()["data"]["run_id"] == run_id, "run:* was told of another run")
    of_run = follow(daemon, f"run:{run_id}")
    steps = [
        ("runs/log-metric", {"key": "a", "value": 1, "timestamp": 1}, ["metrics"]),
        ("runs/log-parameter", {"key": "p", "value": "1"}, ["params"]),
        ("runs/set-tag", {"key": "t", "value": "1"}, ["tags"]),
        ("runs/delete-tag", {"key": "t"}, ["tags"]),
        ("runs/log-batch", {"params": [{"key": "q", "value": "1"}], "tags": [{"key": "u", "value": "1"}]},
         ["params", "tags"]),
        ("runs/log-inputs", {"datasets": [{"dataset": {"name": "d", "digest": "1", "source_type": "local",
                                                       "source": "{}"}}]}, ["inputs"]),
        ("runs/update", {"status": "FINISHED", "end_time": 5}, ["status"]),
        ("runs/delete", {}, ["deleted"]),
        ("runs/restore", {}, ["restored"]),
    ]
    for path, body, what in steps:
        client.call("POST", path, {"run_id": run_id, **body})
        data = of_run.event()["data"]
        check(data["what"] == what, f"{path} was told as {data}")
        check(data.get("status") == ("FINISHED" if what == ["status"] else None), str(data))
    client.raw("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run_id}/artifacts/a.txt", b"a")
    check(of_run.event()["data"]["what"] == ["artifacts"], "an upload was not told")
    client.raw("DELETE", f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run_id}/artifacts/a.txt")
    check(of_run.event()["data"]["what"] == ["artifacts"], "a deletion was not told")
    for stream in (of_experiment, of_all, of_run):
        stream.close()


@case
def what_happens_to_an_experiment_is_told(daemon):
    client = daemon.connect()
    every = follow(daemon, "experiment:*")
    experiment = client.call("POST", "experiments/create", {"name": "changes"})["experiment_id"]
    check(every.event()["data"] == {"experiment_id": experiment, "what": ["created"]}, "no creation")
    one = follow(daemon, f"experiment:{experiment}")
    for path, body, what in (("experiments/update", {"new_name": "other"}, ["name"]),
                             ("experiments/set-experiment-tag", {"key": "k", "value": "v"}, ["tags"]),
                             ("experiments/delete", {}, ["deleted"]), ("experiments/restore", {}, ["restored"])):
        client.call("POST", path, {"experiment_id": experiment, **body})
        event = one.event()
        check(event["event"] == "experiment" and event["data"] == {"experiment_id": experiment, "what": what},
              f"{path}: {event}")
        check(every.event()["data"]["what"] == what, path)
    one.close()
    every.close()


@case
def what_happens_to_logged_models_and_traces_of_an_experiment_is_told(daemon):
    client = daemon.connect()
    experiment = client.call("POST", "experiments/create", {"name": "models-and-traces"})["experiment_id"]
    model = client.call("POST", "logged-models", {"experiment_id": experiment})["model"]["info"]["model_id"]
    make_trace = {"trace": {"trace_info": {
        "trace_id": "tr-told", "request_time": "2026-01-01T00:00:00Z", "state": "OK",
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}}}}
    traces = "/api/3.0/mlflow/traces"
    note = {"assessment_name": "n", "feedback": {"value": 1}, "source": {"source_type": "CODE", "source_id": "s"}}
    stream = follow(daemon, f"experiment:{experiment}")
    create_run(client, experiment)
    while stream.event()["event"] != "run":
        pass  # the creations, which may have waited to be told
    logged = f"logged-models/{model}"
    for method, path, body, what in (
            ("PATCH", logged, {"status": "LOGGED_MODEL_READY"}, "logged_models"),
            ("PATCH", logged + "/tags", {"tags": [{"key": "k", "value": "v"}]}, "logged_models"),
            ("DELETE", logged + "/tags/k", None, "logged_models"),
            ("POST", logged + "/params", {"params": [{"key": "p", "value": "1"}]}, "logged_models"),
            ("DELETE", logged, None, "logged_models"),
            ("POST", traces, make_trace, "traces"),
            ("PATCH", traces + "/tr-told/tags", {"key": "k", "value": "v"}, "traces"),
            ("DELETE", traces + "/tr-told/tags", {"key": "k"}, "traces"),
            ("POST", traces + "/tr-told/assessments", {"assessment": note}, "traces"),
            ("POST", "traces/link-to-run", {"trace_ids": ["tr-told"], "run_id": "0" * 32}, "traces"),
            ("POST", traces + "/delete-traces", {"experiment_id": experiment, "request_ids": ["tr-told"]}, "traces")):
        client.call(method, path, body)
        event = stream.event()
        check(event["event"] == "experiment" and event["data"] == {"experiment_id": experiment, "what": [what]},
              f"{method} {path}: {event}")
    client.call("PATCH", traces + "/tr-told/tags", {"key": "k", "value": "v"}, expect=404)
    client.call("POST", traces + "/delete-traces", {"experiment_id": experiment, "request_ids": ["tr-told"]})
    client.call("POST", "experiments/set-experiment-tag", {"experiment_id": experiment, "key": "k", "value": "v"})
    check(stream.event()["data"]["what"] == ["tags"], "what changed nothing was told")
    stream.close()


@case
def what_fails_is_not_told(daemon):
    client = daemon.connect()
    run_id = create_run(client)
    stream = follow(daemon, f"run:{run_id}")
    client.call("POST", "runs/log-parameter", {"run_id": run_id, "key": "p", "value": "1"})
    check("params" in stream.event()["data"]["what"], "the parameter was not told")
    client.call("POST", "runs/log-parameter", {"run_id": run_id, "key": "p", "value": "2"}, expect=400)
    client.call("POST", "runs/set-tag", {"run_id": run_id, "key": "t", "value": "1"})
    check(stream.event()["data"]["what"] == ["tags"], "a parameter that was refused was told")
    stream.close()


@case
def a_burst_of_one_run_becomes_few_events(daemon):
    client = daemon.connect()
    run_id = create_run(client)
    stream = follow(daemon, f"run:{run_id},experiment:0")
    begin = time.monotonic()
    for step in range(300):
        log_metric(client, run_id, step)
    client.call("POST", "runs/update", {"run_id": run_id, "status": "FAILED"})
    spent_ms = (time.monotonic() - begin) * 1000
    count = 0
    while True:
        event = stream.event()
        count += 1
        if event["data"].get("status") == "FAILED":
            break
    check(count <= spent_ms / 100 + 2, f"{count} events of one run in {spent_ms:.0f} ms")
    stream.close()


# ---- coming back ----------------------------------------------------------------------------------

@case
def connections_cut_in_a_burst_miss_nothing_and_hear_nothing_twice(daemon):
    client = daemon.connect()
    create_model(client, "burst")
    before = len(history(client, "burst"))
    first = follow(daemon, "model:burst")
    first_id = first.last_id
    first.close()
    moves = 300

    def mover():
        connection = daemon.connect()
        for i in range(moves):
            move(connection, "burst", "champion", 1 + i % 2)
        connection.close()

    def other():
        connection = daemon.connect()
        create_model(connection, "noise")
        for i in range(100):
            move(connection, "noise", "champion", 1 + i % 2)
        connection.close()

    collected = {}

    def follower(seed):
        choose = random.Random(seed)
        events, last_id = [], first_id
        while len(events) < moves:
            stream = follow(daemon, "model:burst", last_id)
            for _ in range(choose.randrange(0, 40)):
                if len(events) == moves:
                    break
                events.append(stream.event())
            last_id = stream.last_id
            stream.close()
        collected[seed] = events

    threads = [threading.Thread(target=mover), threading.Thread(target=other)]
    threads += [threading.Thread(target=follower, args=(seed,), daemon=True) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S * 2)
    expected = history(client, "burst")[before:]
    check(len(expected) == moves, f"{len(expected)} events in the history")
    for seed in range(4):
        check([event["data"] for event in collected.get(seed, [])] == expected,
              f"follower {seed} heard other events than the history has")


@case
def a_restarted_daemon_tells_what_was_missed_of_models_and_resets_runs(daemon):
    client = daemon.connect()
    create_model(client, "restart")
    run_id = create_run(client)
    stream = follow(daemon, f"model:restart,run:{run_id}")
    move(client, "restart", "champion", 1)
    while (event := stream.event())["event"] == "run":
        pass  # its creation, which may have waited to be told
    check(event["data"]["kind"] == "alias.set" and event["data"]["version"] in ("", "1"), str(event))
    last_id = stream.last_id
    stream.close()
    move(client, "restart", "champion", 2)
    log_metric(client, run_id)
    client.close()
    daemon.kill()
    daemon.start()
    client = daemon.connect()
    delete_alias(client, "restart", "champion")
    stream = follow(daemon, f"model:restart,run:{run_id}", last_id)
    told = [stream.event() for _ in range(3)]
    resets = [event["data"] for event in told if event["event"] == "reset"]
    check(resets == [{"topics": [f"run:{run_id}"]}], f"resets: {resets}")
    kinds = [event["data"]["kind"] for event in told if event["event"] == "model"]
    check(kinds == ["alias.set", "alias.deleted"], f"told of {kinds}")
    log_metric(client, run_id, 1)
    check(stream.event()["data"]["what"] == ["metrics"], "the run is not told after the reset")
    stream.close()


@case
def a_short_absence_misses_no_change_of_a_run(daemon):
    client = daemon.connect()
    run_id = create_run(client)
    stream = follow(daemon, f"run:{run_id}")
    last_id = stream.last_id
    stream.close()  # and nobody else follows
    client.call("POST", "runs/set-tag", {"run_id": run_id, "key": "t", "value": "1"})
    stream = follow(daemon, f"run:{run_id}", last_id)
    what = []
    while "tags" not in what:  # the creation may be told before, or with it
        what += stream.event()["data"]["what"]
    check(what.count("tags") == 1 and set(what) <= {"created", "tags"}, str(what))
    stream.close()


@case
def beyond_the_ring_a_follower_is_told_to_read_again(daemon):
    client = daemon.connect()
    experiments = [client.call("POST", "experiments/create", {"name": f"ring-{i}"})["experiment_id"]
                   for i in range(2)]
    stream = follow(daemon, f"experiment:{experiments[0]}")
    reader = follow(daemon, "experiment:*")
    last_id = stream.last_id
    stream.close()
    runs = 0
    total = RING_CHANGES + 1200
    # Each run is one change, and log-batch would not make more: runs are the cheapest changes.
    threads = []

    def fill(count):
        connection = daemon.connect()
        for _ in range(count):
            connection.call("POST", "runs/create", {"experiment_id": experiments[1]})
        connection.close()

    for _ in range(8):
        threads.append(threading.Thread(target=fill, args=(total // 8,)))
        threads[-1].start()
    while runs < total // 8 * 8:
        runs += reader.event()["event"] == "run"
    for thread in threads:
        thread.join()
    reader.close()
    stream = follow(daemon, f"experiment:{experiments[0]}", last_id)
    event = stream.event()
    check(event["event"] == "reset" and event["data"] == {"topics": [f"experiment:{experiments[0]}"]}, str(event))
    stream.close()


@case
def ids_that_say_nothing_are_answered_with_a_reset(daemon):
    for last_id in ("57", "x", "00000000-0.0.0", "ffffffff-1.999999999.5"):
        stream = follow(daemon, "run:*,model:*,deployment:*", last_id)
        topics = set()
        while not {"run:*"} <= topics:
            event = stream.event()
            if event["event"] == "reset":
                topics |= set(event["data"]["topics"])
        stream.close()
    stream = follow(daemon, "model:*", "ffffffff-1.999999999.5")
    check(stream.event() == {"id": stream.last_id, "event": "reset", "data": {"topics": ["model:*"]}},
          "a position beyond the end was taken")
    stream.close()


@case
def a_slow_reader_holds_nobody_up_and_catches_up(daemon):
    client = daemon.connect()
    create_model(client, "slow")
    slow = follow(daemon, "model:slow", receive_bytes=4096)
    fast = follow(daemon, "model:slow")
    text, count = "x" * 20000, 250  # 10 MB with before and after: more than sockets and backlog hold
    for i in range(count):
        client.call("POST", "registered-models/set-tag", {"name": "slow", "key": "t", "value": f"{i} {text}"})
        check(fast.event()["data"]["kind"] == "model.tag_set", "the fast one was held up")
    kinds = [slow.event()["data"] for _ in range(count)]
    seqs = [int(data["seq"]) for data in kinds]
    check(seqs == sorted(set(seqs)) and len(seqs) == count, "the slow one missed some, or heard some twice")
    check(kinds[-1]["after"]["value"].startswith(f"{count - 1} "), "the last one is another")
    slow.close()
    fast.close()


# ---- long polls -----------------------------------------------------------------------------------

@case
def a_long_poll_hears_of_moves_creation_and_deletion(daemon):
    client = daemon.connect()
    asking = Asking(daemon, "poll", "champion", revision=0, wait_ms=60000)
    create_model(client, "poll")
    move(client, "poll", "champion", 1)
    status, etag, reply = asking.wait()
    check(status == 200 and reply["version"] == "1" and etag == f'"{reply["revision"]}"', str(reply))
    revision = reply["revision"]
    asking = Asking(daemon, "poll", "champion", revision=revision, wait_ms=60000)
    move(client, "poll", "other", 2)         # not this alias
    move(client, "poll", "champion", 1)      # no change
    move(client, "poll", "champion", 2)
    status, _, reply = asking.wait()
    check(status == 200 and reply["version"] == "2" and int(reply["revision"]) > int(revision), str(reply))
    asking = Asking(daemon, "poll", "champion", revision=reply["revision"], wait_ms=60000)
    delete_alias(client, "poll", "champion")
    check(asking.wait()[0] == 404, "the deletion was not told")
    asking = Asking(daemon, "poll", "champion", revision=0, wait_ms=60000)
    move(client, "poll", "champion", 1)
    revision = asking.wait()[2]["revision"]
    asking = Asking(daemon, "poll", "champion", revision=revision, wait_ms=60000)
    client.call("DELETE", "registered-models/delete", {"name": "poll"})
    check(asking.wait()[0] == 404, "the deletion of the model was not told")


@case
def a_renamed_model_is_told_under_both_names(daemon):
    client = daemon.connect()
    create_model(client, "old-name")
    move(client, "old-name", "champion", 1)
    revision = ask_alias(daemon, "old-name", "champion")[2]["revision"]
    old, new = follow(daemon, "model:old-name"), follow(daemon, "model:new%2Dname")
    waiting = Asking(daemon, "old-name", "champion", revision=revision, wait_ms=60000)
    hoping = Asking(daemon, "new-name", "champion", revision=0, wait_ms=60000)
    client.call("POST", "registered-models/rename", {"name": "old-name", "new_name": "new-name"})
    for stream in (old, new):
        data = stream.event()["data"]
        check(data["kind"] == "model.renamed" and data["model"] == "new-name", str(data))
        stream.close()
    check(waiting.wait()[0] == 404, "who waits for the old name was not told")
    status, _, reply = hoping.wait()
    check(status == 200 and reply["revision"] == revision, str(reply))


@case
def waiting_ends_in_time_and_the_connection_is_kept(daemon):
    client = daemon.connect()
    create_model(client, "timeout")
    move(client, "timeout", "champion", 1)
    revision = ask_alias(daemon, "timeout", "champion")[2]["revision"]
    begin = time.monotonic()
    path = f"/api/trackerd/v1/models/timeout/aliases/champion?revision={revision}&wait_ms=300"
    for _ in range(2):
        status, headers, body = client.raw("GET", path)
        check((status, headers["ETag"], body) == (304, f'"{revision}"', b""), f"{status} {body}")
        check(headers.get("Connection", "keep-alive") != "close", "the connection was closed")
    check(time.monotonic() - begin >= 0.6, "it did not wait")


@case
def who_leaves_while_waiting_leaves_nothing_behind(daemon):
    client = daemon.connect()
    create_model(client, "leavers")
    move(client, "leavers", "champion", 1)
    revision = ask_alias(daemon, "leavers", "champion")[2]["revision"]

    def gauge(name):
        text = client.raw("GET", "/metrics")[2].decode()
        return int(float(text.split(f"\n{name} ")[1].split("\n")[0]))

    def followers():
        return gauge("trackerd_live_waiters"), gauge("trackerd_live_streams")

    wait_until(lambda: followers() == (0, 0), "the end of those before")
    before = gauge("trackerd_connections_open")
    request = (f"GET /api/trackerd/v1/models/leavers/aliases/champion?revision={revision}&wait_ms=300000"
               " HTTP/1.1\r\nHost: localhost\r\n\r\n").encode()
    sockets = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(20)]
    for number, connection in enumerate(sockets):
        connection.sendall(request)
    streams = [follow(daemon, "model:leavers") for _ in range(20)]
    wait_until(lambda: followers() == (20, 20), "all being parked")
    for number, connection in enumerate(sockets + [stream.socket for stream in streams]):
        if number % 2:  # a reset; else an orderly end
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
    for stream in streams:
        stream.reply.close()
    wait_until(lambda: followers() == (0, 0), "the end of those who left")
    wait_until(lambda: gauge("trackerd_connections_open") <= before, "the end of their connections")
    move(client, "leavers", "champion", 2)


@case
def a_thousand_watchers_are_all_told(daemon):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, WATCHERS + 200), hard), hard))
    client = daemon.connect()
    create_model(client, "crowd")
    move(client, "crowd", "champion", 1)
    revision = ask_alias(daemon, "crowd", "champion")[2]["revision"]
    request = (f"GET /api/trackerd/v1/models/crowd/aliases/champion?revision={revision}&wait_ms=300000"
               " HTTP/1.1\r\nHost: localhost\r\n\r\n").encode()
    stream_request = b"GET /api/trackerd/v1/events?topics=model:crowd HTTP/1.1\r\nHost: localhost\r\n\r\n"
    poller = select.epoll()
    crowd = {}
    for number in range(WATCHERS):
        connection = socket.create_connection(("127.0.0.1", daemon.port))
        connection.sendall(request if number % 2 else stream_request)
        connection.setblocking(False)
        poller.register(connection, select.EPOLLIN)
        crowd[connection.fileno()] = [connection, b""]

    def gather(is_done):
        deadline = time.monotonic() + DEADLINE_S
        while not all(is_done(data) for _, data in crowd.values()):
            check(time.monotonic() < deadline, "not all were told")
            for number, _ in poller.poll(1):
                crowd[number][1] += crowd[number][0].recv(65536)

    # The streams greet; a poll sent before the move is answered by it whether it is parked yet or not.
    is_stream = {number: index % 2 == 0 for index, number in enumerate(crowd)}
    wait = [number for number in crowd if is_stream[number]]
    deadline = time.monotonic() + DEADLINE_S
    while not all(b"retry: 1000" in crowd[number][1] for number in wait):
        check(time.monotonic() < deadline, "a stream did not begin")
        for number, _ in poller.poll(1):
            crowd[number][1] += crowd[number][0].recv(65536)
    move(client, "crowd", "champion", 2)
    gather(lambda data: b'"version":"2"' in data)
    for connection, _ in crowd.values():
        connection.close()
    poller.close()


@case
def followers_take_three_quarters_of_the_connections_and_others_go_on(daemon):
    with Daemon(daemon.binary, options=["--connections-max", "8"]) as small:
        client = small.connect()
        create_model(client, "few")
        move(client, "few", "champion", 1)
        revision = ask_alias(small, "few", "champion")[2]["revision"]
        streams = [follow(small, "model:few") for _ in range(3)]
        polls = [Asking(small, "few", "champion", revision=revision, wait_ms=60000) for _ in range(3)]
        wait_until(lambda: b"trackerd_live_waiters 3\n" in client.raw("GET", "/metrics")[2], "the waiting of three")
        for path in ("events?topics=model:few", f"models/few/aliases/champion?revision={revision}&wait_ms=60000"):
            status, headers, body = client.raw("GET", "/api/trackerd/v1/" + path)
            error = json.loads(body)
            check(status == 503 and error["error_code"] == "TEMPORARILY_UNAVAILABLE", f"{path}: {status} {error}")
            check(error["message"].startswith("6 follow live events or wait for an alias, as many as"), str(error))
            check(headers["Retry-After"] == "1", str(headers))
        check(ask_alias(small, "few", "champion")[2]["revision"] == revision, "a question that does not wait")
        log_metric(client, create_run(client))
        move(client, "few", "champion", 2)
        for poll in polls:
            check(poll.wait()[2]["version"] == "2", "who waited was not told")
        streams.append(follow(small, "model:few"))
        for stream in streams[:3]:
            check(stream.event()["data"]["kind"] == "alias.set", "who follows was not told")
        for stream in streams:
            stream.close()


@case
def trk_events_prints_what_happens_also_after_a_restart(daemon):
    client = daemon.connect()
    create_model(client, "printed")
    trk = os.path.join(sys.argv[1], "trk")
    process = subprocess.Popen([trk, "--url", daemon.url, "events", "model:printed", "--json", "--max", "2"],
                               stdout=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: "trackerd_live_streams 1\n" in client.raw("GET", "/metrics")[2].decode(), "the stream")
        move(client, "printed", "champion", 1)
        first = json.loads(process.stdout.readline())
        check(first["event"] == "model" and first["data"]["kind"] == "alias.set" and first["id"], str(first))
        client.close()
        port = daemon.port
        daemon.kill()
        daemon.start(port)
        delete_alias(daemon.connect(), "printed", "champion")
        second = json.loads(process.stdout.readline())
        check(second["data"]["kind"] == "alias.deleted", str(second))
        check(process.wait(DEADLINE_S) == 0, "trk failed")
    finally:
        process.kill()
        process.wait()


@case
def trk_events_speaks_to_people(daemon):
    """Without --json an event is a line of words."""
    client = daemon.connect()
    create_model(client, "spoken")
    deployment = {"model": "spoken", "version": "1", "environment": "prod", "target": "edge", "host": "h", "path": "/p",
                  "state": "active", "heartbeat_ms": 0, "reason": "first one"}
    wait_until(lambda: "trackerd_live_streams 0\n" in client.raw("GET", "/metrics")[2].decode(), "the end of earlier streams")
    process = subprocess.Popen([os.path.join(sys.argv[1], "trk"), "--url", daemon.url, "events", "model:spoken", "deployment:*",
                                "--max", "2"], stdout=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: "trackerd_live_streams 1\n" in client.raw("GET", "/metrics")[2].decode(), "the stream")
        for send, line in (
            (lambda: move(client, "spoken", "champion", 1), "model       spoken: champion → v1"),
            (lambda: client.call("PUT", f"/api/trackerd/v1/deployments/{'e' * 32}", deployment),
             "deployment  prod/edge: spoken v1 active; first one"),
        ):
            send()
            check(process.stdout.readline().rstrip("\n").startswith(line), line)
        check(process.wait(DEADLINE_S) == 0, "trk failed")
    finally:
        process.kill()
        process.wait()


# ---- the end --------------------------------------------------------------------------------------

@case
def a_daemon_that_stops_ends_streams_and_answers_who_waits(daemon):
    client = daemon.connect()
    create_model(client, "end")
    move(client, "end", "champion", 1)
    revision = ask_alias(daemon, "end", "champion")[2]["revision"]
    streams = [follow(daemon, topics) for topics in ("run:*", "model:end", "deployment:*")]
    asking = Asking(daemon, "end", "champion", revision=revision, wait_ms=300000)
    text = ""

    def is_waiting():
        nonlocal text
        text = client.raw("GET", "/metrics")[2].decode()
        return "trackerd_live_waiters 1\n" in text and "trackerd_live_streams 3\n" in text

    wait_until(is_waiting, "waiting")
    ask_alias(daemon, "end", "champion")  # read behind the long poll's question, which is parked by now
    client.close()
    begin = time.monotonic()
    daemon.stop()
    check(time.monotonic() - begin < DRAIN_S / 2, "the stop waited for those who follow")
    for stream in streams:
        check(stream.event() is None, "a stream was not ended as a whole")
        stream.close()
    check(asking.wait()[0] == 304, "who waited was not answered")
    daemon.start()


if __name__ == "__main__":
    with Daemon(binary(sys.argv), options=["--drain-timeout-ms", str(DRAIN_S * 1000)]) as the_daemon:
        run_cases(the_daemon, only=sys.argv[2] if len(sys.argv) > 2 else "")
