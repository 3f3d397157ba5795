#!/usr/bin/env python3
"""Rules of the code that a program can check: layers, homes of third-party headers, banned functions, sizes.

Usage: run_style.py [FOLDER_OF_BINARIES]        the folder is not used
"""
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

# A folder includes itself and folders of lower layers (trackerd/README.md).
LAYERS = {"base": 1, "json": 2, "db": 2, "digest": 2, "search": 3, "graphql": 3, "store": 4, "artifacts": 4, "outgoing": 4, "http": 5,
          "jobs": 5, "api": 6}
# Who may include what: prefixes of paths.
HOMES = {
    "uv.h": ("trackerd/http/", "trackerd/jobs/", "client/serve/", "trackerd/server.c"),
    "sqlite3.h": ("trackerd/db/db_sqlite", "client/cli/sqlite_reader.c"),
    "cJSON.h": ("trackerd/json/",),
    "cjson/cJSON.h": ("trackerd/json/",),
    "archive.h": ("trackerd/artifacts/tar_", "client/cli/"),
    "archive_entry.h": ("trackerd/artifacts/tar_", "client/cli/"),
    "http_parser.h": ("trackerd/http/http1.c",),
    "llhttp.h": ("trackerd/http/http1.c",),
    "yaml.h": ("client/cli/yaml_",),
    "curl/curl.h": ("trackerd/outgoing/curl_library.h", "client/src/transport.c", "client/cli/api.c"),
}
BANNED = ("strcpy", "strcat", "strncpy", "strncat", "sprintf", "vsprintf", "strtok", "atoi", "atol", "atof", "gets",
          "gmtime", "localtime", "ctime", "asctime", "mktemp", "tmpnam", "alloca", "system", "popen", "rand", "srand")
FUNCTION_LINES_MAX = 90
FILE_LINES_MAX = 700
LINE_COLUMNS_MAX = 120


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", "--", *patterns], cwd=ROOT, check=True, capture_output=True, text=True)
    return listed.stdout.splitlines()


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def without_comments_and_texts(source):
    """The same lines with comments and string literals blanked."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, source, flags=re.S)


def check_includes(path, source):
    parts = path.split("/")
    own = parts[1] if parts[0] == "trackerd" and len(parts) > 2 else None
    for name in re.findall(r'^#include ["<]([^">]+)[">]', source, re.M):
        homes = HOMES.get(name)
        if homes and not path.startswith(homes) and not path.startswith("tests/"):
            yield f"{path}: {name} is at home in {', '.join(homes)} only"
        folder = name.split("/")[0] if "/" in name else None
        if own and folder in LAYERS and folder != own and LAYERS[folder] >= LAYERS[own]:
            yield f"{path}: {own}/ may not include {name}, which is not below it"
        # trk serve answers requests with the daemon's own HTTP layer.
        lent = ("base", "http") if path.startswith("client/serve/") else ("base",)
        if path.startswith("client/") and folder in LAYERS and folder not in lent:
            yield f"{path}: the client may include {' and '.join(lent)} only, not {name}"
        if path.startswith("client/serve/") and folder in ("cli", "src"):
            yield f"{path}: serve/ may not include {name}, which is not below it"


def check_words(path, code):
    for name in BANNED:
        for match in re.finditer(rf"(?<![\w.>]){name}\s*\(", code):
            yield f"{path}:{code.count(chr(10), 0, match.start()) + 1}: {name} is banned"


def check_sizes(path, source):
    lines = source.split("\n")
    if len(lines) > FILE_LINES_MAX:
        yield f"{path}: {len(lines)} lines; is that one noun?"
    begin = None
    tables = set()  # lines that are kept by hand
    for match in re.finditer(r"// clang-format off.*?// clang-format on", source, re.S):
        first = source.count("\n", 0, match.start()) + 1
        tables.update(range(first, first + match.group(0).count("\n") + 1))
    for number, line in enumerate(lines, 1):
        if line == "{":
            begin = number
        elif line == "}" and begin is not None:
            if number - begin > FUNCTION_LINES_MAX:
                yield f"{path}:{begin}: a function of {number - begin} lines"
            begin = None
        if len(line.expandtabs(8)) > LINE_COLUMNS_MAX and number not in tables:
            yield f"{path}:{number}: {len(line.expandtabs(8))} columns"


def check_opening(path, source):
    if path.endswith(".c") and not source.startswith("/*"):
        yield f"{path}: the first line says what the file owns"
    if path.endswith(".h") and not re.search(r"^#(ifndef \w+_H|elif !defined\(\w+_H\))$", source, re.M):
        yield f"{path}: no include guard"


def check_mirror():
    """trackerd/x/y.c has tests in tests/unit/x/: at least one program for each folder."""
    tests = set(os.path.dirname(path) for path in tracked("tests/unit/*/*_test.c"))
    for folder in LAYERS:
        if f"tests/unit/{folder}" not in tests:
            yield f"trackerd/{folder} has no unit tests"


def check_programs():
    """What scripts/test runs is what can be executed: one that cannot would be left out in silence."""
    for path in tracked("tests/*/run_*"):
        is_module = re.search(r"_test\.(py|c)$", path)
        if not is_module and not os.access(os.path.join(ROOT, path), os.X_OK):
            yield f"{path}: is not executable, so it is not run"


def main():
    problems = list(check_mirror()) + list(check_programs())
    for path in tracked("*.c", "*.h"):
        source = read(path)
        is_test = path.startswith("tests/")
        problems += check_includes(path, source)
        if not is_test:
            problems += check_words(path, without_comments_and_texts(source))
            problems += check_sizes(path, source)
            problems += check_opening(path, source)
    print("\n".join(problems))
    print(f"{len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
