"""What the tests of deployments need: models at a daemon, a proxy that does harm on the way, and the one question."""
import http.client
import json
import os
import signal
import subprocess
import threading
import time

from cli_support import Site, Trk, tree_of, tree_sha256
from loopback import LoopbackServer

DEADLINE_S = 60


def wait_for(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.01)


class DeploySite(Site):
    """A daemon with versions of one model; knows what each of them holds."""

    def __init__(self, prefix, program):
        super().__init__(prefix)
        self.program = program
        self.trk = Trk(program, self.daemon.url, self.home)
        self.trees = {}  # tree digest → files
        self.folders = 0

    def fresh(self, name="at"):
        """A path below home where nothing is yet."""
        self.folders += 1
        return os.path.join(self.home, f"{name}{self.folders}")

    def version(self, files, model="m", alias="champion"):
        """Registers the files as the next version, which the alias then names."""
        source = os.path.join(self.fresh("source"), "model")
        for path, content in files.items():
            target = os.path.join(source, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(content)
        run = self.trk.out("log", "run-start", "--experiment", "deployed").strip()
        self.trk.run("artifacts", "put", run, source)
        if model not in [m["name"] for m in self.trk.json("models", "list")["models"]]:
            self.trk.run("models", "create", model)
        self.trk.run("models", "register", run, "model", "--name", model, "--alias", alias)
        self.trees[tree_sha256(files)] = files
        return files

    def deploy(self, to, *words, ref="m@champion", url=None, **options):
        return self.trk.run("deploy", *([ref] if ref else []), "--to", to, *words, *(["--url", url] if url else []), **options)

    def holds(self, to):
        """The files behind DIR/current, which must be one whole version that was registered; None for no link."""
        link = os.path.join(to, "current")
        if not os.path.lexists(link):
            return None
        target = os.readlink(link)
        assert target.startswith("versions/") and target.count("/") == 1, target
        files = tree_of(link)
        assert files in self.trees.values(), f"{link} is no whole version: {sorted(files)}"
        return files

    def status(self, to):
        return self.trk.json("deploy", "--status", "--to", to)

    def left_overs(self, to):
        """What lies in .trk-deploy beside what belongs there."""
        return sorted(set(os.listdir(os.path.join(to, ".trk-deploy"))) - {"lock", "state.json", "log", "log.old"})


def deployment_of(site, to):
    """What the server says of the directory; None for nothing."""
    client = site.daemon.connect()
    listed = client.call("GET", "/api/trackerd/v1/deployments?max_results=1000")["deployments"]
    client.close()
    return next((found for found in listed if found["path"] == os.path.realpath(to)), None)


def await_told(site, to, reason_part="", **wanted):
    """Waits until the server says this of the directory."""
    told = {}

    def is_told():
        told.update(deployment_of(site, to) or {})
        return all(told.get(key) == value for key, value in wanted.items()) and reason_part in told.get("reason", "")
    wait_for(is_told, f"{wanted} of {to}")
    return told


def damages(bad):
    """What a Proxy does wrong while the event `bad` is set, as pairs of its `change` and `edit`: it flips a byte, or names
    a file outside the directory."""
    def flip(_, body):
        return (bytes([body[0] ^ 1]) + body[1:] if body and bad.is_set() else body), False

    def hostile(path, body):
        if "/manifest/" not in path or not bad.is_set():
            return body
        reply = json.loads(body)
        reply["files"][0]["path"] = "../../escaped"
        return json.dumps(reply).encode()

    return (flip, None), (None, hostile)


class Proxy(LoopbackServer):
    """Hands requests on to a server. Bodies of artifacts may be changed: `change(path, body)` gives the bytes to send
    and whether the connection breaks behind them; or they stop in the middle until `gate` is set."""

    def __init__(self, port):
        self.port, self.change, self.gate = port, None, None
        self.edit = None  # edit(path, body) gives another body for any reply
        self.hidden = None  # paths that begin so are none that this server has
        self.stalled = threading.Event()
        self.ranges = []
        super().__init__()
        self.server.handle_error = lambda *_: None  # clients that were killed

    def answer(self, request):
        if self.hidden and request.path.startswith(self.hidden):
            request.send_error(404)
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        headers = {k: v for k, v in request.headers.items() if k.lower() in ("range", "if-range", "accept")}
        connection.request("GET", request.path, headers=headers)
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        body = self.edit(request.path, body) if self.edit else body
        is_file = "/mlflow-artifacts/artifacts/" in request.path
        if is_file:
            self.ranges.append(headers.get("Range"))
        sent, breaks = self.change(request.path, body) if is_file and self.change else (body, False)
        request.send_response(reply.status)
        for name in ("Content-Type", "ETag", "Content-Range"):
            if reply.headers.get(name):
                request.send_header(name, reply.headers[name])
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if is_file and self.gate:
            request.wfile.write(sent[:len(sent) // 2])
            request.wfile.flush()
            self.stalled.set()
            self.gate.wait(DEADLINE_S)
            sent = sent[len(sent) // 2:]
        request.wfile.write(sent)
        request.close_connection = breaks


class Watcher:
    """A "trk deploy --watch" of its own, whose events can be waited for; a context manager that ends it."""

    def __init__(self, site, ref, *words, to=None, url=None, env=None):
        self.site, self.to, self.events, self.at = site, to or site.fresh(), [], 0
        words = [site.program, "deploy", ref, "--to", self.to, "--watch", "--json", *words]
        words += ["--url", url] if url else []
        self.process = subprocess.Popen(words, env={**site.trk.environment, **(env or {})}, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)

    def _read(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def __enter__(self):
        self.reader.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def move(self, model, number, alias="champion"):
        """Only what comes behind the move is what it led to."""
        self.site.trk.run("models", "alias", model, alias, str(number))

    def expect(self, event, version=None):
        """Waits for the next such event, or one of "some|such"; those before it are passed over."""
        def found():
            while self.at < len(self.events):
                self.at += 1
                last = self.events[self.at - 1]
                if last["event"] in event.split("|") and version in (None, last["version"]):
                    return True
            return False
        wait_for(found, f"{event} {version or ''} behind {self.events[-3:]}")
        return self.events[self.at - 1]

    def kill(self):
        self.process.kill()
        self._finish()

    def stop(self, number=signal.SIGTERM):
        """Its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self._finish()

    def _finish(self):
        status = self.process.wait(DEADLINE_S)
        self.reader.join(DEADLINE_S)
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        return status
