"""What all browser tests share: a daemon with seeded data, a browser, a static host; and their base class."""
import contextlib
import functools
import http.client
import http.server
import os
import shutil
import sys
import tempfile
import threading
import time
import unittest

import seed
from webdriver import Browser, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import daemon  # noqa: E402

WEB = os.path.join(HERE, "..", "..", "web")
EXPECTED_IN_CONSOLE = ("the server responded with a status of 4", "the server responded with a status of 502", "net::ERR_CONNECTION",
                       "net::ERR_INCOMPLETE_CHUNKED_ENCODING", "vendor/uPlot")


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
        self.daemon = daemon.Daemon(program, os.path.join(self.folder, "data"), ["--allowed-origins", self.static_url])
        self.url = self.daemon.url
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

    def seen(self):
        """What the browser shows, for whoever has to understand a failure."""
        try:
            return f"{self.browser.url()}\n{self.browser.text('body')[:2000]}"
        except Exception as e:  # the browser itself may be what failed
            return f"the browser does not say what it shows: {e}"

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
        """Raises Failure when the daemon does not end well."""
        try:
            self.browser.close()
        finally:
            self.static_host.shutdown()
            self.static_host.server_close()
            self.daemon.__exit__()
            shutil.rmtree(self.folder, ignore_errors=True)


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
