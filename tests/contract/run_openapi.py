#!/usr/bin/env python3
"""Compares schema/openapi.yaml with the daemon's routing table, both ways: methods, paths, summaries, request fields with
their types and what is required. The replies of a live daemon are checked against the schemas they are said to have.

Usage: run_openapi.py FOLDER_OF_BINARIES
"""
import json
import os
import subprocess
import sys

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from daemon import Daemon, binary  # noqa: E402

METHODS = ("get", "put", "post", "patch", "delete")
SCHEMAS = {"string": {"type": "string"}, "integer": {"type": "integer", "format": "int64"},
           "number": {"type": "number", "format": "double"}, "boolean": {"type": "boolean"},
           "strings": {"type": "array", "items": {"type": "string"}},
           "map": {"type": "object", "additionalProperties": {"type": "string"}}, "raw": {}}


def schema_of(field):
    """What the description must say of a field."""
    if field["type"] in SCHEMAS:
        return SCHEMAS[field["type"]]
    if field["type"] == "enum":
        return {"type": "string", "enum": field["enum"]}
    nested = {"type": "object", "properties": {f["name"]: schema_of(f) for f in field["fields"]}}
    required = [f["name"] for f in field["fields"] if f["required"]]
    if required:
        nested["required"] = required
    return nested if field["type"] == "object" else {"type": "array", "items": nested}


def described_fields(method, operation):
    """{name: (schema, required)} of an operation."""
    if method == "get":
        return {p["name"]: (p["schema"], p.get("required", False))
                for p in operation.get("parameters", []) if p.get("in") == "query"}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return {name: (schema, name in body.get("required", [])) for name, schema in body.get("properties", {}).items()}


def compare_route(route, operation, problems):
    place = f"{route['method']} {route['path']}"
    if operation["summary"] != route["summary"]:
        problems.append(f"{place}: summary {operation['summary']!r}, in the table {route['summary']!r}")
    if route["takes_over"]:
        return  # reads its query by itself
    expected = {f["name"]: (schema_of(f), f["required"]) for f in route["fields"]}
    actual = described_fields(route["method"], operation)
    for name in sorted(expected.keys() | actual.keys()):
        if expected.get(name) != actual.get(name):
            problems.append(f"{place}: field {name} is described as {actual.get(name)}, is {expected.get(name)}")


def compare(document, routes):
    problems = []
    described = {(m, p) for p, item in document["paths"].items() for m in item if m in METHODS}
    for route in routes:
        key = (route["method"], route["path"].replace("...}", "}"))
        if key not in described:
            problems.append(f"{key[0]} {key[1]} is not described")
            continue
        described.remove(key)
        compare_route(route, document["paths"][key[1]][key[0]], problems)
    return problems + [f"{m} {p} is described, but there is no such route" for m, p in sorted(described)]


def resolve(document, schema):
    while "$ref" in schema:
        part = document
        for name in schema["$ref"].removeprefix("#/").split("/"):
            part = part[name]
        schema = part
    return schema


def check_value(document, schema, value, place, problems):
    """The part of JSON Schema that the description uses; members that are not described are problems."""
    schema = resolve(document, schema)
    if "oneOf" in schema or not schema:
        return
    if "allOf" in schema:
        merged = {"type": "object", "properties": {}}
        for part in schema["allOf"]:
            merged["properties"].update(resolve(document, part).get("properties", {}))
        schema = merged
    types = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}
    if not isinstance(value, types[schema["type"]]):
        problems.append(f"{place}: {value!r} is no {schema['type']}")
    elif schema["type"] == "object":
        for name in schema.get("required", []):
            if name not in value:
                problems.append(f"{place}: {name} is missing")
        for name, member in value.items():
            if "additionalProperties" in schema:
                check_value(document, schema["additionalProperties"], member, f"{place}.{name}", problems)
            elif name not in schema.get("properties", {}):
                problems.append(f"{place}: {name} is not described")
            else:
                check_value(document, schema["properties"][name], member, f"{place}.{name}", problems)
    elif schema["type"] == "array":
        for item in value:
            check_value(document, schema["items"], item, place + "[]", problems)
    elif "enum" in schema and value not in schema["enum"]:
        problems.append(f"{place}: {value!r} is none of {schema['enum']}")


class Journey:
    """Calls a live daemon and checks each reply."""

    def __init__(self, document, daemon, problems):
        self.document, self.client, self.problems = document, daemon.connect(), problems
        self.count = 0

    def call(self, method, path, body=None, template=None, raw=None):
        template = template or path.partition("?")[0]
        if raw is None:
            reply = self.client.call(method, path, body)
        else:
            status, _, text = self.client.raw(method, path, raw)
            assert status == 200, text
            reply = json.loads(text)
        content = self.document["paths"][template][method.lower()]["responses"]["200"]["content"]
        check_value(self.document, content["application/json"]["schema"], reply, f"{method} {template}", self.problems)
        self.count += 1
        return reply

    def walk(self):
        m = "/api/2.0/mlflow/"
        v1 = "/api/trackerd/v1/"
        self.call("POST", m + "experiments/create", {"name": "e", "tags": [{"key": "a", "value": "b"}]})
        for path in ("experiments/get?experiment_id=1", "experiments/get-by-name?experiment_name=e"):
            self.call("GET", m + path)
        self.call("POST", m + "experiments/search", {"max_results": 1})
        run = self.call("POST", m + "runs/create", {"experiment_id": "1"})["run"]["info"]["run_id"]
        points = [{"key": "loss", "value": v, "timestamp": i, "step": i} for i, v in enumerate([1, "NaN", 0.5])]
        self.call("POST", m + "runs/log-batch", {"run_id": run, "metrics": points,
                                                 "params": [{"key": "p", "value": "1"}]})
        self.call("POST", m + "runs/log-inputs", {"run_id": run, "datasets": [
            {"dataset": {"name": "d", "digest": "x", "source_type": "local", "source": "f"},
             "tags": [{"key": "mlflow.data.context", "value": "training"}]}]})
        lm = m + "logged-models"
        model = self.call("POST", lm, {"experiment_id": "1", "source_run_id": run, "params": [{"key": "a", "value": "b"}]})
        model = model["model"]["info"]["model_id"]
        self.call("POST", m + "runs/outputs", {"run_id": run, "models": [{"model_id": model, "step": 1}]})
        self.call("POST", m + "runs/log-inputs", {"run_id": run, "models": [{"model_id": model}]})
        self.call("POST", m + "runs/log-metric", {"run_id": run, "key": "acc", "value": 1, "timestamp": 1, "model_id": model,
                                                  "dataset_name": "d", "dataset_digest": "x"})
        self.call("POST", m + "registered-models/create", {"name": "lm"})
        self.call("POST", m + "model-versions/create", {"name": "lm", "source": "models:/" + model})
        self.call("GET", m + "model-versions/get?name=lm&version=1")
        self.call("GET", f"{lm}/{model}", template=lm + "/{model_id}")
        self.call("POST", lm + "/search", {"experiment_ids": ["1"]})
        self.call("POST", m + "experiments/search-datasets", {"experiment_ids": ["1"]})
        self.call("GET", f"{lm}/{model}/artifacts/directories", template=lm + "/{model_id}/artifacts/directories")
        self.call("POST", m + "runs/update", {"run_id": run, "status": "FINISHED", "end_time": 5})
        self.call("GET", m + f"runs/get?run_id={run}")
        self.call("POST", m + "runs/search", {"experiment_ids": ["1"]})
        self.call("GET", v1 + "runs/best?experiment_name=e&metric=loss")
        self.call("GET", m + f"metrics/get-history?run_id={run}&metric_key=loss")
        self.call("GET", v1 + f"metrics/curves?run_ids={run}&metric_keys=loss")
        self.call("GET", v1 + f"metrics/summary?run_ids={run}")
        path = f"1/{run}/artifacts/model/a.txt"
        proxy = "/api/2.0/mlflow-artifacts/artifacts"
        self.call("PUT", f"{proxy}/{path}", template=proxy + "/{path}", raw=b"hello")
        self.call("GET", f"{proxy}?path=1/{run}/artifacts/model")
        self.call("GET", m + f"artifacts/list?run_id={run}")
        self.call("GET", v1 + f"manifest/1/{run}/artifacts", template=v1 + "manifest/{path}")
        self.call("POST", m + "registered-models/create", {"name": "m"})
        self.call("POST", m + "model-versions/create", {"name": "m", "source": f"runs:/{run}/model", "run_id": run})
        self.call("POST", m + "registered-models/alias", {"name": "m", "alias": "champion", "version": "1"})
        for path in ("registered-models/get?name=m", "registered-models/search", "model-versions/search",
                     "model-versions/get?name=m&version=1", "model-versions/get-download-uri?name=m&version=1",
                     "registered-models/alias?name=m&alias=champion"):
            self.call("GET", m + path)
        self.call("POST", v1 + "import/experiment", {"experiment_id": "9", "name": "imported"})
        self.call("POST", v1 + "import/run", {"run_id": "a" * 32, "experiment_id": "9", "is_whole": True, "digest": "d"})
        self.call("GET", v1 + "import/run?run_id=" + "a" * 32)
        self.call("POST", v1 + "import/logged-model", {"model_id": "m-1", "experiment_id": "9", "name": "imported"})
        self.call("POST", v1 + "import/model", {"name": "imported"})
        self.call("POST", v1 + "import/model-version", {"name": "imported", "version": "3", "source": "s3://b/x"})
        self.walk_traces()
        self.walk_deployments(v1 + "deployments")
        self.call("GET", v1 + "server")
        self.call("GET", "/api/3.0/mlflow/server-info")

    def walk_deployments(self, path):
        one, place = f"{path}/{'a' * 32}", path + "/{deployment_id}"
        self.call("PUT", one, {"model": "m", "version": "1", "target": "t", "state": "active"}, template=place)
        self.call("POST", one + "/heartbeat", {}, template=place + "/heartbeat")
        self.call("GET", one, template=place)
        self.call("GET", one + "/history", template=place + "/history")
        self.call("GET", path)
        self.call("DELETE", one, template=place)

    def walk_traces(self):
        m3, m2 = "/api/3.0/mlflow/traces", "/api/2.0/mlflow/traces"
        place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "1"}}
        feedback = {"assessment_name": "f", "feedback": {"value": [1], "error": {"error_code": "E"}},
                    "source": {"source_type": "HUMAN", "source_id": "s"}, "rationale": "r", "metadata": {"a": "b"}}
        expectation = {"assessment_name": "e", "expectation": {
            "serialized_value": {"serialization_format": "JSON_FORMAT", "value": "{}"}}}
        issue = {"assessment_name": "i", "issue": {"issue_name": "n"}}
        info = {"trace_id": "tr-1", "client_request_id": "c", "trace_location": place, "request_preview": "q",
                "response_preview": "a", "request_time": "2026-03-01T12:00:00Z", "execution_duration": "1s",
                "state": "OK", "trace_metadata": {"k": "v"}, "tags": {"t": "u"}, "assessments": [feedback, issue]}
        self.call("POST", m3, {"trace": {"trace_info": info}})
        self.call("GET", m3 + "/tr-1", template=m3 + "/{trace_id}")
        self.call("POST", m3 + "/batchGetInfos", {"trace_ids": ["tr-1"]})
        self.call("POST", m3 + "/search", {"locations": [place]})
        spans = {"spans": [{"trace_id": "AAAAAAAAAAAAAAAAAAAAAQ==", "span_id": "AAAAAAAAAAE=", "name": "s",
                            "start_time_unix_nano": 1, "end_time_unix_nano": 2, "attributes": {"a": "1"},
                            "events": [{"name": "e", "time_unix_nano": 1, "attributes": {"b": 2}}],
                            "links": [{"trace_id": "tr-01", "span_id": "02", "attributes": {}}],
                            "status": {"code": "STATUS_CODE_OK", "message": "m"}}]}
        proxy = "/api/2.0/mlflow-artifacts/artifacts"
        self.call("PUT", f"{proxy}/1/traces/tr-1/artifacts/traces.json", template=proxy + "/{path}",
                  raw=json.dumps(spans).encode())
        assert self.call("GET", m3 + "/get?trace_id=tr-1")["trace"]["spans"][0]["name"] == "s"
        self.call("GET", m3 + "/batchGet?trace_ids=tr-1")
        assert self.call("GET", "/api/3.0/mlflow/get-trace-artifact?request_id=tr-1") == spans
        below = m3 + "/{trace_id}/assessments"
        made = self.call("POST", m3 + "/tr-1/assessments", {"assessment": expectation}, below)["assessment"]
        path = f"{m3}/tr-1/assessments/{made['assessment_id']}"
        self.call("GET", path, template=below + "/{assessment_id}")
        self.call("PATCH", path, {"assessment": {"rationale": "x"}, "update_mask": "rationale"},
                  below + "/{assessment_id}")
        self.call("DELETE", path, {}, below + "/{assessment_id}")
        self.call("PATCH", m3 + "/tr-1/tags", {"key": "k", "value": "v"}, m3 + "/{trace_id}/tags")
        self.call("DELETE", m3 + "/tr-1/tags", {"key": "k"}, m3 + "/{trace_id}/tags")
        self.call("POST", m2 + "/link-to-run", {"trace_ids": ["tr-1"], "run_id": "r"})
        self.call("POST", m2 + "/link-prompts", {"trace_id": "tr-1", "prompt_versions": [{"name": "p", "version": "1"}]})
        older = self.call("POST", m2, {"experiment_id": "1", "timestamp_ms": 1})["trace_info"]["request_id"]
        self.call("PATCH", f"{m2}/{older}", {"timestamp_ms": 2, "status": "OK"}, m2 + "/{request_id}")
        self.call("GET", f"{m2}/{older}/info", template=m2 + "/{request_id}/info")
        self.call("GET", m2 + "?experiment_ids=1")
        self.call("POST", m3 + "/delete-traces", {"experiment_id": "1", "request_ids": [older]})


def main():
    dump = subprocess.run([binary(sys.argv, "routes_dump")], check=True, capture_output=True, text=True).stdout
    routes = [json.loads(line) for line in dump.splitlines()]
    with open(os.path.join(HERE, "..", "..", "schema", "openapi.yaml"), encoding="utf-8") as file:
        document = yaml.safe_load(file)
    problems = compare(document, routes)
    with Daemon(binary(sys.argv)) as daemon:
        journey = Journey(document, daemon, problems)
        journey.walk()
    print("\n".join(problems))
    print(f"{len(routes)} routes compared, {journey.count} replies checked, {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
