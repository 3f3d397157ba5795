"""Cases that send an endpoint a request with something wrong, or something odd, in one of its fields.

Endpoints and fields come from schema/openapi.yaml: a new endpoint is tried without a word here. What a field means is
guessed from its name."""
import copy
import json
import os
import re

import yaml

from case import API, EXPERIMENT_URI, Case
from steps import Step

HERE = os.path.dirname(os.path.abspath(__file__))
OPENAPI = os.path.join(HERE, "..", "..", "..", "schema", "openapi.yaml")
# Not MLflow's, or about the server itself.
SKIPPED = re.compile(r"/api/trackerd/.*|/(health|version|metrics|graphql)|/api/3.0/mlflow/server-info|/\{path.*"
                     r"|/mlflow.*|.*/(gateway-proxy|ui-telemetry)"
                     # Uploads in parts go elsewhere there; a test of a webhook would call strangers.
                     r"|.*/(mpu|presigned|presigned-.*)/.*|.*/presigned-.*|.*/webhooks/.*/test")

I64_MAX = 2**63 - 1
STRINGS = [31, 1.5, True, None, "", " ", [], {}, ["x"], "a/b", "a//b", "../x", "..", "/x", "x:y", "ünï损☃", "a'b",
           'a"b', "a\nb", "%2e%2e", "x" * 251, "x" * 501, "ß" * 250, "nobody", "0", "-1", "1.0", "abc", "LATEST", "v1",
           "#x", "a b", "a.b", "0" * 32]
INTEGERS = ["5", "1.7e+12", 1.5, 2.0, "foo", True, None, -1, 0, "0", 1, I64_MAX, -I64_MAX - 1, I64_MAX + 1, 1e300, [],
            {}, 50000, 50001, 1000, 1001, "", " 1", "+1", "1_000"]
NUMBERS = ["NaN", "Infinity", "-Infinity", "nan", "inf", "1e400", "abc", "", None, -0.0, 5e-324,
           1.7976931348623157e308, "0x10", " 1", 7, -3, [], {}, "1.5", 2**70]
BOOLEANS = [True, False, "true", "TRUE", "yes", 1, 0, None, "", [], "false"]
ENUMS = [None, "", "BOGUS", 99, -1, 1, "2", 3, 2.0, "running", True, [], {}]
ARRAYS = ["x", {}, None, [], [None], [1], [[]], [{}], "[]", 5, [""], ["x", "x"]]
OBJECTS = ["x", [], None, 5, {}, {"a": 1}]
ODD = {"string": STRINGS, "integer": INTEGERS, "number": NUMBERS, "boolean": BOOLEANS, "array": ARRAYS,
       "object": OBJECTS}
ONCE_IN = 12

# What a field is given when it is to be right.
VALUES = {
    "experiment_id": "{{experiment}}", "experiment_ids": ["{{experiment}}"], "run_id": "{{run}}", "run_uuid": "{{run}}",
    "run_ids": ["{{run}}"], "experiment_name": "e{{n}}", "new_name": "renamed{{n}}", "key": "k", "metric_key": "k",
    "timestamp": 1700000000000, "start_time": 1700000000000, "end_time": 1700000001000, "version": "1", "alias": "best",
    "stage": "Staging", "source": EXPERIMENT_URI, "max_results": 5, "page_token": None, "filter": "", "order_by": None,
    "path": None, "artifact_location": "s3://bucket/x", "description": "words", "model_id": None, "stages": ["None"],
    "start_step": 0, "end_step": 10, "source_run_id": "{{run}}", "tag_key": "k", "trace_id": "tr-" + "0" * 24 + "{{n}}",
    "request_id": "tr-" + "0" * 24 + "{{n}}", "url": "https://example.com/hook", "digest": "d1", "source_type": "local",
    "datasets": None, "models": None,
}


# Fields that MLflow does not have.
OURS = {"/api/2.0/mlflow/runs/create": ("run_id",)}


# Things that paths name, and how they are made.
THINGS = {"model_id": "{{logged}}", "webhook_id": "{{webhook}}"}
MAKING = {
    "{{logged}}": Step("POST", API + "logged-models", {
        "experiment_id": "{{experiment}}", "name": "l", "tags": [{"key": "k", "value": "v"}],
        "params": [{"key": "k", "value": "v"}]}, captures={"logged": "model.info.model_id"}),
    "{{webhook}}": Step("POST", API + "webhooks", {
        "name": "w{{n}}", "url": "https://example.com/hook", "status": "DISABLED",
        "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]}, captures={"webhook": "webhook.webhook_id"}),
}
IN_PATH = re.compile(r"(?<!\{)\{([a-z_]+)\}(?!\})")


class Operation:
    def __init__(self, method, path, described):
        self.method, self.path = method, path
        self.fields = {}     # name: schema
        self.required = set()
        self.in_path = {}
        for parameter in described.get("parameters", []):
            if parameter.get("in") == "query":
                self.fields[parameter["name"]] = parameter["schema"]
                if parameter.get("required"):
                    self.required.add(parameter["name"])
            elif parameter.get("in") == "path":
                self.in_path[parameter["name"]] = parameter["schema"]
        content = described.get("requestBody", {}).get("content", {})
        body = content.get("application/json", {}).get("schema", {})
        self.fields.update(body.get("properties", {}))
        self.required.update(body.get("required", []))
        for name in OURS.get(path, ()):
            self.fields.pop(name, None)
        self.is_bytes = bool(content) and "application/json" not in content

    @property
    def takes_query(self):
        return self.method == "GET"

    @property
    def is_registry(self):
        return "registered-models" in self.path or "model-versions" in self.path


def operations():
    with open(OPENAPI, encoding="utf-8") as file:
        paths = yaml.safe_load(file)["paths"]
    return [Operation(method.upper(), path, described) for path, item in sorted(paths.items())
            if not SKIPPED.fullmatch(path) for method, described in item.items() if method != "parameters"]


OPERATIONS = operations()


def case(_facts, chance):
    operation = chance.choice(OPERATIONS)
    step = valid(operation, chance)
    if chance.random() < 0.85:
        mutate(operation, step, chance)
    stay_in_the_world(operation, step)
    if chance.randrange(ONCE_IN) == 0:
        disguise(step, chance)
    text = json.dumps([step.path, step.query, step.body])
    steps = setup(operation, text, chance) + [step]
    if operation.method != "GET":
        steps += readings(text)
    return Case(f"{operation.method} {operation.path}", steps)


def setup(operation, text, chance):
    """The things that the request speaks of."""
    steps = []
    needs_run = "{{run}}" in text
    if needs_run or any(name in text for name in ("{{experiment}}", "e{{n}}", "{{logged}}")):
        steps.append(Step("POST", API + "experiments/create", {"name": "e{{n}}"},
                          captures={"experiment": "experiment_id"}))
    if needs_run:
        steps.append(Step("POST", API + "runs/create",
                          {"experiment_id": "{{experiment}}", "start_time": 1700000000000, "run_name": "r"},
                          captures={"run": "run.info.run_id"}))
        if chance.random() < 0.5:
            steps.append(Step("POST", API + "runs/log-batch", {
                "run_id": "{{run}}", "metrics": [{"key": "k", "value": 1.5, "timestamp": 5, "step": 2}],
                "params": [{"key": "k", "value": "p"}], "tags": [{"key": "k", "value": "t"}]}))
    steps += [step.copy() for name, step in MAKING.items() if name in text]
    if operation.is_registry and not operation.path.endswith("registered-models/create"):
        steps.append(Step("POST", API + "registered-models/create",
                          {"name": "m{{n}}", "tags": [{"key": "k", "value": "v"}]}))
        if needs_run and chance.random() < 0.8:
            steps.append(Step("POST", API + "model-versions/create",
                              {"name": "m{{n}}", "source": EXPERIMENT_URI, "run_id": "{{run}}"}))
            steps.append(Step("POST", API + "registered-models/alias",
                              {"name": "m{{n}}", "alias": "best", "version": "1"}))
    return steps


def readings(text):
    """What the request may have changed."""
    steps = []
    if "{{run}}" in text:
        steps.append(Step("GET", API + "runs/get", query=[("run_id", "{{run}}")]))
    if "{{experiment}}" in text or "e{{n}}" in text:
        steps.append(Step("GET", API + "experiments/get", query=[("experiment_id", "{{experiment}}")]))
    if "{{logged}}" in text:
        steps.append(Step("GET", API + "logged-models/{{logged}}"))
    if "{{webhook}}" in text:
        steps.append(Step("GET", API + "webhooks/{{webhook}}"))
    if "m{{n}}" in text:
        steps.append(Step("GET", API + "registered-models/get", query=[("name", "m{{n}}")]))
    return steps


def valid(operation, chance):
    """A request that should pass, with some of the optional fields."""
    body = {}
    for name, schema in operation.fields.items():
        if name in operation.required or chance.random() < 0.4:
            value = right_value(operation, name, schema, chance)
            if value is not None:
                body[name] = value
    path = operation.path
    for name in IN_PATH.findall(path):
        path = path.replace("{" + name + "}", path_value(name))
        if name != "path" and not operation.takes_query:
            body[name] = path_value(name)  # as clients do
    step = Step(operation.method, path)
    if operation.takes_query:
        step.query = [(name, item if isinstance(item, str) else json.dumps(item)) for name, value in body.items()
                      for item in (value if isinstance(value, list) else [value])]
    elif operation.is_bytes:
        step.raw = b"some bytes"
    else:
        step.body = body
    return step


def path_value(name):
    if name == "path":
        return "{{experiment}}/{{run}}/artifacts/a.txt"
    return THINGS.get(name) or str(VALUES.get(name) or "x-" + "0" * 32)


def right_value(operation, name, schema, chance):
    if name == "name" and "properties" not in schema:
        return "m{{n}}" if operation.is_registry else "new{{n}}"
    if name == "value":
        return 0.5 if schema.get("type") == "number" else "v"
    if "enum" in schema:
        return chance.choice(schema["enum"])
    if VALUES.get(name, "") != "":
        return copy.deepcopy(VALUES[name])
    kind = schema.get("type")
    if kind == "array":
        return [item for item in [right_value(operation, "item", schema["items"], chance)] if item is not None]
    if kind == "object":
        members = {key: right_value(operation, key, inner, chance) for key, inner in
                   schema.get("properties", {}).items()}
        return {key: value for key, value in members.items() if value is not None}
    return None if name in VALUES else {"string": "text", "integer": 3, "number": 1.25, "boolean": True}.get(kind)


def mutate(operation, step, chance):
    """Changes one field."""
    names = sorted(operation.fields)
    if not names:
        return
    name = chance.choice(names)
    schema = operation.fields[name]
    value = odd_value(schema, chance)
    if operation.takes_query:
        step.query = [(key, old) for key, old in step.query if key != name]
        if chance.random() < 0.8:
            items = value if isinstance(value, list) else [value]
            step.query += [(name, item if isinstance(item, str) else json.dumps(item)) for item in items]
    elif step.body is not None:
        if chance.random() < 0.15:
            step.body.pop(name, None)
        elif chance.random() < 0.3 and schema.get("type") == "array" and "properties" in schema["items"]:
            step.body[name] = [odd_member(operation, schema["items"], chance) for _ in range(chance.randint(1, 3))]
        else:
            step.body[name] = value


def stay_in_the_world(operation, step):
    """Searches see nothing of what cases leave behind, which may differ where differences are listed."""
    if operation.path.endswith(("experiments/search", "registered-models/search", "model-versions/search")):
        scope = "name LIKE 'world{{world}} %'"
        if operation.takes_query:
            if not any(name == "filter" and value.strip() for name, value in step.query):
                step.query = [(name, value) for name, value in step.query if name != "filter"] + [("filter", scope)]
        elif not step.body.get("filter") or step.body["filter"] == " ":
            step.body["filter"] = scope
    elif operation.path.endswith("mlflow-artifacts/artifacts") and not step.query:
        step.query = [("path", "{{experiment}}")]


def odd_member(operation, schema, chance):
    """An object of an array, with something wrong in it now and then."""
    item = {key: right_value(operation, key, inner, chance) for key, inner in schema["properties"].items()}
    item = {key: value for key, value in item.items() if value is not None}
    key = chance.choice(sorted(schema["properties"]))
    if chance.random() < 0.2:
        item.pop(key, None)
    else:
        item[key] = odd_value(schema["properties"][key], chance)
    return item


def odd_value(schema, chance):
    if "enum" in schema:
        return copy.deepcopy(chance.choice(ENUMS + schema["enum"]))
    return copy.deepcopy(chance.choice(ODD.get(schema.get("type"), STRINGS)))


def disguise(step, chance):
    """The same request in another form."""
    if step.path.startswith("/api/2.0/mlflow/") and chance.random() < 0.3:
        step.path = "/ajax-api" + step.path.removeprefix("/api")
    elif step.body is not None:
        forms = (lambda: json.dumps(json.dumps(step.body)), lambda: "[]", lambda: "", lambda: "null", lambda: "{",
                 lambda: json.dumps({camel(name): value for name, value in step.body.items()}),
                 lambda: json.dumps({**step.body, "unknown_field": {"a": [1]}}),
                 lambda: json.dumps({("run_uuid" if name == "run_id" else name): value
                                     for name, value in step.body.items()}))
        step.raw, step.body = chance.choice(forms)(), None


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
