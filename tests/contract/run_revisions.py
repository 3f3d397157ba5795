#!/usr/bin/env python3
"""Conditional reads: 304 while nothing was written, and never when something was.

Usage: run_revisions.py FOLDER_OF_BINARIES
"""
import json
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, binary  # noqa: E402

API = "/api/2.0/mlflow/"


def read(client, method, path, body=None, etag=None):
    """(status, ETag, reply)"""
    headers = {"Content-Type": "application/json"} if body else {}
    if etag is not None:
        headers["If-None-Match"] = etag
    status, reply_headers, reply = client.raw(method, path, json.dumps(body) if body else None, headers)
    return status, reply_headers["ETag"], reply


def reads_of(run_id):
    """One read of each kind: (method, path, body)."""
    return [("GET", f"{API}runs/get?run_id={run_id}", None),
            ("POST", API + "runs/search", {"experiment_ids": ["0"], "filter": "metrics.loss < 5"}),
            ("GET", API + "experiments/get?experiment_id=0", None),
            ("GET", API + "experiments/search?max_results=10", None),
            ("GET", f"{API}metrics/get-history?run_id={run_id}&metric_key=loss", None),
            ("GET", f"/api/trackerd/v1/metrics/summary?run_ids={run_id}", None),
            ("GET", f"{API}artifacts/list?run_id={run_id}", None),
            ("GET", API + "registered-models/search", None),
            ("GET", API + "model-versions/search", None)]


@case
def nothing_was_written(client):
    """While nothing is written a read is answered 304 without a body, and its ETag stays."""
    run_id = client.call("POST", "runs/create", {})["run"]["info"]["run_id"]
    for method, path, body in reads_of(run_id):
        status, etag, reply = read(client, method, path, body)
        check(status == 200 and etag.startswith('W/"'), f"{path}: {status} {etag}")
        for known in (etag, f'"x", {etag}', etag[2:]):
            again, etag_again, empty = read(client, method, path, body, known)
            check((again, etag_again, empty) == (304, etag, b""), f"{path} {known}: {again} {etag_again} {empty[:100]}")
        for unknown in ('"x"', "*", etag[:-3] + '"', ""):
            status, _, whole = read(client, method, path, body, unknown)
            check((status, whole) == (200, reply), f"{path} {unknown}: {status}")


@case
def each_write_is_seen(client):
    """After any write that was acknowledged a read is whole again, and shows it."""
    run_id = client.call("POST", "runs/create", {})["run"]["info"]["run_id"]
    rows = reads_of(run_id)
    writes = [("runs/log-metric", {"run_id": run_id, "key": "loss", "value": 1.5, "timestamp": 1}),
              ("runs/set-tag", {"run_id": run_id, "key": "k", "value": "v"}),
              ("registered-models/create", {"name": "m"}),
              ("experiments/create", {"name": "other"}),
              ("runs/delete", {"run_id": run_id})]
    for path, body in writes:
        before = [read(client, *row) for row in rows]
        client.call("POST", path, body)
        after = [read(client, *row, etag) for row, (_, etag, _) in zip(rows, before)]
        check(all(status == 200 for status, _, _ in after), f"{path}: {[status for status, _, _ in after]}")
        check(any(old[2] != new[2] for old, new in zip(before, after)), f"{path} changed no reply")


@case
def etags_belong_to_their_request(client):
    """The ETag of one request is unknown to another, to errors, and to another start."""
    run_id = client.call("POST", "runs/create", {})["run"]["info"]["run_id"]
    rows = reads_of(run_id)
    etags = [read(client, *row)[1] for row in rows]
    check(len(set(etags)) == len(rows), "two requests have one ETag")
    for row in rows:
        status, _, _ = read(client, *row, ", ".join(etag for etag, other in zip(etags, rows) if other != row))
        check(status == 200, f"{row}: {status}")
    status, etag, _ = read(client, "GET", API + "runs/get?run_id=" + "0" * 32)
    check((status, etag) == (404, None), f"an error: {status} {etag}")
    with Daemon(binary(sys.argv)) as other:
        again = other.connect()
        again.call("POST", "runs/create", {})
        for row, etag in zip(rows[1:3], etags[1:3]):
            check(read(again, *row, etag)[0] == 200, f"{row} after another start")


@case
def readers_beside_a_writer(client):
    """A reader that only ever asks conditionally ends with what the writer wrote last."""
    run_id = client.call("POST", "runs/create", {})["run"]["info"]["run_id"]
    path = f"{API}runs/get?run_id={run_id}"
    is_done = threading.Event()
    failures = []

    def watch(port_client):
        etag, seen = None, -1
        while True:
            last_round = is_done.is_set()
            status, new_etag, reply = read(port_client, "GET", path, None, etag)
            if status == 200:
                tags = {t["key"]: t["value"] for t in json.loads(reply)["run"]["data"]["tags"]}
                now = int(tags.get("n", -1))
                if now < seen:
                    failures.append(f"{now} after {seen}")
                etag, seen = new_etag, now
            if last_round:
                break
        if seen != 299:
            failures.append(f"the last that was seen is {seen}")

    watchers = [threading.Thread(target=watch, args=(DAEMON.connect(),)) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    for n in range(300):
        client.call("POST", "runs/set-tag", {"run_id": run_id, "key": "n", "value": str(n)})
    is_done.set()
    for watcher in watchers:
        watcher.join()
    check(not failures, "; ".join(failures))


def main():
    global DAEMON
    with Daemon(binary(sys.argv)) as DAEMON:
        run_cases(DAEMON.connect(), only=sys.argv[2] if len(sys.argv) > 2 else "")


if __name__ == "__main__":
    main()
