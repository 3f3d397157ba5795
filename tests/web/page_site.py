"""What all browser tests share: a daemon with seeded data, a browser, a static host; and their base class."""
import contextlib
import functools
import http.client
import http.server
import os
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

import seed
from webdriver import Browser, wait_until

WEB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "web")
EXPECTED_IN_CONSOLE = ("the server responded with a status of 4", "the server responded with a status of 502", "net::ERR_CONNECTION",
                       "net::ERR_INCOMPLETE_CHUNKED_ENCODING", "vendor/uPlot")


class Daemon:
    def __init__(self, program, data, allowed_origin):
        self.program, self.data, self.origin = program, data, allowed_origin
        self.log = open(os.path.join(data + ".log"), "a")
        self.port = None
        self.start()

    def start(self):
        """On a port of the kernel's choice; later starts take the same one again."""
        before = os.path.getsize(self.log.name)
        self.process = subprocess.Popen([self.program, "--data", self.data, "--listen", f"127.0.0.1:{self.port or 0}",
                                         "--allowed-origins", self.origin], stdout=self.log, stderr=self.log)
        self.port = wait_until(lambda: self._logged_port(before), "the daemon to listen", 60)
        wait_until(self._is_healthy, "the daemon to be healthy", 60)

    def _logged_port(self, before):
        if self.process.poll() is not None:
            raise AssertionError(f"the daemon ended at once, see {self.log.name}")
        with open(self.log.name) as f:
            f.seek(before)
            for line in f:
                if "event=listening" in line:
                    return int(line.split("port=")[1].split()[0])
        return None

    def _is_healthy(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    def stop(self):
        """→ the exit code after SIGTERM."""
        self.process.terminate()
        return self.process.wait(60)


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}

    def log_message(self, *args):
        pass


class NoStreams(http.server.BaseHTTPRequestHandler):
    """Passes requests on to the daemon as a proxy would that cannot stream: live events get no answer but 502, or,
    with `holds_back`, none at all before the test ends."""
    protocol_version = "HTTP/1.1"
    daemon_port = None
    holds_back = None

    def log_message(self, *args):
        pass

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/api/trackerd/v1/events"):
            if self.holds_back:
                self.holds_back.wait()
            with contextlib.suppress(BrokenPipeError):  # the page did not wait for it
                self.send_error(502)
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon_port, timeout=60)
        connection.request(self.command, self.path, body or None, dict(self.headers))
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        self.send_response(reply.status)
        for name in ("Content-Type", "ETag", "Content-Security-Policy"):
            if reply.headers[name]:
                self.send_header(name, reply.headers[name])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = pass_on


class Site:
    """Made once; tests restore what they change or make things of their own."""

    def __init__(self, program, run_count):
        self.folder = tempfile.mkdtemp(prefix="trackerd-web-")
        self.downloads = os.path.join(self.folder, "downloads")
        os.mkdir(self.downloads)
        static = os.path.join(self.folder, "static")
        shutil.copytree(WEB, static, ignore=shutil.ignore_patterns("vendor", "node_modules"))
        self.static_host = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietFiles, directory=static))
        threading.Thread(target=self.static_host.serve_forever, daemon=True).start()
        self.static_url = f"http://127.0.0.1:{self.static_host.server_port}"
        self.daemon = Daemon(program, os.path.join(self.folder, "data"), self.static_url)
        self.url = f"http://127.0.0.1:{self.daemon.port}"
        self.run_count = run_count
        self.now = int(time.time() * 1000)
        rest = self.rest()
        self.taxi, self.runs = seed.taxi(rest, self.now)
        self.taxi_move, self.deployed = seed.remembered(rest)
        self.long_run, self.spike = seed.long_curve(rest, self.taxi, self.now)
        self.evil_experiment, self.evil_run = seed.hostile(rest, self.now)
        self.logged = seed.logged_models(rest, self.now)
        self.many, self.best_of_many = seed.many(self.daemon.port, self.now, run_count)
        self.browser = Browser(self.downloads)
        self.browser.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=self.downloads)

    def rest(self):
        return seed.Rest(self.daemon.port)

    @contextlib.contextmanager
    def proxy(self, holds_back=False):
        """→ the address of a proxy in front of the daemon that cannot stream."""
        ended = threading.Event()
        members = {"daemon_port": self.daemon.port, "holds_back": ended if holds_back else None}
        proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Proxy", (NoStreams,), members))
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{proxy.server_port}"
        finally:
            ended.set()
            proxy.shutdown()
            proxy.server_close()

    def close(self):
        try:
            self.browser.close()
        finally:
            self.static_host.shutdown()
            self.static_host.server_close()
            code = self.daemon.stop()
            self.daemon.log.close()
        if code == 0:
            shutil.rmtree(self.folder, ignore_errors=True)
        return code


class PageTest(unittest.TestCase):
    """A test of the page. After each, the console must be free of errors and of policy violations."""
    site = None
    screenshots = None
    longMessage = True

    def setUp(self):
        self.b = self.site.browser
        self.b.resize(1360, 860)
        self.b.console()

    def tearDown(self):
        problems = [e["message"] for e in self.b.console() if e["level"] == "SEVERE"
                    and not any(part in e["message"] for part in EXPECTED_IN_CONSOLE)]
        self.assertEqual([], problems, "errors in the browser's console")

    def open(self, address):
        self.b.open(f"{self.site.url}/{address}")

    def shot(self, name):
        if self.screenshots:
            self.b.screenshot(os.path.join(self.screenshots, f"{name}.png"))

    def rows(self):
        """Names of the runs in sight, from top to bottom."""
        return self.b.run("""return [...document.querySelectorAll('.vt-row')]
            .sort((a, b) => a.dataset.index - b.dataset.index).map((r) => r.querySelector('a').innerText)""")

    def wait_rows(self, expected, what="rows"):
        wait_until(lambda: self.rows() == expected, f"{what}: {expected}")

    def heads(self):
        return self.b.run("""return [...document.querySelectorAll('.vt-head [data-column]')].map((e) => e.dataset.column)""")

    def downloaded(self, name):
        """Waits for a downloaded file. → its bytes, after which it is gone."""
        path = os.path.join(self.site.downloads, name)
        wait_until(lambda: os.path.exists(path) and not os.path.exists(path + ".crdownload"), f"the download of {name}")
        with open(path, "rb") as f:
            content = f.read()
        os.unlink(path)
        return content

    def js(self, body):
        """The value of an async function body that may import the page's modules."""
        return self.b.call("POST", "execute/async", {"args": [], "script": f"""
            const done = arguments[arguments.length - 1];
            (async () => {{ {body} }})().then((v) => done({{value: v}}), (e) => done({{error: String(e.stack)}}));"""})
