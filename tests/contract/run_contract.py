#!/usr/bin/env python3
"""Replays HTTP transcripts against a real daemon and compares what it answers.

    run_contract.py FOLDER_OF_BINARIES [FILE.http …]        without files: all next to this script

Each file gets a daemon of its own with a new data directory and a port that the kernel chose. Rows of a file run in
order on one connection and build on each other. A row:

    ### a sentence that says what is expected
    POST /api/2.0/mlflow/runs/create            method and path
    X-Some-Header: value                        request headers, if any
    {"experiment_id": "0"}                      body, if any: sent as it stands, may take several lines
    HTTP 400 INVALID_PARAMETER_VALUE            expected status and error_code, which must be absent if not named
    message: the whole message                  or "message^: its beginning", or "message~: a regular expression"
    header: Content-Type: application/json      expected reply headers, if any
    {"run": {"info": {"run_id": "<<run_id>>"}}} expected JSON, if any: a subset of the reply's

A line "only ours" keeps a row out of the replay against the released MLflow server (tests/mlflow/run_replay): it asks for
what only trackerd has, and what follows would be about the difference.

Blank lines separate rows; lines that begin with "#" and a space are comments.

Expected JSON: objects may have more members than listed, arrays have exactly the listed items in that order, other values
are equal (0 and 0.0 are the same number). "<<name>>" takes any value and keeps it as a variable, "<<name:REGEX>>"
only a string that matches as a whole, "<<>>" takes any value, "<<absent>>" wants the member to be missing. With a line
"exactly" before it, objects must not have more members either. A line "text: …" instead of JSON is the whole body.

In paths, headers, bodies and expectations {{name}} is a variable's value, {{repeat COUNT TEXT}} is TEXT that often,
and {{list COUNT TEXT}} is that many TEXTs with commas between them, "#" standing for 0, 1, 2 …
"""

import http.client
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, Failure, binary  # noqa: E402

REQUEST_TIMEOUT_S = 60
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Mismatch(Exception):
    """The reply is not what the row expects."""


class Row:
    def __init__(self, title, line_number):
        self.title = title
        self.line_number = line_number
        self.method = self.path = None
        self.headers = []
        self.body_lines = []
        self.status = self.error_code = None
        self.messages = []       # (operator, text)
        self.expected_headers = []
        self.is_exact = False
        self.text = None
        self.json_lines = []
        self.is_replayed = True


def parse_file(path, needs_status=True):
    """The rows of a transcript; exits with a sentence when it is not understood."""
    rows = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if line.startswith("### "):
                rows.append(Row(line[4:], number))
            elif line.startswith("# ") or line == "#" or not line.strip():
                continue
            elif not rows:
                sys.exit(f"{path}:{number}: text before the first ###")
            else:
                parse_line(rows[-1], line, f"{path}:{number}")
    for row in rows:
        if row.path is None or (needs_status and row.status is None):
            sys.exit(f"{path}:{row.line_number}: a row needs a request and an HTTP line")
    return rows


def parse_line(row, line, place):
    if line == "only ours":
        row.is_replayed = False
    elif row.path is None:
        method, _, row.path = line.partition(" ")
        if method not in METHODS or not row.path:
            sys.exit(f"{place}: expected METHOD PATH, got {line!r}")
        row.method = method
    elif row.status is None:
        expected = re.fullmatch(r"HTTP (\d{3})(?: ([A-Z_]+))?", line)
        header = re.fullmatch(r"([A-Za-z][A-Za-z0-9-]*): (.*)", line)
        if expected:
            row.status, row.error_code = int(expected.group(1)), expected.group(2)
        elif header and not row.body_lines:
            row.headers.append(header.groups())
        else:
            row.body_lines.append(line)
    else:
        message = re.fullmatch(r"message([\^~]?): (.*)", line)
        header = re.fullmatch(r"header: ([A-Za-z0-9-]+): (.*)", line)
        if message:
            row.messages.append(message.groups())
        elif header:
            row.expected_headers.append(header.groups())
        elif line == "exactly":
            row.is_exact = True
        elif line.startswith("text: "):
            row.text = line[6:]
        else:
            row.json_lines.append(line)


def expand(text, variables):
    """Replaces {{…}}; a variable that was never captured is a mistake in the transcript."""

    def replace(found):
        words = (found.group(1) or found.group(2)).split(" ", 2)
        if words[0] == "repeat":
            return words[2] * int(words[1])
        if words[0] == "list":
            return ",".join(words[2].replace("#", str(i)) for i in range(int(words[1])))
        if words[0] not in variables:
            raise Mismatch(f"no variable {words[0]!r} was captured before")
        return str(variables[words[0]])

    # A TEXT may itself end with "}", as JSON objects do.
    return re.sub(r"\{\{((?:repeat|list) \d+ .*?)\}\}(?!\})|\{\{([a-z_0-9]+)\}\}", replace, text)


def compare(expected, actual, where, is_exact, captures):
    if isinstance(expected, str) and expected.startswith("<<") and expected.endswith(">>"):
        compare_capture(expected[2:-2], actual, where, captures)
    elif isinstance(expected, dict):
        if not isinstance(actual, dict):
            raise Mismatch(f"{where}: expected an object, got {shorten(actual)}")
        for key, value in expected.items():
            if value == "<<absent>>":
                if key in actual:
                    raise Mismatch(f"{where}.{key}: expected nothing, got {shorten(actual[key])}")
            elif key not in actual:
                raise Mismatch(f"{where}.{key}: missing in {shorten(actual)}")
            else:
                compare(value, actual[key], f"{where}.{key}", is_exact, captures)
        surplus = sorted(set(actual) - set(expected))
        if is_exact and surplus:
            raise Mismatch(f"{where}: unexpected {', '.join(surplus)}")
    elif isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            raise Mismatch(f"{where}: expected {len(expected)} items, got {shorten(actual)}")
        for index, (one, other) in enumerate(zip(expected, actual)):
            compare(one, other, f"{where}[{index}]", is_exact, captures)
    elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
        raise Mismatch(f"{where}: expected {shorten(expected)}, got {shorten(actual)}")


def compare_capture(spec, actual, where, captures):
    name, _, pattern = spec.partition(":")
    if pattern and (not isinstance(actual, str) or not re.fullmatch(pattern, actual)):
        raise Mismatch(f"{where}: expected a text like {pattern}, got {shorten(actual)}")
    if name:
        captures[name] = actual


def shorten(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else text[:300] + "…"


def send(connection, row, variables):
    body = expand("\n".join(row.body_lines), variables).encode() if row.body_lines else None
    headers = {name: expand(value, variables) for name, value in row.headers}
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    connection.request(row.method, expand(row.path, variables), body, headers)
    reply = connection.getresponse()
    return reply, reply.read()


def check_row(connection, row, variables):
    reply, body = send(connection, row, variables)
    shown = body[:600].decode("utf-8", "replace")
    if reply.status != row.status:
        raise Mismatch(f"expected status {row.status}, got {reply.status}: {shown}")
    for name, value in row.expected_headers:
        if reply.getheader(name) != expand(value, variables):
            raise Mismatch(f"header {name}: expected {value!r}, got {reply.getheader(name)!r}")
    if row.text is not None:
        if body.decode() != expand(row.text, variables):
            raise Mismatch(f"expected the text {row.text!r}, got {shown!r}")
        return
    wants_json = row.json_lines or row.error_code or row.messages
    is_json = reply.getheader("Content-Type", "").startswith("application/json") and body
    if wants_json and not is_json:
        raise Mismatch(f"expected JSON, got {reply.getheader('Content-Type')}: {shown}")
    actual = json.loads(body) if is_json else {}
    if actual.get("error_code") != row.error_code:
        raise Mismatch(f"expected error_code {row.error_code}, got {shown}")
    for operator, text in row.messages:
        check_message(operator, expand(text, variables), actual.get("message", ""))
    if row.json_lines:
        expected = json.loads(expand("\n".join(row.json_lines), variables))
        captures = {}
        compare(expected, actual, "reply", row.is_exact, captures)
        variables.update(captures)


def check_message(operator, expected, actual):
    matches = {"": actual == expected,
               "^": actual.startswith(expected),
               "~": operator == "~" and re.search(expected, actual) is not None}[operator]
    if not matches:
        raise Mismatch(f"expected message{operator}: {expected}\n         got message: {actual}")


def run_file(program, path):
    """Counts of rows that passed and failed."""
    rows = parse_file(path)
    passed = failed = 0
    variables = {"now_ms": int(time.time() * 1000)}
    try:
        with Daemon(program) as daemon:
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=REQUEST_TIMEOUT_S)
            for row in rows:
                if run_row(connection, row, variables, path):
                    passed += 1
                else:
                    failed += 1
            connection.close()
    except Failure as problem:
        failed += 1
        print(f"{path}: {problem}", file=sys.stderr)
    return passed, failed


def run_row(connection, row, variables, path):
    """Whether the row passed; says what is wrong if not."""
    try:
        check_row(connection, row, variables)
        return True
    except (Mismatch, OSError, http.client.HTTPException, ValueError) as problem:
        print(f"{path}:{row.line_number}: {row.title}\n    {row.method} {row.path[:120]}\n"
              f"    {type(problem).__name__}: {problem}", file=sys.stderr)
        if not isinstance(problem, Mismatch):
            connection.close()
        return False


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    program = binary(sys.argv)
    here = os.path.dirname(os.path.abspath(__file__))
    files = sys.argv[2:] or sorted(os.path.join(here, name) for name in os.listdir(here)
                                   if name.endswith(".http"))
    passed = failed = 0
    for path in files:
        file_passed, file_failed = run_file(program, path)
        print(f"{os.path.basename(path)}: {file_passed} passed, {file_failed} failed")
        passed, failed = passed + file_passed, failed + file_failed
    print(f"contract: {passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
