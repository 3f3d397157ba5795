"""The differences that are meant to be: differences.toml, and whether each still occurs.

    [[difference]]
    id = "a-short-name"               also a row of the table in ../README.md
    endpoint = "POST runs/(create|update)"   the rest are regular expressions; what is left out matches everything
    what = "body"                     "answer", "message", "body" or "header"
    place = 'run\\.info\\.end_time'   where in the reply; a header's name
    theirs = "0"                      JSON for bodies; "400 CODE message" for answers: searched, not matched as a whole
    ours = '\\(absent\\)'"""
import os
import re
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
README = os.path.join(HERE, "..", "README.md")
PARTS = ("endpoint", "what", "place", "theirs", "ours", "request")


class Listed:
    def __init__(self, path=os.path.join(HERE, "differences.toml")):
        with open(path, "rb") as file:
            rows = tomllib.load(file)["difference"]
        self.ids = [row["id"] for row in rows]
        self.rows = []
        for row in rows:
            unknown = set(row) - set(PARTS) - {"id"}
            if unknown:
                raise SystemExit(f"differences.toml: {row['id']}: unknown {unknown}")
            self.rows.append((row["id"], {part: re.compile(row[part], re.S) for part in PARTS if part in row}))
        self.seen = {}

    def explain(self, step, difference):
        """The id of the listed difference that this is, or None."""
        values = {"endpoint": step.endpoint, "what": difference.what, "place": difference.place,
                  "theirs": difference.theirs, "ours": difference.ours}
        for name, patterns in self.rows:
            for part, pattern in patterns.items():
                value = values[part] if part != "request" else str(step)
                matches = pattern.search if part in ("theirs", "ours", "request") else pattern.fullmatch
                if not matches(value):
                    break
            else:
                self.seen[name] = self.seen.get(name, 0) + 1
                return name
        return None

    def gone(self):
        """Listed, but not seen."""
        return [name for name in self.ids if name not in self.seen]

    def compare_with_readme(self):
        """Problems of the table in the README, which names every listed difference in its first column."""
        with open(README, encoding="utf-8") as file:
            columns = re.findall(r"^\| (`[a-z0-9`, -]+`) \|", file.read(), re.M)
        rows = re.findall(r"[a-z0-9-]+", " ".join(columns))
        return ([f"tests/mlflow/README.md lacks a row for {name}" for name in self.ids if name not in rows] +
                [f"tests/mlflow/README.md has a row for {name}, which is not listed" for name in rows
                 if name not in self.ids])
