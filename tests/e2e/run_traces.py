#!/usr/bin/env python3
"""Deletions of traces that take more than one transaction: counted exactly, out of others' way, whole after a crash.

Usage: run_traces.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import json
import os
import sqlite3
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, binary  # noqa: E402

DEADLINE_S = 60
V3 = "/api/3.0/mlflow/traces"
PLACE = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
LATEST_MS = 9999999999999
MANY = 700  # several steps of the server's


def add(client, number, spans=False):
    """Trace `number`, one second later than the one before, with a tag and an assessment of its own."""
    info = {"trace_id": f"tr-{number}", "trace_location": PLACE, "state": "OK", "tags": {"number": str(number)},
            "request_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(number)),
            "assessments": [{"assessment_name": "a", "feedback": {"value": number}}]}
    client.call("POST", V3, {"trace": {"trace_info": info}})
    if spans:
        path = f"/api/2.0/mlflow-artifacts/artifacts/0/traces/tr-{number}/artifacts/traces.json"
        status, _, reply = client.raw("PUT", path, json.dumps({"spans": [{"name": str(number)}]}))
        check(status == 200, reply)


def delete(client, **which):
    return client.call("POST", V3 + "/delete-traces", {"experiment_id": "0", **which})["traces_deleted"]


def found(client):
    """All traces, the newest first, over as many pages as it takes."""
    traces, token = [], ""
    while token is not None:
        page = client.call("POST", V3 + "/search", {"locations": [PLACE], "max_results": 500, "page_token": token})
        traces += page.get("traces", [])
        token = page.get("next_page_token")
    return traces


def number_in(data, name, query):
    """One number out of a database of the daemon, which may be running."""
    database = sqlite3.connect(f"file:{os.path.join(data, name)}?mode=ro", uri=True)
    try:
        return database.execute(query).fetchone()[0]
    finally:
        database.close()


def wait_for(condition, message):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        check(time.monotonic() < deadline, message)
        time.sleep(0.02)


@case
def deletions_are_counted_exactly_and_free_the_spans(program):
    with Daemon(program) as daemon:
        client = daemon.connect()
        for number in range(250):
            add(client, number, spans=number % 10 == 0)
        check(number_in(daemon.data, "artifacts.db", "SELECT count(*) FROM blobs") == 25, "not all spans are there")
        check(delete(client, max_timestamp_millis=LATEST_MS, max_traces=100) == 100, "a whole step")
        check(delete(client, max_timestamp_millis=LATEST_MS, max_traces=101) == 101, "a step and one")
        check(delete(client, request_ids=[f"tr-{n}" for n in range(150, 240)]) == 39, "some are gone already")
        rest = found(client)
        check([t["trace_id"] for t in rest] == [f"tr-{n}" for n in range(249, 239, -1)], "others were deleted")
        check(all(t["tags"]["number"] == t["trace_id"][3:] and t["assessments"] for t in rest), "a trace lost a part")
        wait_for(lambda: number_in(daemon.data, "artifacts.db", "SELECT count(*) FROM blobs") == 1,
                 "the spans of deleted traces stay")
        status, _, _ = client.raw("GET", "/api/3.0/mlflow/get-trace-artifact?request_id=tr-240")
        check(status == 200, "the spans of a trace that stays are gone")


@case
def others_write_while_many_traces_are_deleted(program):
    with Daemon(program) as daemon:
        client = daemon.connect()
        for number in range(MANY):
            add(client, number)
        deleted = []
        thread = threading.Thread(
            target=lambda: deleted.append(delete(daemon.connect(), max_timestamp_millis=1000 * (MANY - 1))))
        thread.start()
        during = 0
        while thread.is_alive():
            add(client, 2000 + during)
            during += 1
        thread.join()
        check(deleted == [MANY], f"deleted {deleted}")
        check(during > 1, "nobody could write before the deletion was done")
        check(len(found(client)) == during, "traces that came meanwhile are missing")


@case
def a_deletion_that_is_killed_leaves_whole_traces(program):
    with Daemon(program) as daemon:
        client = daemon.connect()
        for number in range(MANY):
            add(client, number)

        def delete_all():
            try:
                delete(daemon.connect(), max_timestamp_millis=LATEST_MS)
            except OSError:
                pass  # the daemon went away
            except Exception as problem:  # http.client words the same in several ways
                check("closed" in str(problem).lower() or "incomplete" in type(problem).__name__.lower(), problem)

        thread = threading.Thread(target=delete_all)
        thread.start()
        wait_for(lambda: number_in(daemon.data, "tracker.db", "SELECT count(*) FROM traces") < MANY, "nothing is deleted")
        daemon.kill()
        thread.join(DEADLINE_S)
        daemon.start()
        client = daemon.connect()
        rest = found(client)
        check(len(rest) % 100 == 0, f"a step was cut: {len(rest)} traces stay")
        check([t["trace_id"] for t in rest] == [f"tr-{n}" for n in range(MANY - 1, MANY - 1 - len(rest), -1)],
              "not the oldest were deleted")
        check(all(t["tags"]["number"] == t["trace_id"][3:] and t["assessments"] for t in rest), "a trace lost a part")
        check(delete(client, max_timestamp_millis=LATEST_MS) == len(rest), "the rest is not deleted")
        for table in ("trace_tags", "trace_metadata", "assessments"):
            check(number_in(daemon.data, "tracker.db", f"SELECT count(*) FROM {table}") == 0, f"{table} has rows left")


if __name__ == "__main__":
    run_cases(binary(sys.argv), only=sys.argv[2] if len(sys.argv) > 2 else "")
