#!/usr/bin/env python3
"""trk serve under load while the alias moves back and forth: no request fails, and each is answered by one version,
whole. wrk sends the load and looks at every body.

Usage: run_serve_reload.py FOLDER_OF_BINARIES
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "e2e"), os.path.join(HERE, "..", "support")]
from cases import case, check, run_cases  # noqa: E402
from daemon import binary  # noqa: E402
from deploy_support import DeploySite  # noqa: E402
from serve_support import DEADLINE_S, Server, write_worker  # noqa: E402

MOVES = 20
CONNECTIONS = 16

# The number in the model, the version in the worker's environment and the one in the header must be the same.
SCRIPT = r'''
wrk.method, wrk.body = "POST", '{"inputs": [1, 2, 3]}'
wrk.headers["Content-Type"] = "application/json"
good, bad, first_bad, seen = 0, 0, "", {}
threads = {}
function setup(thread) table.insert(threads, thread) end
function init() versions = "" end
function response(status, headers, body)
	local number, version = body:match('^{"predictions":%["(%d)", "(%d)", {"id": %d+, "inputs": %[1, 2, 3%]}%]}$')
	if status == 200 and number and number == version and headers["X-Model-Version"] == version then
		good = good + 1
		if not versions:find(version, 1, true) then versions = versions .. version end
	else
		bad = bad + 1
		if first_bad == "" then first_bad = status .. " " .. body end
	end
end
function done(summary, latency)
	local e = summary.errors
	local good, bad, first, versions = 0, 0, "", ""
	for _, thread in ipairs(threads) do
		good, bad = good + thread:get("good"), bad + thread:get("bad")
		first, versions = first .. thread:get("first_bad"), versions .. thread:get("versions")
	end
	io.write(string.format("RESULT good=%d bad=%d connect=%d read=%d write=%d timeout=%d p99_us=%d versions=%s\nFIRST %s\n",
		good, bad, e.connect, e.read, e.write, e.timeout, latency:percentile(99), versions, first))
end
'''


def result_of(text):
    line = next((line for line in text.splitlines() if line.startswith("RESULT")), "")
    return dict(word.split("=") for word in line.split()[1:])


@case
def no_request_fails_while_the_alias_moves_back_and_forth(site):
    command = write_worker(site.home)
    for number in (1, 2):
        site.version({"number": f"{number}\n".encode()}, model="loaded")
    script = os.path.join(site.home, "load.lua")
    with open(script, "w", encoding="utf-8") as file:
        file.write(SCRIPT)
    words = ["loaded@champion", "--cmd", command, "--workers", "2"]
    with Server(site.program, words, site.home, site.trk.environment) as server:
        server.ready()
        load = subprocess.Popen(
            ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", "300", "--timeout", "60", "-s", script,
             f"http://127.0.0.1:{server.port}/invocations"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            for move in range(MOVES):
                wanted = str(1 + move % 2)
                site.client.call("POST", "registered-models/alias",
                                 {"name": "loaded", "alias": "champion", "version": wanted})
                deadline = time.monotonic() + DEADLINE_S
                while json.loads(server.raw("GET", "/version")[2])["version"] != wanted:
                    check(time.monotonic() < deadline, f"move {move} was not followed")
                    check(load.poll() is None, "the load goes on")
                    time.sleep(0.02)
            load.send_signal(signal.SIGINT)
            text, _ = load.communicate(timeout=DEADLINE_S)
        finally:
            if load.poll() is None:
                load.kill()
                load.wait()
        found = result_of(text)
        print(text.strip())
        check(found and int(found["good"]) > 1000, text)
        check([found[k] for k in ("bad", "connect", "read", "write", "timeout")] == ["0"] * 5, text)
        check(set(found["versions"]) == {"1", "2"}, "both versions answered")
        check(server.metric("reloads_total") == MOVES + 1, server.metric("reloads_total"))
        check(server.metric("worker_restarts_total") == 0, "no worker was lost")
        check(server.stop() == 0, "".join(server.log[-20:]))


if __name__ == "__main__":
    if shutil.which("wrk") is None:
        raise SystemExit("run_serve_reload.py: wrk is missing; scripts/setup --tests installs it")
    with DeploySite("trk-serve-load-", binary(sys.argv, "trk")) as the_site:
        run_cases(the_site)
