"""The scripted log: the transcripts of tests/contract/ and of this folder, as steps.

The format is that of tests/contract/run_contract.py. Here the requests count, and the variables that replies are to
give; what the reply should be is the other server's matter, so rows of this folder may leave the HTTP line out and name
their variables with a line "capture: NAME = path.in.the.reply" before the body."""
import glob
import json
import os
import re
import sys

from steps import Step

HERE = os.path.dirname(os.path.abspath(__file__))
CONTRACT = os.path.join(HERE, "..", "..", "contract")
# Transcripts of what both servers have; rows that only trackerd answers are marked there.
TRANSCRIPTS = ("batch", "errors", "experiments", "registry", "runs")
sys.path.insert(0, CONTRACT)
import run_contract  # noqa: E402

REPEAT = re.compile(r"\{\{(repeat|list) (\d+) (.*?)\}\}(?!\})")


def files():
    return ([os.path.join(CONTRACT, name + ".http") for name in TRANSCRIPTS] +
            sorted(glob.glob(os.path.join(HERE, "*.http"))))


def read(path):
    """The steps of a file, without those that only trackerd knows."""
    rows = run_contract.parse_file(path, needs_status=False)
    return [step for step in map(step_of, filter(lambda row: row.is_replayed, rows)) if not is_ours_alone(step)]


def is_ours_alone(step):
    return step.path.startswith("/api/trackerd/")


def step_of(row):
    captures = dict(re.fullmatch(r"(\w+) = (\S+)", value).groups() for name, value in row.headers if name == "capture")
    headers = [(name, value) for name, value in row.headers if name != "capture"]
    if row.json_lines:
        expected = re.sub(r"\{\{[a-z_0-9]+\}\}", "0", repeat("\n".join(row.json_lines)))
        find_captures("", json.loads(expected), captures)
    body = repeat("\n".join(row.body_lines)) if row.body_lines else None
    return Step(row.method, repeat(row.path), raw=body, captures=captures, headers=headers, title=row.title)


def repeat(text):
    def replace(found):
        count = int(found.group(2))
        if found.group(1) == "repeat":
            return found.group(3) * count
        return ",".join(found.group(3).replace("#", str(i)) for i in range(count))
    return REPEAT.sub(replace, text)


def find_captures(place, expected, captures):
    """<<name>> and <<name:REGEX>> in what a transcript expects."""
    if isinstance(expected, str):
        found = re.fullmatch(r"<<([a-z_0-9]+)(:.*)?>>", expected)
        if found and found.group(1) != "absent":
            captures[found.group(1)] = place
    items = {dict: dict.items, list: enumerate}.get(type(expected), lambda _: ())(expected)
    for key, value in items:
        find_captures(f"{place}.{key}" if place else str(key), value, captures)
