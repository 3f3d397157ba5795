#!/usr/bin/env python3
"""Values that are right in kind and hostile in measure: nested deeply, of great length or number, slow to match, at
odds with what is there. They are taken or refused in bounded time and memory, and others are served meanwhile.

Usage: run_hostile_values.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, binary  # noqa: E402

TRACES = "/api/3.0/mlflow/traces"
IMPORT = "/api/trackerd/v1/import/"
UPLOADS = "/api/trackerd/v1/uploads/"
MPU = "/api/2.0/mlflow-artifacts/mpu/"
PLACE = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
JSON = {"Content-Type": "application/json"}
MIB = 1 << 20
LONG = MIB - 1000          # what a query of GraphQL may be long, but for its frame
GROWTH_MAX = 256 * MIB    # what a request of 16 MiB may leave with the allocator
QUERY_TIMEOUT_MS = 1000
SLOW_S_MAX = 20           # for a query of that limit, under sanitizers on a busy machine


def memory(daemon):
    """Resident bytes now."""
    with open(f"/proc/{daemon.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def is_sanitized(daemon):
    """Sanitizers keep freed memory: then figures of memory mean nothing."""
    with open(f"/proc/{daemon.process.pid}/maps") as file:
        return "san.so" in file.read()


def ask(client, method, path, text, headers=JSON):
    """(status, decoded reply); never a 5xx, and the connection goes on."""
    status, _, reply = client.raw(method, path, text, headers)
    check(status < 500, f"{method} {path}: {status} {reply[:300]}")
    return status, json.loads(reply) if reply else None


def trace(trace_id, **more):
    return {"trace": {"trace_info": dict({"trace_id": trace_id, "trace_location": PLACE, "state": "OK",
                                          "request_time": "2026-01-01T00:00:00Z"}, **more)}}


def nested(depth, opening, inner, closing):
    return opening * depth + inner + closing * depth


@case
def deep_values(program):
    """Values nested up to the reader's limit come back as they were; deeper ones are refused, however deep."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        client.call("POST", TRACES, trace("tr-deep"))
        taken = set()
        for opening, inner, closing in (("[", "1", "]"), ('{"a":', "1", "}")):
            for depth in list(range(1, 101)) + [1000, 100000]:
                value = nested(depth, opening, inner, closing)
                for part in (f'"feedback": {{"value": {value}}}', f'"expectation": {{"value": {value}}}'):
                    body = f'{{"assessment": {{"assessment_name": "a", "source": {{"source_type": "HUMAN"}}, {part}}}}}'
                    status, reply = ask(client, "POST", f"{TRACES}/tr-deep/assessments", body)
                    check(status in (200, 400), f"depth {depth}: {status}")
                    if status == 200:
                        taken.add(depth)
                        made = reply["assessment"]
                        stored = made["feedback" if "feedback" in part else "expectation"]["value"]
                        check(json.dumps(stored).replace(" ", "") == value, f"depth {depth}: {stored}")
                        read = client.call("GET", f"{TRACES}/tr-deep/assessments/{made['assessment_id']}")
                        check(read == reply, f"depth {depth}: {read}")
        check(taken == set(range(1, max(taken) + 1)) and 10 < max(taken) < 100,
              f"depths that are taken: {sorted(taken)}")
        client.call("GET", f"{TRACES}/tr-deep")


@case
def long_values(program):
    """Values and lists of many megabytes: taken or refused as a whole, and memory comes back."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        client.call("POST", TRACES, trace("tr-long"))
        before = memory(daemon)
        many = {f"k{i}": "v" for i in range(100000)}
        rows = [
            ("POST", f"{TRACES}/tr-long/assessments", {"assessment": {
                "assessment_name": "a", "source": {"source_type": "HUMAN"}, "feedback": {"value": "x" * 15 * MIB}}}),
            ("POST", f"{TRACES}/tr-long/assessments", {"assessment": {
                "assessment_name": "a", "source": {"source_type": "HUMAN"}, "feedback": {"value": [0] * 1000000}}}),
            ("POST", f"{TRACES}/tr-long/assessments", {"assessment": {
                "assessment_name": "a", "source": {"source_type": "HUMAN"}, "feedback": {"value": 1},
                "metadata": many}}),
            ("POST", TRACES, trace("tr-tags", tags=many)),
            ("POST", TRACES, trace("tr-metadata", trace_metadata=many)),
            ("POST", TRACES, trace("tr-preview", request_preview="x" * 15 * MIB)),
            ("POST", TRACES, trace("tr-assessments", assessments=[{"assessment_name": "a"}] * 100000)),
            ("POST", TRACES + "/search", {"locations": [PLACE] * 100000}),
            ("POST", TRACES + "/search", {"locations": [PLACE], "order_by": ["timestamp_ms DESC"] * 100000}),
            ("POST", "/api/2.0/mlflow/logged-models", {"experiment_id": "0",
                                                       "tags": [{"key": k, "value": "v"} for k in many]}),
            ("POST", "/api/2.0/mlflow/logged-models/search", {"experiment_ids": ["0"],
                                                              "datasets": [{"dataset_name": "d"}] * 100000}),
            ("POST", "/api/2.0/mlflow/webhooks", {"name": "w", "url": "https://hooks.example/" + "x" * MIB,
                                                  "events": [{"entity": "PROMPT", "action": "CREATED"}] * 100000}),
            ("POST", IMPORT + "experiment", {"experiment_id": "5", "name": "n",
                                             "tags": [{"key": k, "value": "v"} for k in many]}),
        ]
        for method, path, body in rows:
            begin = time.monotonic()
            status, reply = ask(client, method, path, json.dumps(body))
            print(f"        {path} {next(iter(body))}: {status} in {time.monotonic() - begin:.1f} s")
            check(status in (200, 400, 413), f"{path}: {status} {str(reply)[:200]}")
        for read in (f"{TRACES}/tr-long", f"{TRACES}/tr-tags", f"{TRACES}/tr-metadata"):
            ask(client, "GET", read, None, {})
        grown = memory(daemon) - before
        check(is_sanitized(daemon) or grown <= GROWTH_MAX, f"memory grew by {grown / MIB:.0f} MiB")


@case
def thousands_of_tags(program):
    """A trace with thousands of tags and metadata is stored, searched and read like others, and can be deleted."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        pairs = {f"key-{i:04}": f"value {i}" for i in range(5000)}
        client.call("POST", TRACES, trace("tr-5000", tags=pairs, trace_metadata=pairs))
        info = client.call("GET", f"{TRACES}/tr-5000")["trace"]["trace_info"]
        check(info["trace_metadata"] == pairs and pairs.items() <= info["tags"].items(), "some are missing")
        found = client.call("POST", TRACES + "/search", {"locations": [PLACE],
                                                         "filter": "tags.`key-4999` = 'value 4999'"})
        check([t["trace_id"] for t in found["traces"]] == ["tr-5000"], "it is not found")
        client.call("POST", TRACES + "/delete-traces", {"experiment_id": "0", "request_ids": ["tr-5000"]})
        check(ask(client, "GET", f"{TRACES}/tr-5000", None, {})[0] == 404, "it is still there")


@case
def slow_patterns(program):
    """Patterns that are slow to match end with the query's time limit at the latest, and hold up nobody."""
    with Daemon(program, options=["--query-timeout-ms", str(QUERY_TIMEOUT_MS)]) as daemon:
        client, other = daemon.connect(), daemon.connect()
        for i in range(200):
            client.call("POST", TRACES, trace(f"tr-slow-{i}", tags={"slow": "a" * 8000,
                                                                    "mlflow.traceName": "a" * 8000}))
        members = "bcdefghij" * 100
        patterns = ["(a+)+$!", "(a|aa)+!", "(a*)*b!", "(a?){300}a{300}b", "(.*)(.*)(.*)(.*)!",
                    f"[{members}a]{{0,400}}!!",
                    r"(\\w|\\w\\w)*\\W!", "(?i)" + "(A|a)*" * 100 + "b", "a{999}", "(((a{9}){9}){9})"]
        for field in ("trace.name", "tags.slow"):
            for pattern in patterns + ["%" + "a%" * 1000 + "b", "%a" * 4000]:
                operator = "LIKE" if "%" in pattern else "RLIKE"
                begin = time.monotonic()
                body = {"locations": [PLACE], "filter": f"{field} {operator} '{pattern}'"}
                status, _, reply = client.raw("POST", TRACES + "/search", json.dumps(body), JSON)
                seconds = time.monotonic() - begin
                check(status in (200, 400, 503), f"{pattern[:50]}: {status} {reply[:200]}")
                check(status != 503 or b"took too long" in reply, f"{pattern[:50]}: {reply[:200]}")
                check(seconds < SLOW_S_MAX, f"{pattern[:50]}: {seconds:.1f} s")
                other.call("GET", "experiments/get?experiment_id=0")


@case
def absurd_parts(program):
    """Uploads in parts with absurd numbers, sizes and names of uploads: refused, and the upload goes on."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        for num_parts in (-1, -(1 << 63), 10001, 1 << 31, 1 << 40, (1 << 63) - 1):
            status, _ = ask(client, "POST", MPU + "create/m", json.dumps({"path": "f", "num_parts": num_parts}))
            check(status == 400, f"{num_parts} parts: {status}")
        made = client.call("POST", MPU + "create/m", {"path": "f", "num_parts": 1})
        upload = made["upload_id"]
        for number in ("0", "-1", "10001", "2147483648", "9223372036854775807", "9223372036854775808", "1e3", "0x1",
                       "", "1.0", "+1"):
            status, _ = ask(client, "PUT", f"{UPLOADS}{upload}/parts/{number}", b"x", {})
            check(status in (400, 404, 405), f"part {number!r}: {status}")
        for other in ("x", "0" * 32, "..", upload[:-1], upload + "0", upload.upper() + "%00"):
            status, _ = ask(client, "PUT", f"{UPLOADS}{other}/parts/1", b"x", {})
            check(status in (400, 404), f"upload {other!r}: {status}")
        status, headers, _ = client.raw("PUT", f"{UPLOADS}{upload}/parts/1", b"whole")
        check(status == 200, f"a good part: {status}")
        part = {"part_number": 1, "etag": headers["ETag"]}
        for parts in ([], [{}], [dict(part, part_number=n) for n in (0,)], [dict(part, part_number=-1)], [part, part],
                      [dict(part, part_number=2)], [dict(part, etag="x")], [dict(part, etag="")],
                      [part, dict(part, part_number=3)],
                      [dict(part, part_number=(1 << 63) - 1)], [part] * 10001):
            for name in ("complete", "complete/m/deep", "complete/m"):
                body = json.dumps({"path": "f", "upload_id": upload, "parts": parts})
                status, reply = ask(client, "POST", MPU + name, body)
                check(400 <= status < 500, f"{name} {str(parts)[:80]}: {status} {str(reply)[:200]}")
        client.call("POST", MPU + "complete/m", {"path": "f", "upload_id": upload, "parts": [part]})
        check(client.raw("GET", "/api/2.0/mlflow-artifacts/artifacts/m/f")[2] == b"whole", "the file is another")


@case
def graphql_at_its_limits(program):
    """The most that a query may ask for is answered in bounded time and bytes; more is refused."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        client.call("POST", "runs/create", {"experiment_id": "0"})
        field = ('{name}: mlflowSearchRuns(input: {{experimentIds: ["0"], maxResults: 50000}})'
                 ' {{ runs {{ info {{ {inner} }} }} }}')
        rows = {
            "as many roots as may be": " ".join(field.format(name=f"r{i}", inner="runId") for i in range(10)),
            "one root more": " ".join(field.format(name=f"r{i}", inner="runId") for i in range(11)),
            "a thousand roots": " ".join(field.format(name=f"r{i}", inner="runId") for i in range(1000)),
            "as many aliases as may be": field.format(name="r", inner=" ".join(f"a{i}: runId" for i in range(10))),
            "many aliases": field.format(name="r", inner=" ".join(f"a{i}: runId" for i in range(2000))),
            "the same field often": field.format(name="r", inner="runId " * (LONG // 6)),
            "a long comment": "# " + "x" * LONG + "\n__typename",
            "a long text": 'mlflowGetRun(input: {runId: "' + "x" * LONG + '"}) { apiError { code message } }',
            "a long list": "mlflowSearchRuns(input: {experimentIds: [" + '"0",' * (LONG // 6) + "]}) { nextPageToken }",
        }
        for what, query in rows.items():
            begin = time.monotonic()
            status, reply = ask(client, "POST", "/graphql", json.dumps({"query": "{ " + query + " }"}))
            seconds = time.monotonic() - begin
            print(f"        {what}: {status} in {seconds:.1f} s, {str(reply.get('errors'))[:70]}")
            check(seconds < SLOW_S_MAX, f"{what}: {seconds:.1f} s")
            if what in ("as many roots as may be", "as many aliases as may be"):
                check(status == 200 and reply["errors"] is None, f"{what}: {str(reply)[:300]}")
            if what in ("one root more", "a thousand roots", "many aliases"):
                check(reply.get("errors"), f"{what}: {str(reply)[:300]}")
        # A fragment that doubles with each level.
        fragments = " ".join(f"fragment F{i} on MlflowRunInfo {{ ...F{i + 1} ...F{i + 1} }}" for i in range(30))
        query = field.format(name="r", inner="...F0")
        status, reply = ask(client, "POST", "/graphql", json.dumps(
            {"query": "{ " + query + " } " + fragments + " fragment F30 on MlflowRunInfo { runId }"}))
        check(reply.get("errors"), f"doubling fragments: {status} {str(reply)[:300]}")


@case
def odd_if_none_match(program):
    """If-None-Match of any form gives 304 only for the right tag, else the whole reply, or 431 for too long a head."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        path = "/api/2.0/mlflow/experiments/get?experiment_id=0"
        status, headers, whole = client.raw("GET", path)
        etag = headers["ETag"]
        rows = {"": 200, ",": 200, ", ,": 200, '"': 200, '""': 200, "W/": 200, 'W/"': 200, "*": 200, etag + "x": None,
                etag[:-1]: 200, f'"a", {etag}': 304, ",".join(['"x"'] * 1000) + "," + etag: 304, "x" * 12000: 200,
                '"' + "\x01" * 10 + '"': None, '"\xff"': None, "W/" * 1000: 200, etag[3:-1]: 200, "\t" + etag: 304}
        for value, expected in rows.items():
            status, _, reply = client.raw("GET", path, None, {"If-None-Match": value.encode("latin-1")})
            check(status in ((expected,) if expected else (200, 304, 400)), f"{value[:60]!r}: {status}")
            check(status != 200 or reply == whole, f"{value[:60]!r}: {reply[:200]}")
            check(status != 304 or reply == b"", f"{value[:60]!r}: a body")
        for value in ("x" * 17000, ",".join([etag] * 1000)):
            other = daemon.connect()
            status = other.raw("GET", path, None, {"If-None-Match": value})[0]
            check(status == 431, f"{len(value)} bytes: {status}")
            other.close()
        status, _, _ = client.raw("POST", "/api/2.0/mlflow/runs/create", "{}", dict(JSON, **{"If-None-Match": etag}))
        check(status == 200, f"a write: {status}")


@case
def inconsistent_imports(program):
    """Imports whose parts are at odds with each other or with what is there: refused by name, or taken without harm."""
    with Daemon(program) as daemon:
        client = daemon.connect()
        run, model = "1" * 32, "m-" + "1" * 32
        client.call("POST", IMPORT + "experiment", {"experiment_id": "70", "name": "imported"})
        client.call("POST", IMPORT + "run", {"run_id": run, "experiment_id": "70", "is_whole": True})
        whole = client.call("GET", f"runs/get?run_id={run}")
        rows = [
            ("run", {"run_id": run, "experiment_id": "0", "is_whole": True}),
            ("run", {"run_id": run, "experiment_id": "70", "params": [{"key": "p", "value": "1"},
                                                                       {"key": "p", "value": "2"}]}),
            ("run", {"run_id": "2" * 32, "experiment_id": "424242"}),
            ("run", {"run_id": "2" * 32, "experiment_id": "-1"}),
            ("run", {"run_id": "2" * 31, "experiment_id": "70"}),
            ("run", {"run_id": "../" * 10 + "xx", "experiment_id": "70"}),
            ("run", {"run_id": "3" * 32, "experiment_id": "70", "start_time": -(1 << 63), "end_time": (1 << 63) - 1}),
            ("run", {"run_id": "4" * 32, "experiment_id": "70", "model_inputs": ["m-none"],
                     "model_outputs": [{"model_id": "m-none"}]}),
            ("run", {"run_id": "5" * 32, "experiment_id": "70", "status": "NO SUCH"}),
            ("run", {"run_id": "6" * 32, "experiment_id": "70", "metrics": [
                {"key": "m", "value": "NaN", "timestamp": (1 << 63) - 1, "step": -(1 << 63)}] * 3}),
            ("run", {"run_id": "7" * 32, "experiment_id": "70", "is_whole": True,
                     "source_artifact_uri": "file:///etc/passwd"}),
            ("logged-model", {"model_id": model, "experiment_id": "424242", "name": "m"}),
            ("logged-model", {"model_id": "../../etc", "experiment_id": "70", "name": "m"}),
            ("logged-model", {"model_id": model, "experiment_id": "70", "name": "m", "source_run_id": "e" * 32,
                              "metrics": [
                {"key": "a", "value": 1, "timestamp": 1, "run_id": "e" * 32}]}),
            ("logged-model", {"model_id": model, "experiment_id": "0", "name": "m"}),
            ("model-version", {"name": "no such model", "version": "1"}),
            ("model", {"name": "reg", "creation_time": (1 << 63) - 1}),
            ("model-version", {"name": "reg", "version": "0"}),
            ("model-version", {"name": "reg", "version": "-5"}),
            ("model-version", {"name": "reg", "version": "9223372036854775807"}),
            ("model-version", {"name": "reg", "version": "3", "run_id": "e" * 32,
                               "aliases": ["a", "a", "latest", "v1", ""]}),
            ("model-version", {"name": "reg", "version": "4", "stage": "NO SUCH", "status": "NO SUCH"}),
            ("experiment", {"experiment_id": "9223372036854775807", "name": "last"}),
            ("experiment", {"experiment_id": "-3", "name": "negative"}),
            ("experiment", {"experiment_id": "71", "name": "imported",
                            "artifact_location": "mlflow-artifacts:/../../x"}),
        ]
        for kind, body in rows:
            status, reply = ask(client, "POST", IMPORT + kind, json.dumps(body))
            print(f"        {kind} {str(body)[:60]}: {status} {reply.get('message', '')[:70]}")
            check(status == 200 or "error_code" in reply, f"{kind} {str(body)[:80]}: {status}")
        after = client.call("GET", f"runs/get?run_id={run}")
        check(after["run"]["info"]["experiment_id"] == whole["run"]["info"]["experiment_id"], "the run moved")
        # Whatever was taken: the usual requests still work beside it.
        client.call("POST", "experiments/create", {"name": "after the import"})
        client.call("POST", "runs/search", {"experiment_ids": ["0", "70"]})
        client.call("GET", "experiments/search?max_results=1000")
        client.call("POST", "model-versions/create", {"name": "reg", "source": "s3://bucket/m"})
        client.call("GET", "registered-models/search")


if __name__ == "__main__":
    run_cases(binary(sys.argv), only=sys.argv[2] if len(sys.argv) > 2 else "")
