"""What the tests of trk serve need: a server under test, its log, and a worker that misbehaves on demand."""
import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time

from daemon import Failure

DEADLINE_S = 60

# Answers with the file "number" of its model, unless the request says what else to do.
WORKER = '''
import json, os, sys, time
with open(os.path.join(os.environ["TRK_MODEL_PATH"], "number")) as file:
    number = file.read().strip()
if number == "sick":
    sys.exit("this model cannot be read")
print("worker of", number, file=sys.stderr, flush=True)
os.system("echo by name > /dev/stderr")
for line in sys.stdin:
    asked = json.loads(line)
    does = asked.get("inputs")
    does = does.get("do") if isinstance(does, dict) else None
    answer = {"id": asked["id"], "predictions": [number, os.environ["TRK_VERSION"], asked]}
    if asked.get("probe"):
        answer = {"id": 0}
    elif does == "die":
        sys.exit("out of ideas")
    elif does == "deaf":
        os.close(1)
        time.sleep(600)
    elif does == "hang":
        time.sleep(600)
    elif does == "garbage":
        print("loading 100%", flush=True)
        continue
    elif does == "stranger":
        answer["id"] += 1
    elif does == "nonfinite":
        answer["predictions"] = [float("nan"), float("inf"), float("-inf"), "NaN"]
    elif does == "nothing":
        answer = {"id": asked["id"]}
    elif does == "refuse":
        answer = {"id": asked["id"], "error": 'no "such" zone'}
    elif does == "flood":
        while True:
            sys.stdout.write("x" * 65536)
    elif does == "look":
        answer["predictions"] = sorted(os.listdir("/proc/self/fd"))[:-1]  # the last one lists
    elif does == "talk":
        sys.stderr.write("x" * 5000 + "\\n\\nafter it\\n" + "y" * 100000 + "end\\n")
    elif does == "wait":
        with open(asked["inputs"]["fifo"]) as fifo:
            fifo.read()
    elif does == "answer_and_die":
        print(json.dumps(answer), flush=True)
        sys.exit(0)
    print(json.dumps(answer), flush=True)
'''


class Server:
    """A trk serve; a context manager that ends it. `stop` gives its exit status."""

    def __init__(self, program, words, home, environment):
        self.process = subprocess.Popen(
            [program, "serve", *words, "--listen", "127.0.0.1:0"], cwd=home, env=environment, text=True,
            errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.log, self.port = [], 0
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        port = self.wait_log(r"event=listening .*port=(\d+)", or_end=True)
        self.port = int(port.group(1)) if port else 0

    def _read(self):
        for line in self.process.stderr:
            with self.changed:
                self.log.append(line)
                self.changed.notify_all()

    def wait_log(self, pattern, count=1, or_end=False):
        """The match in the `count`th line of the log that has one."""
        deadline = time.monotonic() + DEADLINE_S
        with self.changed:
            while True:
                found = [m for m in (re.search(pattern, line) for line in self.log) if m]
                if len(found) >= count:
                    return found[count - 1]
                if or_end and self.process.poll() is not None:
                    return None
                self.changed.wait(0.05)
                if time.monotonic() > deadline:
                    raise Failure(f"no {pattern} in the log:\n" + "".join(self.log[-40:]))

    def ready(self):
        self.wait_log("event=version_active")
        return self

    def connect(self, timeout=DEADLINE_S):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def raw(self, method, path, body=None, headers=None, connection=None):
        """(status, headers, bytes)"""
        c = connection or self.connect()
        c.request(method, path, body, headers or {})
        reply = c.getresponse()
        found = reply.status, reply.headers, reply.read()
        if connection is None:
            c.close()
        return found

    def ask(self, body, expect=200, connection=None):
        """The decoded reply to a request for predictions."""
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        status, headers, reply = self.raw("POST", "/invocations", data, {"Content-Type": "application/json"}, connection)
        if status != expect:
            raise Failure(f"{data[:200]!r}: {status} instead of {expect}: {reply[:500]!r}\n" + "".join(self.log[-20:]))
        found = json.loads(reply)
        if headers.get("X-Model-Version"):
            found["version"] = headers["X-Model-Version"]
        return found

    def metric(self, name):
        for line in self.raw("GET", "/metrics")[2].decode().splitlines():
            if line.startswith(f"trk_serve_{name} "):
                return float(line.split()[-1])
        return None

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(DEADLINE_S)
        self.reader.join(DEADLINE_S)
        return status

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.stop()
        if any("Sanitizer" in line for line in self.log):
            raise Failure("".join(self.log[-80:]))


def write_worker(home):
    """A command for --cmd."""
    path = os.path.join(home, "worker.py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(WORKER)
    return f"exec python3 -u {path}"
