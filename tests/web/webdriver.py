"""A small client of the W3C WebDriver protocol, for chromedriver. Standard library only."""
import base64
import http.client
import json
import os
import shutil
import subprocess
import tempfile
import time

DEADLINE_S = 60  # of what takes a tenth of a second on an idle machine
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Down": "\ue015", "Up": "\ue013", "End": "\ue010", "Home": "\ue011",
        "PageDown": "\ue00f", "Tab": "\ue004", "Shift": "\ue008", "Control": "\ue009", "Alt": "\ue00a"}
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
         "--force-prefers-reduced-motion", "--lang=en-US"]


class WebDriverError(Exception):
    pass


def wait_until(condition, what, seconds=DEADLINE_S, pause=0.05):
    """Waits until condition() is true and gives its value. An answer that fails on the way counts as not yet."""
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = value
        except (WebDriverError, KeyError, IndexError, TypeError) as e:
            last = e
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what} (last: {last!r})")
        time.sleep(pause)


class Browser:
    """One browser with a profile of its own. Ends only the processes that it started."""

    def __init__(self, downloads, width=1360, height=860):
        self.profile = tempfile.mkdtemp(prefix="trackerd-web-profile-")
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       text=True)
        self.port = self._read_port()
        self.size = (width, height)
        options = {
            "binary": shutil.which("chromium") or "/usr/bin/chromium",
            "args": FLAGS + [f"--user-data-dir={self.profile}", f"--window-size={width},{height}"],
            "prefs": {"download.default_directory": os.path.abspath(downloads), "download.prompt_for_download": False},
        }
        caps = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = None
        reply = self._call("POST", "/session", {"capabilities": {"alwaysMatch": caps}})
        self.session = reply["sessionId"]

    def _read_port(self):
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                return int(line.rstrip(".\n").rsplit(" ", 1)[1])
        raise WebDriverError("chromedriver did not start")

    def _call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json"})
            reply = connection.getresponse()
            value = json.loads(reply.read())["value"]
        finally:
            connection.close()
        if reply.status != 200:
            raise WebDriverError(f"{value['error']}: {value['message'].splitlines()[0]}")
        return value

    def call(self, method, path, body=None):
        if method == "POST" and body is None:
            body = {}
        return self._call(method, f"/session/{self.session}/{path}", body)

    def close(self):
        try:
            if self.session:
                self._call("DELETE", f"/session/{self.session}")
        finally:
            self.driver.terminate()
            self.driver.wait(DEADLINE_S)
            self.driver.stdout.close()
            shutil.rmtree(self.profile, ignore_errors=True)

    # --- pages ---
    def open(self, url):
        """Also when only the part after # differs: the page is loaded anew."""
        self.call("POST", "url", {"url": "about:blank"})
        self.call("POST", "url", {"url": url})

    def url(self):
        return self.call("GET", "url")

    def back(self):
        self.call("POST", "back")

    def forward(self):
        self.call("POST", "forward")

    def title(self):
        return self.call("GET", "title")

    def run(self, script, *args):
        """The value of a function body in the page."""
        return self.call("POST", "execute/sync", {"script": script, "args": list(args)})

    def cdp(self, command, **params):
        return self.call("POST", "goog/cdp/execute", {"cmd": command, "params": params})

    def console(self):
        return self.call("POST", "se/log", {"type": "browser"})

    def resize(self, width, height, is_phone=False):
        if is_phone:
            self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2, mobile=True)
        else:
            self.cdp("Emulation.clearDeviceMetricsOverride")
            self.call("POST", "window/rect", {"width": width, "height": height})

    def screenshot(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("GET", "screenshot")))

    # --- elements ---
    def find(self, selector):
        return self.call("POST", "element", {"using": "css selector", "value": selector})[ELEMENT]

    def wait(self, selector, seconds=DEADLINE_S):
        return wait_until(lambda: self.find(selector), f"element {selector}", seconds)

    def gone(self, selector, seconds=DEADLINE_S):
        wait_until(lambda: not self.exists(selector), f"no element {selector}", seconds)

    def exists(self, selector):
        return self.run("return document.querySelector(arguments[0]) !== null", selector)

    def count(self, selector):
        return self.run("return document.querySelectorAll(arguments[0]).length", selector)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).innerText", selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)", selector)

    def attribute(self, selector, name):
        return self.run("return document.querySelector(arguments[0]).getAttribute(arguments[1])", selector, name)

    def wait_text(self, selector, part, seconds=DEADLINE_S):
        return wait_until(lambda: part in self.text(selector), f"“{part}” in {selector}", seconds)

    def click(self, selector):
        """As soon as it is there and enabled, and nothing covers it."""
        script = "const e = document.querySelector(arguments[0]); return e && !e.disabled ? e : null"
        wait_until(lambda: self.call("POST", f"element/{self.run(script, selector)[ELEMENT]}/click") is None,
                   f"a click on {selector}")

    def click_text(self, selector, text):
        """The first match with exactly this text that is seen and enabled."""
        script = """for (const e of document.querySelectorAll(arguments[0]))
            if (e.innerText.trim() === arguments[1] && e.checkVisibility() && !e.disabled) return e; return null"""
        wait_until(lambda: self.call("POST", f"element/{self.run(script, selector, text)[ELEMENT]}/click") is None,
                   f"a click on {selector} “{text}”")

    def type(self, selector, text):
        """As soon as it takes keys."""
        wait_until(lambda: self.call("POST", f"element/{self.find(selector)}/value", {"text": text}) is None,
                   f"typing into {selector}")

    def clear(self, selector):
        wait_until(lambda: self.call("POST", f"element/{self.find(selector)}/clear") is None, f"an empty {selector}")

    def fill(self, selector, text):
        """Replaces the content and presses Enter."""
        self.clear(selector)
        self.type(selector, text + KEYS["Enter"])

    def press(self, *keys, held=()):
        """Keys to whatever has the focus."""
        steps = [{"type": "keyDown", "value": KEYS.get(k, k)} for k in held]
        for k in keys:
            steps += [{"type": "keyDown", "value": KEYS.get(k, k)}, {"type": "keyUp", "value": KEYS.get(k, k)}]
        steps += [{"type": "keyUp", "value": KEYS.get(k, k)} for k in held]
        self.call("POST", "actions", {"actions": [{"type": "key", "id": "keyboard", "actions": steps}]})

    def drag(self, selector, from_part, to_part):
        """Drags inside an element from one part of its width to another."""
        r = self.call("GET", f"element/{self.wait(selector)}/rect")
        self.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
        r = self.run("const r = document.querySelector(arguments[0]).getBoundingClientRect();"
                     "return {x: r.x, y: r.y, width: r.width, height: r.height}", selector)
        y = int(r["y"] + r["height"] / 2)
        x = [int(r["x"] + r["width"] * part) for part in (from_part, (from_part + to_part) / 2, to_part)]
        move = [{"type": "pointerMove", "duration": 0, "x": at, "y": y, "origin": "viewport"} for at in x]
        self.call("POST", "actions", {"actions": [{
            "type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
            "actions": [move[0], {"type": "pointerDown", "button": 0}, move[1], move[2],
                        {"type": "pointerUp", "button": 0}]}]})
