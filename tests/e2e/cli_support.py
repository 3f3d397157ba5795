"""What the tests of trk need: running it with and without a terminal, and a server that lies."""
import fcntl
import hashlib
import json
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from daemon import Daemon, binary  # noqa: E402
from loopback import LoopbackServer  # noqa: E402

DEADLINE_S = 120


class Trk:
    """Runs the program in a folder of its own, with an environment of its own."""

    def __init__(self, program, url, home):
        self.program = program
        self.home = home
        self.environment = {
            "PATH": os.path.dirname(program) + ":" + os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": home, "TRK_URL": url, "TMPDIR": home, "COLUMNS": "80", "TZ": "UTC",
            **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")},
        }

    def run(self, *words, expect=0, env=None, stdin=None):
        """The finished process; its exit status must be the expected one."""
        done = subprocess.run([self.program, *words], env={**self.environment, **(env or {})}, cwd=self.home,
                              input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=DEADLINE_S)
        assert done.returncode == expect, \
            f"trk {' '.join(words)}: exit {done.returncode} instead of {expect}\n{done.stdout}{done.stderr}"
        return done

    def out(self, *words, **options):
        return self.run(*words, **options).stdout

    def json(self, *words, **options):
        """What is printed with --json; nothing but one JSON text may be there."""
        done = self.run(*words, "--json", **options)
        assert done.stderr == "" or options.get("expect"), f"talk beside JSON: {done.stderr}"
        return json.loads(done.stdout)

    def terminal(self, *words, columns=80, expect=0, env=None, keys=b""):
        """What a person sees on a terminal of that width; standard output and error together."""
        process, screen = pty.fork()
        if process == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
                os.chdir(self.home)
                os.execve(self.program, [self.program, *words],
                          {**self.environment, "TERM": "xterm", **(env or {})})
            finally:
                os._exit(127)
        if keys:
            os.write(screen, keys)
        seen, deadline = b"", time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            if not select.select([screen], [], [], 1)[0]:
                continue
            try:
                piece = os.read(screen, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            seen += piece
        os.close(screen)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        assert status == expect, f"trk {' '.join(words)}: exit {status}\n{seen.decode(errors='replace')}"
        return seen.decode().replace("\r\n", "\n")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def tree_sha256(files):
    """files: {relative path: bytes}"""
    paths = sorted(files, key=lambda path: path.encode())
    return sha256("".join(f"{sha256(files[p])}  {p}\n" for p in paths).encode())


def tree_of(folder):
    """{relative path: bytes} of what is in a folder."""
    found = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = file.read()
    return found


class Site:
    """A daemon of its own and a folder, which anybody may enter; both are gone at the end."""

    def __init__(self, prefix, options=()):
        self.home = tempfile.mkdtemp(prefix=prefix)
        os.chmod(self.home, 0o755)
        self.tree = os.path.join(self.home, "mlruns")
        self.daemon = Daemon(binary(sys.argv), options=options)
        self.client = self.daemon.connect()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.daemon.__exit__(*exception)
        shutil.rmtree(self.home, ignore_errors=True)

    def post(self, path, **body):
        return self.client.call("POST", path, body)

    def get(self, path):
        return self.client.call("GET", path)


class LyingServer(LoopbackServer):
    """Speaks as much of the API as "models get" and "artifacts get" need, and lies as it is told.

    files: what it delivers; manifest: a function that may change the honest manifest; cut: {path: bytes after which the
    connection breaks}; statuses: {path: status instead of the file}. `requests` are the (path, headers) it got."""

    def __init__(self, files, manifest=None, cut=None, tags=None, uri="mlflow-artifacts:/1/run/artifacts/model"):
        self.files, self.change, self.cut, self.tags, self.uri = files, manifest, cut or {}, tags or {}, uri
        self.requests = []
        super().__init__()

    def manifest(self):
        items = [{"path": p, "file_size": len(self.files[p]), "sha256": sha256(self.files[p])}
                 for p in sorted(self.files)]
        honest = {"path": "x", "file_count": len(items), "byte_count": sum(map(len, self.files.values())),
                  "tree_sha256": tree_sha256(self.files), "files": items}
        return self.change(honest) if self.change else honest

    def answer(self, request):
        path = urllib.parse.unquote(request.path.split("?")[0])
        self.requests.append((request.path, dict(request.headers)))
        version = {"name": "m", "version": "1", "run_id": "0" * 32,
                   "tags": [{"key": k, "value": v} for k, v in self.tags.items()]}
        prefix = "/api/2.0/mlflow-artifacts/artifacts/1/run/artifacts/model/"
        if path.endswith("/registered-models/alias") or path.endswith("/model-versions/get"):
            self.send(request, {"model_version": version})
        elif path.endswith("/get-download-uri"):
            self.send(request, {"artifact_uri": self.uri})
        elif path.endswith("/model-versions/search"):
            self.send(request, {"model_versions": [version]})
        elif path.endswith("/runs/get"):
            info = {"run_id": "0" * 32, "artifact_uri": "mlflow-artifacts:/1/run/artifacts"}
            self.send(request, {"run": {"info": info}})
        elif path.startswith("/api/trackerd/v1/manifest/"):
            self.send(request, self.manifest())
        elif path.startswith(prefix) and path[len(prefix):] in self.files:
            self.send_file(request, path[len(prefix):])
        else:
            self.send(request, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "nothing there"}, 404)

    def send(self, request, value, status=200):
        body = json.dumps(value).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def send_file(self, request, name):
        data, start = self.files[name], 0
        etag = f'"{sha256(data)}"'
        wanted = request.headers.get("Range", "")
        if wanted and request.headers.get("If-Range") == etag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        request.send_response(206 if start else 200)
        request.send_header("ETag", etag)
        request.send_header("Content-Length", str(len(data) - start))
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        request.end_headers()
        end = self.cut.get(name, len(data))
        request.wfile.write(data[start:end])
        if end < len(data):
            request.wfile.flush()
            request.close_connection = True
