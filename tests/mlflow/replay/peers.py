"""The two servers of a replay: the released `mlflow server` and trackerd, each with data of its own."""
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from daemon import Daemon, reserve_port  # noqa: E402

START_DEADLINE_S = 120
STOP_DEADLINE_S = 20
REPLY_TIMEOUT_S = 60
# Nothing of the caller's may reach the server: it would serve another store or report its use to its makers.
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
         "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true"}


class Reply:
    """What came back; `json` is None when the body is none."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        try:
            self.json = json.loads(body) if "json" in headers.get("Content-Type", "") and body else None
        except ValueError:
            self.json = None

    @property
    def error_code(self):
        return self.json.get("error_code") if isinstance(self.json, dict) else None

    @property
    def message(self):
        text = self.json.get("message") if isinstance(self.json, dict) else None
        return text if isinstance(text, str) else ""


class Peer:
    """One keep-alive connection to a server, made anew when the server closed it."""

    def __init__(self, name, port):
        self.name = name
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REPLY_TIMEOUT_S)

    def send(self, method, target, body, headers):
        """Status 0 when no reply came."""
        for attempt in range(2):
            try:
                self.connection.request(method, target, body, headers)
                reply = self.connection.getresponse()
                return Reply(reply.status, reply.headers, reply.read())
            except (OSError, http.client.HTTPException):
                self.connection.close()
                if attempt == 1:
                    return Reply(0, {}, b"")
        raise AssertionError


class Released:
    """`mlflow server` of an environment: SQLite, artifacts served, one worker. A context manager."""

    def __init__(self, python):
        self.folder = tempfile.mkdtemp(prefix="replay-released-")
        self.python = python

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        self.reserved = reserve_port()
        self.port = self.reserved.getsockname()[1]
        env = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        env.update(QUIET)
        self.log = open(os.path.join(self.folder, "log"), "w+", encoding="utf-8", errors="replace")
        # A session of its own: the command starts further processes, which end with the group.
        self.process = subprocess.Popen(
            [self.python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1",
             "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db", "--serve-artifacts",
             "--artifacts-destination", os.path.join(self.folder, "artifacts")],
            stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, cwd=self.folder,
            start_new_session=True)
        deadline = time.monotonic() + START_DEADLINE_S
        while Peer("probe", self.port).send("GET", "/health", None, {}).status != 200:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.log.seek(0)
                raise SystemExit("mlflow server did not start:\n" + self.log.read()[-3000:])
            time.sleep(0.1)

    def __exit__(self, *exception):
        process = getattr(self, "process", None)
        if process is not None:
            for number in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, number)
                    process.wait(STOP_DEADLINE_S)
                    break
                except subprocess.TimeoutExpired:
                    continue
                except ProcessLookupError:
                    break
            self.log.close()
            self.reserved.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def version_of(python):
    """The released version, for reports."""
    return subprocess.run([python, "-c", "import importlib.metadata as m; print(m.version('mlflow'))"], check=True,
                          capture_output=True, text=True).stdout.strip()


def start_trackerd(binary, data_parent):
    """trackerd in a working directory next to the other's, so that relative paths resolve alike."""
    return Daemon(binary, data=os.path.join(data_parent, "trackerd"))
