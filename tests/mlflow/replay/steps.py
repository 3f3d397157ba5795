"""Requests of a log, and sending them to both servers.

Texts of a step may name what an earlier step captured, {{run}}: each server gets its own. {{n}} is a number that is new
for every case, so that names do not meet."""
import json
import re
import urllib.parse

VARIABLE = re.compile(r"\{\{([a-z_0-9]+)\}\}")


class MissingVariable(Exception):
    """An earlier reply did not have what was to be captured."""


class Step:
    """One request. `query`: pairs; `body`: JSON; `raw`: a body that is sent as it stands; `captures`: {name: path in
    the reply, "run.info.run_id"}."""

    def __init__(self, method, path, body=None, query=None, raw=None, captures=None, headers=None, title=""):
        self.method, self.path, self.body, self.raw = method, path, body, raw
        self.query = list(query or [])
        self.captures = dict(captures or {})
        self.headers = dict(headers or {})
        self.title = title

    def copy(self, **changes):
        values = {"method": self.method, "path": self.path, "body": self.body, "query": self.query, "raw": self.raw,
                  "captures": self.captures, "headers": self.headers, "title": self.title}
        values.update(changes)
        return Step(**values)

    @property
    def endpoint(self):
        """"POST runs/create": what listed differences name."""
        path = re.sub(r"^/(ajax-)?api/2\.0/(mlflow/)?", "", self.path.partition("?")[0])
        return f"{self.method} {path}"

    def __str__(self):
        target = self.path + ("?" + urllib.parse.urlencode(self.query, safe="{}") if self.query else "")
        body = self.raw if self.raw is not None else None if self.body is None else json.dumps(self.body,
                                                                                             ensure_ascii=False)
        if isinstance(body, bytes):
            body = repr(body)
        return f"{self.method} {target}" + (f"\n      {body[:1500]}" if body is not None else "")


def expand(value, variables):
    """The value with {{names}} replaced, in all its texts."""
    if isinstance(value, str):
        return VARIABLE.sub(lambda found: variable(found.group(1), variables), value)
    if isinstance(value, list):
        return [expand(item, variables) for item in value]
    if isinstance(value, dict):
        return {expand(key, variables): expand(item, variables) for key, item in value.items()}
    return value


def variable(name, variables):
    if name not in variables:
        raise MissingVariable(name)
    return str(variables[name])


def send(peer, step, variables):
    target = expand(step.path, variables)
    if step.query:
        target += "?" + urllib.parse.urlencode([(k, expand(v, variables)) for k, v in step.query])
    headers = {name: expand(value, variables) for name, value in step.headers.items()}
    body = None
    if step.raw is not None:
        body = step.raw if isinstance(step.raw, bytes) else expand(step.raw, variables).encode("utf-8", "surrogatepass")
    elif step.body is not None:
        body = json.dumps(expand(step.body, variables)).encode()
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    reply = peer.send(step.method, target, body, headers)
    for name, path in step.captures.items():
        capture(name, path, reply.json, variables)
    return reply


def capture(name, path, value, variables):
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    if value is None:
        variables.pop(name, None)
    else:
        variables[name] = value


class Pair:
    """Both servers, and what each calls the things of the log."""

    def __init__(self, theirs, ours, comparer):
        self.peers = (theirs, ours)
        self.comparer = comparer
        self.variables = ({}, {})
        self.count = 0
        self.serial = 0

    def fresh(self):
        """A new {{n}}, the same for both, and nothing else but the world of the searches."""
        self.serial += 1
        for variables in self.variables:
            for name in [name for name in variables if not name.startswith("world")]:
                del variables[name]
            variables["n"] = self.serial

    def replay(self, step):
        """(their reply, our reply, differences)"""
        self.count += 1
        theirs, ours = (send(peer, step, variables) for peer, variables in zip(self.peers, self.variables))
        return theirs, ours, self.comparer.replies(theirs, ours)
