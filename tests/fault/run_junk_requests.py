#!/usr/bin/env python3
"""Junk for every route: each field of the routing table gets values of every JSON type, each body, query and path the
usual nonsense. What comes back is MLflow's error with a status of 4xx, never a 5xx, never silence, and the daemon is up.

Usage: run_junk_requests.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import http.client
import io
import itertools
import json
import os
import re
import subprocess
import sys
import tarfile
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, binary  # noqa: E402

REPLY_DEADLINE_S = 30
BODY_BYTES_MAX = 16 * 1024 * 1024  # trackerd/limits.h
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"
V1 = "/api/trackerd/v1/"

# What a JSON text of each kind looks like on the wire. Not all can be made by json.dumps.
JUNK = {
    "null": ["null"],
    "boolean": ["true", "false"],
    "integer": ["0", "-1", "1", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809"],
    "number": ["0.5", "-0.0", "1e308", "-1e-320", "1E400", "1e99999999999"],
    "string": ['""', '"x"', '" "', '"\\u0000"', '"\\ud800"', '"\\udfff\\ud800"', '"a\\nb"', '"\\u202e"', '"%s%n"', '"1"',
               '"-1"', '"1e400"', '"NaN"', "\"'; DROP TABLE runs; --\"", '"../../etc/passwd"', '"true"', '"🙂"',
               '"' + "x" * 20000 + '"', '"' + "ü" * 300 + '"'],
    "array": ["[]", "[null]", "[1]", '["x"]', "[[]]", "[{}]", '["' + '","'.join(["y"] * 2000) + '"]',
              "[" * 40 + "]" * 40],
    "object": ["{}", '{"a":1}', '{"key":"k"}', '{"key":null}', '{"key":[]}', '{"a":"1","a":"2"}', '{"":""}',
               '{"' + "k" * 300 + '":"' + "v" * 9000 + '"}', "{" + ",".join(f'"k{i}":"v"' for i in range(2000)) + "}",
               '{"a":' * 40 + "1" + "}" * 40],
}
# Which kinds a field may take without being wrong. Text stands for numbers, too; null is absent.
TAKES = {"string": {"string"}, "integer": {"integer", "number", "string"}, "number": {"integer", "number", "string"},
         "boolean": {"boolean", "string"}, "enum": {"integer", "string"}, "strings": {"array"}, "objects": {"array"},
         "object": {"object"}, "map": {"object"},
         "raw": {"string", "integer", "number", "boolean", "array", "object"}}
ASKED_FOR = {"models"}  # required, but may be empty
BODIES = [b"", b" ", b"{", b"}", b"[]", b"null", b"1", b'"x"', b"{}{}", b"{} x", b'{"a":}', b'{"a" 1}', b"{'a':1}",
          b'{"a":1,}', b'{"a":01}', b'{"a":.5}', b'{"a":+1}', b'{"a":NaN}', b'{"a":"\xff"}', b'{"a":"\xc0\x80"}',
          b'{"a":"\t"}', b'\xef\xbb\xbf{}', b'{"a":"\\x"}', b'{"a":"\\u12"}', b'{"a":1\x00}', b"[" * 100000,
          b'{"a":' * 5000, b'{"a":"' + b"x" * 100, b"<xml/>", b"a=1&b=2", bytes(range(256))]
QUERY_VALUES = ["", "x", "0", "-1", "1.5", "99999999999999999999", "true", "%00", "%ff", "%", "%zz", "%2", "a%20b",
                "a+b", "%F0%9F%99%82", "'", "\"", "x" * 8000, "..%2f..%2fetc", "[]", "{}", "null", "NaN"]
PATHS = ["..", "../x", "a/../b", "a/..", "%2e%2e", "%2e%2e/x", "a/%2e%2e/b", "..%2fx", "a%2f..%2fb", "%2fetc%2fpasswd",
         "/etc/passwd", "a%00b", "%00", "%ff%fe", "%c0%ae%c0%ae", "x" * 1025,
         "a/" * 600 + "b", "a%5c..%5cb"]
MODEL_JSON = '{"artifact_path": "m", "run_id": "x", "utc_time_created": "2026-01-01 00:00:00", "flavors": {"f": {}}}'
# For an argument of a path.
ARGUMENTS = ["0", "-1", "1.5", "99999999999999999999", "x", "x" * 251, "x" * 8000, "..", ".", "%2e%2e", "a%2fb",
             "%00", "%ff",
             "%", "%zz", "%20", "a+b", "%F0%9F%99%82", "'", "%22", "tr-", "a-", "m-" + "0" * 32,
             "e" * 32, "null", "%0a", "{}"]
GRAPHQL = ["{", "}", "{}", "query", "query {", "{ x }", "{ __schema { types { name } } }", "{ __typename }",
           "mutation { x }",
           "subscription { x }", "query a { __typename } query a { __typename }",
           "{ ...F } fragment F on Query { ...F }",
           "{ ...F }", "fragment F on Query { __typename }", "query($a: Nothing) { __typename }",
           "query($a: Int!) { __typename }",
           "{ mlflowGetRun { run { info { runId } } } }", "{ mlflowGetRun(input: 1) { apiError { code } } }",
           "{ mlflowGetRun(input: {runId: $x}) { apiError { code } } }",
           "{ mlflowGetRun(input: {runId: {}}) { apiError { code } } }",
           "{ mlflowGetRun(input: {runId: \"no\"}) { apiError { code message } } }",
           "{ mlflowSearchRuns(input: {experimentIds: [\"0\"], filter: \"metrics.\"}) { runs { info { runId } } } }",
           "{ mlflowSearchRuns(input: {maxResults: 99999999999999999999}) { nextPageToken } }",
           "{ mlflowSearchRuns(input: {experimentIds: [[[\"0\"]]]}) { nextPageToken } }",
           "{ __typename @skip }", "{ __typename @include(if: 1) }", "\"\"\"", "{ a(b: \"\\u12\") }", "#",
           "\ufeff{ __typename }",
           "{" * 10000, "{a" * 10000 + "}" * 10000, "{ " + "__typename " * 5000 + "}", "[" * 10000,
           "{ a(b: " + "[" * 10000]
ODD_PATHS = {".": "", "./x": "x", "a/./b": "a/b", "~root": "~root", "C:%5cx": "C:\\x", "a%": "a%",
             "a%2": "a%2", "a%zz": "a%zz", "a%0ab": "a%0Ab", "a%7fb": "a%7Fb"}  # and where they may lead


def routes(folder):
    done = subprocess.run([os.path.join(folder, "routes_dump")], capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    check(len(rows) > 60, f"only {len(rows)} routes")
    return rows


class Peer:
    """Sends requests and judges the replies; keeps its connection while the daemon does."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.client = None
        self.count = 0
        self.statuses = {}

    def ask(self, method, path, body=None, allowed=(), headers=None):
        """The status, which is of 4xx with MLflow's error, or one of `allowed`."""
        what = f"{method} {path[:200]} {(body or b'')[:200]!r}"
        if self.client is None:
            self.client = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=REPLY_DEADLINE_S)
        try:
            self.client.request(method, path, body, headers or {})
            reply = self.client.getresponse()
            text = reply.read()
        except OSError as silence:
            raise AssertionError(f"{what}: {silence!r}; the daemon's status is {self.daemon.process.poll()}\n" +
                                 "".join(self.daemon.log_lines[-40:])) from silence
        if reply.will_close:
            self.client = None
        self.count += 1
        self.statuses[reply.status] = self.statuses.get(reply.status, 0) + 1
        if reply.status in allowed and reply.status < 400:
            return reply.status
        check(400 <= reply.status < 500 or reply.status in allowed, f"{what}: {reply.status} {text[:500]}")
        if method != "HEAD":
            check_error(what, reply, text)
        return reply.status


def check_error(what, reply, text):
    check(reply.headers["Content-Type"] == "application/json", f"{what}: {reply.headers['Content-Type']}")
    error = json.loads(text.decode("utf-8"))
    check(set(error) == {"error_code", "message"} and re.fullmatch("[A-Z_]+", error["error_code"]), f"{what}: {text}")
    check(len(error["message"]) > 10, f"{what}: {text}")
    inside = re.search(r"sqlite|/tmp/|SELECT |INSERT |\.c:\d|0x[0-9a-f]{6}|no such (table|column)", error["message"])
    check(not inside or "passwd" in what, f"{what}: the message gives away {inside and inside.group()}")


class World:
    """Things to point at; made anew for each route, since good requests may delete them."""

    def __init__(self, client, number):
        name = f"junk-{number}"
        self.experiment = client.call("POST", "experiments/create", {"name": name})["experiment_id"]
        self.run = client.call("POST", "runs/create", {"experiment_id": self.experiment})["run"]["info"]["run_id"]
        client.call("POST", "registered-models/create", {"name": name})
        self.source = f"mlflow-artifacts:/{self.experiment}/{self.run}/artifacts/model"
        client.call("POST", "model-versions/create", {"name": name, "source": self.source, "run_id": self.run})
        client.call("POST", "registered-models/alias", {"name": name, "alias": "a", "version": "1"})
        self.name = name
        model = client.call("POST", "logged-models", {"experiment_id": self.experiment})["model"]["info"]["model_id"]
        place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": self.experiment}}
        trace = {"trace_id": f"tr-{number:032x}", "trace_location": place, "state": "OK",
                 "request_time": "2026-01-01T00:00:00Z"}
        client.call("POST", "/api/3.0/mlflow/traces", {"trace": {"trace_info": trace}})
        hook = {"name": name, "url": "https://hooks.example/x",
                "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]}
        hook_id = client.call("POST", "webhooks", hook)["webhook"]["webhook_id"]
        upload = client.call("POST", "/api/2.0/mlflow-artifacts/mpu/create/junk", {"path": "f"})["upload_id"]
        self.ids = {"model_id": model, "trace_id": trace["trace_id"], "request_id": trace["trace_id"],
                    "webhook_id": hook_id, "upload_id": upload, "part_number": "1", "name": name, "alias": "a",
                    "deployment_id": f"{number:032x}"}
        assessment = {"assessment_name": "a", "source": {"source_type": "HUMAN", "source_id": "s"},
                      "feedback": {"value": {"score": [1, None]}}, "metadata": {"k": "v"}}
        made = client.call("POST", f"/api/3.0/mlflow/traces/{trace['trace_id']}/assessments",
                           {"assessment": assessment})
        self.ids["assessment_id"] = made["assessment"]["assessment_id"]
        # Messages that are whole, so that junk inside them gets as far as it can.
        self.parts = {"trace_info": dict(trace, trace_metadata={"m": "1"}, tags={"t": "1"}, assessments=[assessment]),
                      "trace_location": place, "mlflow_experiment": place["mlflow_experiment"],
                      "assessment": assessment,
                      "events": hook["events"], "url": hook["url"], "locations": [place]}

    def path(self, route):
        """The route's path with things that are there, as far as the world has them."""
        return re.sub(r"\{(\w+)(\.\.\.)?\}", lambda match: self.ids.get(match[1], "x"), route["path"])

    def value(self, route, field):
        """A good value of a field."""
        good = {"experiment_id": self.experiment, "experiment_name": self.name, "run_id": self.run, "key": "k",
                "metric_key": "loss", "metric": "loss", "alias": "a", "version": "1", "stage": "Production", "source": self.source,
                "timestamp": 1, "value": "1", "experiment_ids": [self.experiment], "run_ids": [self.run],
                "digest": "d", "source_type": "local", "model_json": MODEL_JSON, "model_id": self.ids["model_id"]}
        name = field["name"]
        if name in self.parts:
            return self.parts[name]
        if name == "name":
            is_registry = "registered-models" in route["path"] or "model-versions" in route["path"]
            return self.name if is_registry and not route["path"].endswith("/create") else self.name + "-new"
        if name == "value" and field["type"] == "number":
            return 1
        if name == "run_id" and field["type"] == "strings":
            return [self.run]
        if name == "run_id" and route["path"].endswith("runs/create"):
            return "f" * 32
        if name == "max_results":
            return 10
        if name in good:
            return good[name]
        if field["type"] == "objects":
            return [self.body(route, field["fields"])]
        if field["type"] == "object":
            return self.body(route, field["fields"])
        return {"string": "x", "integer": 1, "number": 1, "boolean": True, "strings": ["x"], "map": {}, "raw": {},
                "enum": field.get("enum", [None])[0]}[field["type"]]

    def body(self, route, fields, required_only=True):
        return {f["name"]: self.value(route, f) for f in fields
                if f["required"] or not required_only or f["name"] in ASKED_FOR}


def variants(fields, body, path=()):
    """(place of a field, its type, a body with a marker there) for each field, nested ones too."""
    for field in fields:
        yield path + (field["name"],), field["type"], dict(body, **{field["name"]: "MARK"})
        if "fields" in field:
            inner = body.get(field["name"])
            inner = inner[0] if isinstance(inner, list) else inner
            for place, kind, changed in variants(field["fields"], inner or {}, path + (field["name"],)):
                yield place, kind, dict(body, **{field["name"]: [changed] if field["type"] == "objects" else changed})


def takes_json(route):
    return route["method"] in ("post", "patch", "put") and not route["takes_over"]


@case
def every_field_of_every_body(folder):
    """Each field, in each JSON route, with a value of each kind: 400 when it is of a wrong kind, else no 5xx."""
    with Daemon(os.path.join(folder, "trackerd")) as daemon:
        client, peer = daemon.connect(), Peer(daemon)
        for number, route in enumerate(r for r in routes(folder) if takes_json(r) and r["fields"]):
            world = World(client, number)
            body = {f["name"]: world.value(route, f) for f in route["fields"] if f["required"] or "fields" in f}
            for place, kind, marked in variants(route["fields"], body):
                for sent, texts in JUNK.items():
                    for text in texts:
                        data = json.dumps(marked).replace('"MARK"', text).encode()
                        is_number = kind == "enum" and text == "-0.0"  # the name with the number 0, if there is one
                        is_wrong = sent not in TAKES[kind] and sent != "null" and not is_number
                        status = peer.ask(route["method"].upper(), world.path(route), data, () if is_wrong else (200,))
                        check(not is_wrong or status == 400, f"{route['path']} {place} = {text[:40]}: {status}")
        print(f"        {peer.count} requests: {peer.statuses}")


@case
def missing_fields(folder):
    """Each required field left out, and sent as null: 400 that names it, or 404."""
    with Daemon(os.path.join(folder, "trackerd")) as daemon:
        client, peer = daemon.connect(), Peer(daemon)
        for number, route in enumerate(r for r in routes(folder) if not r["takes_over"]):
            world = World(client, number)
            for field in route["fields"]:
                if not field["required"]:
                    continue
                body = world.body(route, route["fields"])
                for broken in ({k: v for k, v in body.items() if k != field["name"]}, dict(body, **{field["name"]: None})):
                    if takes_json(route):
                        peer.ask(route["method"].upper(), world.path(route), json.dumps(broken).encode())
                    else:
                        query = urllib.parse.urlencode({k: v for k, v in broken.items() if v is not None}, doseq=True)
                        peer.ask(route["method"].upper(), world.path(route) + "?" + query)
        print(f"        {peer.count} requests: {peer.statuses}")


@case
def every_field_of_every_query(folder):
    with Daemon(os.path.join(folder, "trackerd")) as daemon:
        client, peer = daemon.connect(), Peer(daemon)
        for number, route in enumerate(r for r in routes(folder) if r["method"] in ("get", "delete") and r["fields"]):
            world = World(client, number)
            body = world.body(route, route["fields"])
            for field, text in itertools.product(route["fields"], QUERY_VALUES):
                rest = urllib.parse.urlencode({k: v for k, v in body.items() if k != field["name"]}, doseq=True)
                one = f"{field['name']}={text}"
                for query in (f"{one}&{rest}", f"{rest}&{one}&{one}"):
                    peer.ask(route["method"].upper(), world.path(route) + "?" + query, allowed=(200,))
        print(f"        {peer.count} requests: {peer.statuses}")


@case
def every_body_that_is_no_json(folder):
    """Malformed bodies: 400 where something is needed, and never more than that."""
    with Daemon(os.path.join(folder, "trackerd")) as daemon:
        peer = Peer(daemon)
        world = World(daemon.connect(), 0)
        for route in routes(folder):
            if not takes_json(route) or not route["fields"]:
                continue  # a body that is not asked for is not read
            needs = any(f["required"] for f in route["fields"])
            for body in BODIES:
                may_pass = not needs and body in (b"", b" ", b"null")
                status = peer.ask(route["method"].upper(), world.path(route), body, (200,) if may_pass else ())
                # Without a body "restore" asks for what is there already.
                check(status in (200, 400) or (may_pass and status == 409), f"{route['path']} {body[:40]}: {status}")
        print(f"        {peer.count} requests: {peer.statuses}")


@case
def bodies_at_the_limit(folder):
    """JSON bodies of 16 MiB are read, one byte more is 413, with Content-Length and in chunks."""
    with Daemon(os.path.join(folder, "trackerd")) as daemon:
        for length, expected in ((BODY_BYTES_MAX, 200), (BODY_BYTES_MAX + 1, 413)):
            body = b'{"max_results":1' + b" " * (length - 17) + b"}"
            for chunked in (False, True):
                client = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=REPLY_DEADLINE_S)
                try:
                    client.request("POST", "/api/2.0/mlflow/experiments/search",
                                   iter([body[:100], body[100:]]) if chunked else body, encode_chunked=chunked,
                                   headers={"Transfer-Encoding": "chunked"} if chunked else {})
                except BrokenPipeError:
                    pass  # refused before all was sent: the reply says why
                reply = client.getresponse()
                text = reply.read()
                check(reply.status == expected, f"{length} bytes, chunked {chunked}: {reply.status} {text[:200]}")
                if expected == 413:
                    check_error("413", reply, text)
                    check(json.loads(text)["error_code"] == "REQUEST_TOO_LARGE", text)
                client.close()


# What is answered to an alias that is not there: setting makes it, and what is relative to nothing passes.
MLFLOW_ALIAS = {"post": 200, "delete": 200, "get": 400}
OWN_ALIAS = {"check": 200, "promote": 200, "rollback": 409, "lineage": 404}


@case
def unknown_things(folder):
    """Unknown ids get 404 with the code that MLflow's clients know."""
    unknown = {"experiment_id": "999999", "experiment_name": "no such", "run_id": "e" * 32, "name": "no such", "alias": "b",
               "version": "7"}
    with Daemon(os.path.join(folder, "trackerd")) as daemon:
        client, peer, count = daemon.connect(), Peer(daemon), 0
        for number, route in enumerate(r for r in routes(folder) if not r["takes_over"]):
            world = World(client, number)
            for field in route["fields"]:
                if field["name"] not in unknown or field["type"] != "string" or route["path"].endswith("/create"):
                    continue
                if field["name"] == "name" and not re.search("registered-models|model-versions", route["path"]):
                    continue  # what a thing is to be called
                if re.search("/import/|/traces/|/deployments", route["path"]):
                    continue  # takes over ids; goes with things that need not be here
                body = dict(world.body(route, route["fields"]), **{field["name"]: unknown[field["name"]]})
                if takes_json(route):
                    status = peer.ask(route["method"].upper(), world.path(route), json.dumps(body).encode(), (200,))
                else:
                    query = urllib.parse.urlencode(body, doseq=True)
                    status = peer.ask(route["method"].upper(), world.path(route) + "?" + query, allowed=(200,))
                expected = 404
                if field["name"] == "alias":
                    is_ours = route["path"].startswith("/api/trackerd/")
                    expected = OWN_ALIAS[route["path"].rsplit("/", 1)[1]] if is_ours else MLFLOW_ALIAS[route["method"]]
                check(status == expected, f"{route['method']} {route['path']} unknown {field['name']}: {status}")
                count += 1
        check(count > 40, f"only {count} rows")
        print(f"        {peer.count} requests: {peer.statuses}")


@case
def hostile_paths(folder):
    """No path leaves its tree, and none makes the daemon stumble."""
    with Daemon(os.path.join(folder, "trackerd")) as daemon:
        peer = Peer(daemon)
        for route in routes(folder):
            if "{path...}" not in route["path"] or route["path"] == "/{path...}":
                continue
            for path in PATHS + list(ODD_PATHS):
                body = b"x" if route["method"] in ("put", "post") else None
                status = peer.ask(route["method"].upper(), route["path"].replace("{path...}", path), body,
                                  (200,) if path in ODD_PATHS else ())
                check(status in (400, 404, 200), f"{route['method']} {route['path']} {path}: {status}")
                peer.ask("GET", f"{ARTIFACTS[:-1]}?path={path}", allowed=(200,))
                check_tree(daemon)
        for path in PATHS + list(ODD_PATHS):
            peer.ask("GET", "/" + path)
            peer.ask("GET", "/ajax-api/2.0/mlflow/" + path)
            peer.ask("GET", f"/get-artifact?path={path}&run_uuid={'0' * 32}")
        print(f"        {peer.count} requests: {peer.statuses}")


def check_tree(daemon):
    """Nothing is stored but where the harmless ones lead."""
    client = daemon.connect()
    status, _, body = client.raw("GET", V1 + "manifest/.")
    client.close()
    stored = {file["path"] for file in json.loads(body)["files"]} if status == 200 else set()
    check(stored <= set(ODD_PATHS.values()), f"stored: {stored}")


@case
def hostile_arguments(folder):
    """Each argument of a path that is no whole one: 4xx with a reason, or what such a thing is answered with."""
    with Daemon(os.path.join(folder, "trackerd")) as daemon:
        client, peer, count = daemon.connect(), Peer(daemon), 0
        for number, route in enumerate(r for r in routes(folder) if re.search(r"\{(?!path)", r["path"])):
            world = World(client, number)
            names = re.findall(r"\{(\w+)(?:\.\.\.)?\}", route["path"])
            body = json.dumps(world.body(route, route["fields"])).encode()
            query = urllib.parse.urlencode(world.body(route, route["fields"]), doseq=True)
            for name, text in itertools.product(names, ARGUMENTS):
                path = world.path(dict(route, path=re.sub(rf"\{{{name}(\.\.\.)?\}}", lambda _: text, route["path"])))
                if route["method"] in ("post", "patch", "put"):
                    status = peer.ask(route["method"].upper(), path, b"x" if route["takes_over"] else body, (200,))
                else:
                    status = peer.ask(route["method"].upper(), path + "?" + query, allowed=(200,))
                check(status in (200, 400, 404, 405, 409), f"{route['method']} {path[:200]}: {status}")
                count += 1
        check(count > 500, f"only {count} rows")
        print(f"        {peer.count} requests: {peer.statuses}")


@case
def hostile_graphql(folder):
    """Queries that are none, go round in circles or ask for too much are refused in GraphQL's own words."""
    with Daemon(os.path.join(folder, "trackerd")) as daemon:
        client = daemon.connect()
        for query in GRAPHQL:
            for variables in ({}, {"x": "y"}, [], 1, {"a": {"b": [None]}}):
                body = json.dumps({"query": query, "variables": variables})
                status, _, text = client.raw("POST", "/graphql", body, {"Content-Type": "application/json"})
                check(status in (200, 400), f"{query[:80]}: {status} {text[:200]}")
                reply = json.loads(text)
                check("errors" in reply or "error_code" in reply, f"{query[:80]}: {text[:200]}")
                check(len(text) < 1000000, f"{query[:80]}: {len(text)} bytes")
        check(client.raw("GET", "/health")[0] == 200, "the daemon is not well")


@case
def wrong_methods(folder):
    """A path with a method it does not have: 405 with Allow, under /api and /ajax-api."""
    with Daemon(os.path.join(folder, "trackerd")) as daemon:
        client = daemon.connect()
        methods = {}
        for route in routes(folder):
            methods.setdefault(route["path"], set()).add(route["method"].upper())
        patterns = {path: re.compile(re.sub(r"\{\w+\}", "[^/]+", re.sub(r"/\{\w+\.\.\.\}", "(/.*)?", path)))
                    for path in methods if "{path..." not in path}
        for path in list(methods):  # a pattern may take what stands there as a word, too
            methods[path] = set().union(*(methods[p] for p, pattern in patterns.items() if pattern.fullmatch(path)),
                                        methods[path])
        for path, known in methods.items():
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"):
                if method in known or path == "/{path...}":
                    continue
                for prefix in ("/api/", "/ajax-api/"):
                    target = path.replace("{path...}", "x").replace("/api/", prefix, 1)
                    status, headers, body = client.raw(method, target)
                    may_be = {405, 501} if method in ("TRACE", "BREW") else {405}
                    if path + "/{path...}" in methods:
                        may_be.add(400)  # the same without a path
                    check(status in may_be, f"{method} {target}: {status} {body}")
                    if status == 405:
                        allow = set(re.split(", *", headers["Allow"] or ""))
                        check(known <= allow and method not in allow, f"{method} {target}: Allow {allow}")


def tar_of(*members, mode="w", format=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=format) as archive:
        for name, kind, extra in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            data = extra if kind == tarfile.REGTYPE else b""
            member.size = len(data)
            if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                member.linkname = extra
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


@case
def hostile_tarballs(folder):
    """Members that leave the tree, links, devices, bombs, broken files: refused as a whole, nothing of them stored."""
    regular = ("good.txt", tarfile.REGTYPE, b"good")
    whole = tar_of(regular, ("more.bin", tarfile.REGTYPE, os.urandom(200000)))
    rows = {
        "absolute": tar_of(regular, ("/etc/passwd", tarfile.REGTYPE, b"x")),
        "parent": tar_of(regular, ("../x", tarfile.REGTYPE, b"x")),
        "parent inside": tar_of(regular, ("a/../../x", tarfile.REGTYPE, b"x")),
        "symbolic link": tar_of(regular, ("l", tarfile.SYMTYPE, "/etc/passwd")),
        "hard link": tar_of(regular, ("l", tarfile.LNKTYPE, "good.txt")),
        "device": tar_of(regular, ("d", tarfile.CHRTYPE, None)),
        "pipe": tar_of(regular, ("p", tarfile.FIFOTYPE, None)),
        "control character": tar_of(regular, ("a\x01b", tarfile.REGTYPE, b"x")),
        "long name": tar_of(regular, ("n" * 1100, tarfile.REGTYPE, b"x")),
        "file and folder of one name": tar_of(("a", tarfile.REGTYPE, b"x"), ("a/b", tarfile.REGTYPE, b"x")),
        "bomb": tar_of(regular, ("zeros", tarfile.REGTYPE, bytes(200 << 20)), mode="w:gz"),
        "cut": whole[:100000],
        "cut gzip": tar_of(regular, ("more.bin", tarfile.REGTYPE, os.urandom(200000)), mode="w:gz")[:100000],
        "empty": b"",
        "text": b"this is no archive " * 100,
        "random": os.urandom(100000),
        "zip": b"PK\x03\x04" + os.urandom(1000),
    }
    with Daemon(os.path.join(folder, "trackerd")) as daemon:
        client, peer = daemon.connect(), Peer(daemon)
        path = V1 + "archive/0/x"
        check(client.raw("PUT", path, whole)[0] == 200, "a good one was refused")
        before = client.raw("GET", V1 + "manifest/0")[2]
        for name, body in rows.items():
            try:
                status = peer.ask("PUT", path, body)
            except AssertionError as failure:
                raise AssertionError(f"{name}: {failure}") from failure
            check(status in (400, 409, 413), f"{name}: {status}")
            check(client.raw("GET", V1 + "manifest/0")[2] == before, f"{name}: something was stored")
        print(f"        {peer.count} requests: {peer.statuses}")


if __name__ == "__main__":
    run_cases(os.path.dirname(binary(sys.argv)), only=sys.argv[2] if len(sys.argv) > 2 else "")
