"""Compares two replies to the same request, with ids and times masked.

What the servers make up is bound when it is first seen at the same place of both replies: ids of runs and models,
numbers of experiments. From then on the pair must go together. Whole numbers that both lie in the minutes of the replay
are times of now; two generated run names are alike; a page token is there or not."""
import json
import re
import time

# Lists whose order the released server leaves to its database.
UNORDERED = {"tags", "params", "aliases", "latest_versions", "dataset_inputs", "dataset_summaries", "model_inputs",
             "model_outputs", "registrations", "assessments"}
ID = re.compile(r"(?:m-|tr-|d-|mpu-)?(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"
                r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
LOCATION = re.compile(r"mlflow-artifacts:/(\d+)")
GENERATED_NAME = re.compile(r"[a-z]+-[a-z]+-\d+")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
# Sentences that name the parameter: what stands before "value" varies, the parameter does not.
NAMING = (re.compile(r"(Invalid value ).*?( for parameter '[^']*' supplied)", re.S),
          re.compile(r"(Missing value for required parameter '[^']*')"),
          re.compile(r"('[^']*' exceeds the maximum length of \d+)"))
# Where the variable part of another message begins: a value in quotes, a list, a number, a masked id.
VARIABLE = re.compile(r"""['"`\[{(<\d]|=|: """)
MARGIN_MS = 10_000


class Difference:
    """One way in which two replies differ. `what` is "answer" (status or error code), "message", "body" or "header"."""

    def __init__(self, what, place, theirs, ours):
        self.what, self.place, self.theirs, self.ours = what, place, theirs, ours

    def __str__(self):
        return (f"{self.what} {self.place}\n      released: {shorten(self.theirs)}"
                f"\n      trackerd: {shorten(self.ours)}")

    @property
    def kind(self):
        """What stays the same while a case is being shortened."""
        return self.what, self.place if self.what != "answer" else f"{self.theirs[:3]} {self.ours[:3]}"


def shorten(text, limit=400):
    return text if len(text) <= limit else text[:limit] + "…"


class Ids:
    """Pairs of what the two servers made up for the same thing."""

    def __init__(self):
        self.ours_of, self.theirs_of = {}, {}

    def bind(self, theirs, ours):
        """False when either already goes with something else."""
        if self.ours_of.get(theirs, ours) != ours or self.theirs_of.get(ours, theirs) != theirs:
            return False
        self.ours_of[theirs], self.theirs_of[ours] = ours, theirs
        return True

    def translate(self, theirs):
        """A text of theirs in our ids."""
        text = ID.sub(lambda m: self.ours_of.get(m.group(0), m.group(0)), theirs)
        return LOCATION.sub(lambda m: "mlflow-artifacts:/" + self.ours_of.get("e" + m.group(1), m.group(1)), text)


class Comparer:
    """Compares replies; remembers ids from one to the next."""

    def __init__(self):
        """To be made before the servers start: their times of now begin here."""
        self.ids = Ids()
        self.begin_ms = time.time() * 1000

    def replies(self, theirs, ours):
        """The differences, most important first."""
        if theirs.status == ours.status and theirs.json is None and ours.status in (404, 405):
            return []  # no route: the released server answers a page
        if theirs.status != ours.status or theirs.error_code != ours.error_code:
            return [Difference("answer", "", answer_text(theirs), answer_text(ours))]
        if ours.status >= 400:
            # A long value is cut in a message of ours.
            whole, shown = self.ids.translate(theirs.message), ours.message.partition("…")[0]
            if message_prefix(theirs.message) == message_prefix(ours.message) or whole == ours.message or \
                    (shown != ours.message and whole.startswith(shown)):
                return []
            return [Difference("message", "", theirs.message, ours.message)]
        differences = self.headers(theirs, ours)
        if (theirs.json is None) != (ours.json is None):
            differences.append(Difference("body", "", repr(theirs.body[:200]), repr(ours.body[:200])))
        elif theirs.json is not None:
            self.values("", "", theirs.json, ours.json, differences)
        elif theirs.body != ours.body:
            differences.append(Difference("body", "", repr(theirs.body[:200]), repr(ours.body[:200])))
        return differences

    def headers(self, theirs, ours):
        differences = []
        for name in ("Content-Type", "Content-Disposition", "X-Content-Type-Options"):
            a, b = (plain_header(reply.headers.get(name)) for reply in (theirs, ours))
            if (name != "Content-Type" or ours.json is None) and a is not None and a != b:
                differences.append(Difference("header", name, str(a), str(b)))
        return differences

    def values(self, place, name, theirs, ours, differences):
        if isinstance(theirs, dict) and isinstance(ours, dict):
            # Ids first: locations are made of them.
            for key in sorted(theirs.keys() | ours.keys(), key=lambda key: (not key.endswith("_id"), key)):
                where = f"{place}.{key}" if place else key
                if key in theirs and key in ours:
                    self.values(where, key, theirs[key], ours[key], differences)
                else:
                    differences.append(Difference("body", where, show(theirs, key), show(ours, key)))
        elif isinstance(theirs, list) and isinstance(ours, list):
            if name in UNORDERED or place.endswith("data.metrics"):
                theirs = sorted(theirs, key=lambda item: self.sort_key(item, True))
                ours = sorted(ours, key=lambda item: self.sort_key(item, False))
            if len(theirs) != len(ours):
                differences.append(Difference("body", place + "[]", json.dumps(theirs), json.dumps(ours)))
            else:
                for a, b in zip(theirs, ours):
                    self.values(place + "[]", name, a, b, differences)
        elif not self.equal(place, name, theirs, ours):
            differences.append(Difference("body", place, json.dumps(theirs), json.dumps(ours)))

    def sort_key(self, item, is_theirs):
        """By what was given, not by what a server made up."""
        if isinstance(item, dict) and ("key" in item or "version" in item):
            return json.dumps([item.get("key"), item.get("value"), item.get("name"), item.get("version")])
        text = json.dumps(item, sort_keys=True)
        return self.ids.translate(text) if is_theirs else text

    def equal(self, place, name, theirs, ours):
        if isinstance(theirs, bool) or isinstance(ours, bool) or theirs is None or ours is None:
            return theirs is ours
        if isinstance(theirs, (int, float)) and isinstance(ours, (int, float)):
            return theirs == ours or (self.is_now(theirs) and self.is_now(ours))
        if not isinstance(theirs, str) or not isinstance(ours, str):
            return False
        if name in ("experiment_id",):
            return self.ids.bind("e" + theirs, ours)
        if name == "next_page_token":
            return bool(theirs) == bool(ours)
        if name == "upload_id":
            return self.ids.bind(theirs, ours)
        if ID.fullmatch(theirs) and ID.fullmatch(ours):
            return self.ids.bind(theirs, ours)
        if self.ids.translate(theirs) == ours:
            return True
        if GENERATED_NAME.fullmatch(theirs) and GENERATED_NAME.fullmatch(ours):
            return name in ("run_name", "name", "value")
        return bool(INSTANT.match(theirs) and INSTANT.match(ours)) and name.endswith("time")

    def is_now(self, value):
        return self.begin_ms - MARGIN_MS <= value <= time.time() * 1000 + MARGIN_MS


def show(members, key):
    return json.dumps(members[key]) if key in members else "(absent)"


def answer_text(reply):
    return f"{reply.status} {reply.error_code or ''} {reply.message}"


def plain_header(value):
    """Without a charset and optional quotes."""
    return None if value is None else value.removesuffix("; charset=utf-8").replace('"', "")


def message_prefix(message):
    """What comes before the first variable part; the README says what counts as one."""
    for sentence in NAMING:
        found = sentence.match(message)
        if found:
            return "".join(found.groups())
    found = VARIABLE.search(message)
    return message[:found.start()] if found else message
