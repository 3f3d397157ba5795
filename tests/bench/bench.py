#!/usr/bin/env python3
"""Measures a release of trackerd and prints the figures with their goals and the commands. Standard library only.

Usage: bench.py FOLDER_OF_BINARIES [NAME...]    called by scripts/bench
"""
import concurrent.futures
import contextlib
import http.client
import itertools
import json
import math
import os
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(TESTS, folder) for folder in ("support", "e2e", "mlflow", "mlflow/replay")]
import environments  # noqa: E402
import peers  # noqa: E402
import run_webhooks  # noqa: E402
from daemon import Client, Daemon  # noqa: E402
from deploy_support import DeploySite, Watcher  # noqa: E402
from mlflow_database import TIME, Database  # noqa: E402
from serve_support import Server  # noqa: E402

REPEATS = 3
STARTS = 20
RUNS = 10000
CONNECTIONS = 32  # of one client
GIB = 1 << 30
MIB = 1 << 20
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"
MPU = "/api/2.0/mlflow-artifacts/mpu/"
PARTS = 16
PART_CONNECTIONS = 4
PREDICTIONS = 20000
MOVES = 60
BIG_MOVES = 9
BENCHMARKS = {}


def benchmark(title, only_asked=False):
    """Decorator: the function is a benchmark; its name chooses it on the command line. only_asked: without being named,
    it is left out, since it needs more than this machine."""
    def register(function):
        BENCHMARKS[function.__name__] = (title, function, only_asked)
        return function
    return register


def command(text):
    print(f"    $ {text}")


def figure(name, values, unit, goal=None, at_most=False, digits=0):
    """Best and median of the values, and how the median compares with the goal."""
    best = min(values) if at_most else max(values)
    median = statistics.median(values)
    text = f"    {name}: median {median:,.{digits}f} {unit}, best {best:,.{digits}f} (of {len(values)})"
    if goal is not None:
        is_met = median <= goal if at_most else median >= goal
        off = abs(median - goal) / goal * 100
        text += f"; goal {'≤' if at_most else '≥'} {goal:,} {unit}: {'met' if is_met else f'missed by {off:.0f} %'}"
    print(text, flush=True)


def memory_of(process, field):
    """MiB of a field of /proc/PID/status."""
    with open(f"/proc/{process.pid}/status") as file:
        return int(re.search(rf"^{field}:\s+(\d+) kB", file.read(), re.M).group(1)) / 1024


def new_run(client, experiment="0"):
    return client.call("POST", "runs/create", {"experiment_id": experiment})["run"]["info"]["run_id"]


class Bench:
    def __init__(self, binaries, folder):
        self.binaries = binaries
        self.folder = folder

    def path(self, name):
        return os.path.join(self.binaries, name)

    @contextlib.contextmanager
    def daemon(self, *options):
        data = tempfile.mkdtemp(dir=self.folder)
        with Daemon(self.path("trackerd"), os.path.join(data, "data"), options) as daemon:
            yield daemon
        shutil.rmtree(data)

    def load(self, daemon, run_ids, kind, connections, requests, *extra):
        """Requests a second of one load_bench for each run id, all at once; and what they printed."""
        begin = time.monotonic()
        processes = [subprocess.Popen(
            [self.path("load_bench"), str(daemon.port), kind, str(connections), str(requests), *map(str, extra)],
            env=dict(os.environ, RUN_ID=run_id), stdout=subprocess.PIPE, text=True) for run_id in run_ids]
        lines = [process.communicate()[0].strip() for process in processes]
        seconds = time.monotonic() - begin
        if any(process.returncode != 0 for process in processes):
            sys.exit("load_bench failed")
        return len(run_ids) * requests / seconds, lines


    def post(self, daemon, target, body, requests, connections=CONNECTIONS):
        """Requests a second of POSTs in each of whose bodies '#' is another number; and what an answer took, in ms."""
        rate, lines = self.load(daemon, [""], "post", connections, requests, target, json.dumps(body))
        return rate, int(re.search(r"p50_us=(\d+)", lines[0]).group(1)) / 1000


# ---- starting ----------------------------------------------------------------------------------------------------------

@benchmark(f"From start to healthy, on a new data directory ({STARTS} times)")
def start(bench):
    command("trackerd --data NEW --listen 127.0.0.1:0; then GET /health")
    times, memories, own = [], [], []
    for _ in range(STARTS):
        data = tempfile.mkdtemp(dir=bench.folder)
        begin = time.monotonic()
        process = subprocess.Popen([bench.path("trackerd"), "--data", data + "/data", "--listen", "127.0.0.1:0"],
                                   stderr=subprocess.PIPE, text=True)
        line = process.stderr.readline()
        while "event=listening" not in line:
            line = process.stderr.readline()
        client = http.client.HTTPConnection("127.0.0.1", int(re.search(r"port=(\d+)", line).group(1)))
        client.request("GET", "/health")
        client.getresponse().read()
        times.append((time.monotonic() - begin) * 1000)
        memories.append(memory_of(process, "VmRSS"))
        own.append(memory_of(process, "RssAnon"))
        client.close()
        process.terminate()
        process.wait()
        process.stderr.close()
        shutil.rmtree(data)
    figure("time", times, "ms", 50, at_most=True, digits=1)
    command("grep VmRSS /proc/$(pidof trackerd)/status")
    figure("idle memory, resident", memories, "MiB", 15, at_most=True, digits=1)
    figure("of it its own (RssAnon)", own, "MiB", at_most=True, digits=1)


# ---- logging -----------------------------------------------------------------------------------------------------------

@benchmark("The disk: 4 KiB appended and fdatasync, which each commit waits for")
def disk(bench):
    times = []
    with open(os.path.join(bench.folder, "sync"), "wb", buffering=0) as file:
        for _ in range(300):
            file.write(bytes(4096))
            begin = time.monotonic()
            os.fdatasync(file.fileno())
            times.append((time.monotonic() - begin) * 1e6)
    figure("fdatasync", times, "µs", at_most=True)
    print(f"    so that one connection, which waits for its commit, cannot log more than "
          f"{1e6 / statistics.median(times):,.0f} requests/s")


def log_rows(bench, kind, rows, points):
    """rows: (processes, connections of each, requests of each, goal)"""
    for clients, connections, requests, goal in rows:
        rates, lines = [], []
        for _ in range(REPEATS):
            with bench.daemon() as daemon:
                client = daemon.connect()
                run_ids = [new_run(client) for _ in range(clients)]
                rate, lines = bench.load(daemon, run_ids, kind, connections, requests, *([points] if points else []))
                rates.append(rate)
                client.close()
        extra = f" {points}" if points else ""
        command(f"RUN_ID=… load_bench PORT {kind} {connections} {requests}{extra}" +
                (f"   ({clients} at once, each with a run of its own)" if clients > 1 else ""))
        name = f"{clients} client{'s' if clients > 1 else ''} × {connections} connection{'s' if connections > 1 else ''}"
        if points and points > 1:
            figure(name, [rate * points for rate in rates], "points/s", goal)
        else:
            figure(name, rates, "requests/s", goal)
        latency = re.search(r"p50_us=(\d+) p99_us=(\d+)", lines[0])
        print(f"        an answer takes {int(latency.group(1)):,} µs (median), {int(latency.group(2)):,} µs (99 %)")


@benchmark("log-metric: one point a request, each durable before its answer")
def log_metric(bench):
    log_rows(bench, "log-metric", [(1, 1, 2000, None), (1, 8, 10000, None), (1, CONNECTIONS, 40000, 15000),
                                   (8, CONNECTIONS, 10000, 25000)], None)


@benchmark("log-batch: 10 points a request")
def log_batch(bench):
    log_rows(bench, "log-batch", [(1, CONNECTIONS, 20000, None), (8, CONNECTIONS, 5000, None)], 10)


@benchmark("log-batch: 1000 points a request")
def points(bench):
    log_rows(bench, "log-batch", [(1, 1, 500, None), (1, CONNECTIONS, 2000, 300000), (8, CONNECTIONS, 300, 300000)], 1000)


# ---- searching ---------------------------------------------------------------------------------------------------------

def fill_runs(daemon, experiment, numbers):
    client = daemon.connect()
    for number in numbers:
        client.call("POST", "runs/log-batch", {
            "run_id": new_run(client, experiment),
            "metrics": [{"key": "rmse_val", "value": 5 + (number * 7919 % RUNS) / RUNS, "timestamp": 1, "step": 1}],
            "params": [{"key": "alpha", "value": str(number)}]})
    client.close()


@benchmark(f"Best run of {RUNS:,}, over HTTP")
def best(bench):
    with bench.daemon() as daemon:
        client = daemon.connect()
        experiment = client.call("POST", "experiments/create", {"name": "many"})["experiment_id"]
        threads = [threading.Thread(target=fill_runs, args=(daemon, experiment, range(n, RUNS, 8))) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        target = f"/api/trackerd/v1/runs/best?experiment_id={experiment}&metric=rmse_val&order=min"
        times = []
        for _ in range(REPEATS):
            _, lines = bench.load(daemon, [""], "get", 1, 500, target)
            times.append(int(re.search(r"p50_us=(\d+)", lines[0]).group(1)) / 1000)
        command(f"load_bench PORT get 1 500 '{target}'")
        figure("answer", times, "ms", 5, at_most=True, digits=2)
        body = json.dumps({"experiment_ids": [experiment], "order_by": ["metrics.rmse_val ASC"], "max_results": 1})
        times = []
        for _ in range(50):
            begin = time.monotonic()
            client.call("POST", "runs/search", json.loads(body))
            times.append((time.monotonic() - begin) * 1000)
        command(f"POST runs/search {body}")
        figure("the same by MLflow's search", times, "ms", at_most=True, digits=2)
        client.close()


# ---- logged models, traces, the page's queries, the registry -----------------------------------------------------------

RUN_PAGE = """query GetRun($data: MlflowGetRunInput!) { mlflowGetRun(input: $data) { apiError { code } run {
    info { runName runUuid startTime endTime status } experiment { name tags { key } } modelVersions { name version status }
    data { metrics { key value step } params { key value } tags { key value } }
    inputs { datasetInputs { dataset { name digest } } modelInputs { modelId } } outputs { modelOutputs { modelId step } } } } }"""
MODELS_CREATE = "/api/2.0/mlflow/registered-models/create"


def creations(bench, daemon, name, target, body_of, requests):
    """body_of: the body of the n-th repetition, whose ids and names it must hold."""
    rates = [bench.post(daemon, target, body_of(number), requests)[0] for number in range(REPEATS)]
    command(f"load_bench PORT post {CONNECTIONS} {requests} {target} '{json.dumps(body_of(0))}'")
    figure(name, rates, "requests/s")


def answers(bench, daemon, name, target, body, requests):
    times = [bench.post(daemon, target, body, requests, connections=1)[1] for _ in range(REPEATS)]
    command(f"load_bench PORT post 1 {requests} {target} '{json.dumps(body)}'")
    figure(name, times, "ms", at_most=True, digits=2)


@benchmark(f"Logged models over {CONNECTIONS} connections, and a page of them")
def logged_models(bench):
    with bench.daemon() as daemon:
        creations(bench, daemon, "created, with a parameter and a tag", "/api/2.0/mlflow/logged-models", lambda _: {
            "experiment_id": "0", "name": "net-#", "params": [{"key": "depth", "value": "3"}],
            "tags": [{"key": "team", "value": "green"}]}, 5000)
        answers(bench, daemon, "50 of them", "/api/2.0/mlflow/logged-models/search",
                {"experiment_ids": ["0"], "max_results": 50}, 200)


@benchmark(f"Traces over {CONNECTIONS} connections, and a page of them")
def traces(bench):
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
    with bench.daemon() as daemon:
        creations(bench, daemon, "started, with a tag", "/api/3.0/mlflow/traces", lambda number: {
            "trace": {"trace_info": {"trace_id": f"tr-{number}-#", "trace_location": place, "state": "OK",
                                     "request_time": "2026-03-01T12:00:00Z", "tags": {"mlflow.traceName": "ask"}}}}, 5000)
        answers(bench, daemon, "100 of them", "/api/3.0/mlflow/traces/search", {"locations": [place], "max_results": 100}, 200)


@benchmark("MLflow's page of a run: one GraphQL query")
def graphql(bench):
    with bench.daemon() as daemon:
        client = daemon.connect()
        run_id = new_run(client)
        client.call("POST", "runs/log-batch", {
            "run_id": run_id, "params": [{"key": f"p{n}", "value": str(n)} for n in range(50)],
            "metrics": [{"key": f"m{n}", "value": n, "timestamp": 1, "step": 1} for n in range(50)]})
        client.close()
        answers(bench, daemon, "a run with 50 metrics and 50 parameters", "/graphql", {
            "operationName": "GetRun", "variables": {"data": {"runId": run_id}}, "query": " ".join(RUN_PAGE.split())}, 500)


@benchmark("A thousand watchers of one alias: what each costs, and how soon it is told of a move")
def watchers(bench):
    for kind, name in (("alias", "long polls"), ("events", "streams")):
        with bench.daemon() as daemon:
            client = daemon.connect()
            client.call("POST", "registered-models/create", {"name": "bench"})
            for _ in range(2):
                client.call("POST", "model-versions/create", {"name": "bench", "source": "mlflow-artifacts:/0/m"})
            client.call("POST", "registered-models/alias", {"name": "bench", "alias": "champion", "version": "1"})
            client.close()
            command(f"watch_bench PORT {kind} 1000 20 PID   # {name}")
            output = subprocess.run([bench.path("watch_bench"), str(daemon.port), kind, "1000", "20",
                                     str(daemon.process.pid)], capture_output=True, text=True, check=True).stdout
            numbers = [float(number) for number in re.findall(r"[0-9.]+", output)]
            figure(f"{name}: memory of the daemon for each", [numbers[0]], "bytes", 2048, at_most=True)
            figure(f"{name}: told after, p99", [numbers[-2]], "ms", 100, at_most=True, digits=1)


@benchmark(f"Registered models created over {CONNECTIONS} connections, without and with a webhook that is told")
def registry(bench):
    with bench.daemon() as daemon:
        creations(bench, daemon, "nobody is told", MODELS_CREATE, lambda number: {"name": f"net-{number}-#"}, 5000)
    with bench.daemon(*run_webhooks.LOOPBACK) as daemon, run_webhooks.Receiver() as receiver:
        client = daemon.connect()
        client.call("POST", "webhooks", {"name": "bench", "url": receiver.url, "events": [run_webhooks.MODEL_CREATED]})
        client.close()
        creations(bench, daemon, "a webhook is told of each", MODELS_CREATE, lambda number: {"name": f"net-{number}-#"}, 1000)
        begin, had = time.monotonic(), len(receiver.received)
        receiver.wait(min(had + 500, REPEATS * 1000))
        figure("deliveries, one after the other", [(len(receiver.received) - had) / (time.monotonic() - begin)], "deliveries/s")


HISTORY_EVENTS = 100000
HISTORY_VERSIONS = 1000
HISTORY_ALIASES = 9000


@benchmark(f"State of a model at a time, {HISTORY_EVENTS:,} events; aliases set and versions created with history")
def history(bench):
    with bench.daemon() as daemon:
        client = daemon.connect()
        for name in ("taxi", "aliased", "small"):
            client.call("POST", "registered-models/create", {"name": name})
        for name in ("aliased", "small"):
            client.call("POST", "model-versions/create", {"name": name, "source": "s3://b/1"})
        creations(bench, daemon, "versions created", "/api/2.0/mlflow/model-versions/create", lambda _: {
            "name": "taxi", "source": "s3://b/#", "tags": [{"key": "k", "value": "v"}]}, HISTORY_VERSIONS // REPEATS)
        creations(bench, daemon, "aliases set", "/api/2.0/mlflow/registered-models/alias", lambda number: {
            "name": "aliased", "alias": f"a-{number}-#", "version": "1"}, HISTORY_ALIASES // REPEATS)
        bench.post(daemon, "/api/2.0/mlflow/registered-models/set-tag", {"name": "small", "key": "k", "value": "#"}, HISTORY_EVENTS)
        last = int(client.call("GET", "/api/trackerd/v1/models/small/history?max_results=1")["events"][0]["seq"])
        moments = itertools.cycle(last - HISTORY_EVENTS + step * 997 for step in range(1, HISTORY_EVENTS // 997))
        for name, what in (("small", "of one version"), ("taxi", f"of {HISTORY_VERSIONS:,} versions"),
                           ("aliased", f"of {HISTORY_ALIASES:,} aliases")):
            command(f"GET /api/trackerd/v1/models/{name}/at?seq=N, one after the other")
            median, late = round_trips(lambda: client.call("GET", f"/api/trackerd/v1/models/{name}/at?seq={next(moments)}"), 100)
            print(f"    a model {what}: median {median / 1000:.2f} ms, p99 {late / 1000:.2f} ms", flush=True)
        time_ms = client.call("GET", f"/api/trackerd/v1/models/small/at?seq={last - 50000}")["time_ms"]
        command("GET /api/trackerd/v1/models/small/at?time_ms=T")
        median, late = round_trips(lambda: client.call("GET", f"/api/trackerd/v1/models/small/at?time_ms={time_ms}"), 100)
        print(f"    by time: median {median / 1000:.2f} ms, p99 {late / 1000:.2f} ms", flush=True)
        begin, seq, sha256, checked = time.monotonic(), "0", "", 1
        while checked > 0:
            reply = client.call("GET", f"/api/trackerd/v1/registry/verify?max_results=1000&after_seq={seq}&after_sha256={sha256}")
            seq, sha256, checked = reply["last_seq"], reply["last_sha256"], reply["checked"]
        command("trk models verify, its chain")
        figure("events verified", [int(seq) / (time.monotonic() - begin)], "events/s")
        client.close()


# ---- artifacts -----------------------------------------------------------------------------------------------------------

def curl(bench, daemon, *arguments, speed):
    text = subprocess.run(["curl", "-sS", "--fail", "-o", "/dev/null", "-w", f"%{{{speed}}}", *arguments],
                          capture_output=True, text=True, check=True).stdout
    return float(text) / MIB


@benchmark("An artifact of 1 GiB, up and down")
def artifact(bench):
    file = os.path.join(bench.folder, "artifact.bin")
    with open(file, "wb") as out:
        for _ in range(GIB // MIB):
            out.write(os.urandom(MIB))
    up, down, peaks = [], [], []
    with bench.daemon() as daemon:
        for number in range(REPEATS):
            with open(file, "r+b") as out:
                out.write(str(number).encode())  # other content: the same is stored once
            url = f"{daemon.url}{ARTIFACTS}bench/{number}.bin"
            up.append(curl(bench, daemon, "-T", file, url, speed="speed_upload"))
            down.append(curl(bench, daemon, url, speed="speed_download"))
        peaks.append(memory_of(daemon.process, "VmHWM"))
    os.unlink(file)
    command("curl -T FILE http://127.0.0.1:PORT/api/2.0/mlflow-artifacts/artifacts/bench/N.bin   (other bytes each time)")
    figure("up", up, "MiB/s")
    command("curl -o /dev/null http://127.0.0.1:PORT/api/2.0/mlflow-artifacts/artifacts/bench/N.bin")
    figure("down", down, "MiB/s")
    command("grep VmHWM /proc/$(pidof trackerd)/status   (peak over all of them)")
    figure("peak memory of the daemon", peaks, "MiB", 64, at_most=True, digits=1)


def put_part(daemon, upload_id, number, data):
    """Sends a part over a connection of its own and gives what completing the upload wants of it."""
    client = http.client.HTTPConnection("127.0.0.1", daemon.port, blocksize=MIB)
    client.request("PUT", f"/api/trackerd/v1/uploads/{upload_id}/parts/{number}", data)
    reply = client.getresponse()
    reply.read()
    client.close()
    return {"part_number": number, "etag": reply.headers["ETag"], "url": "u"}


@benchmark(f"An artifact of 1 GiB in {PARTS} parts over {PART_CONNECTIONS} connections")
def multipart(bench):
    rates, peaks = [], []
    with bench.daemon() as daemon, concurrent.futures.ThreadPoolExecutor(PART_CONNECTIONS) as threads:
        client = daemon.connect()
        data = os.urandom(GIB // PARTS)
        for number in range(REPEATS):
            heads = [f"{number} {part}".encode().ljust(MIB) for part in range(PARTS)]  # other content each time
            begin = time.monotonic()
            upload_id = client.call("POST", MPU + "create/bench", {"path": f"{number}.bin", "num_parts": PARTS})["upload_id"]
            parts = list(threads.map(lambda part: put_part(daemon, upload_id, part + 1, heads[part] + data[MIB:]), range(PARTS)))
            client.call("POST", MPU + "complete/bench", {"path": f"{number}.bin", "upload_id": upload_id, "parts": parts})
            rates.append(GIB / MIB / (time.monotonic() - begin))
        peaks.append(memory_of(daemon.process, "VmHWM"))
        client.close()
    command(f"POST {MPU}create/bench; {PARTS} PUTs of {GIB // PARTS // MIB} MiB, {PART_CONNECTIONS} at once; POST {MPU}complete/bench")
    figure("up", rates, "MiB/s")
    figure("peak memory of the daemon", peaks, "MiB", 64, at_most=True, digits=1)


# ---- the client library ------------------------------------------------------------------------------------------------------

def client_bench(bench, *arguments):
    text = subprocess.run([bench.path("client_bench"), *arguments], capture_output=True, text=True, check=True).stdout
    shutil.rmtree(re.search(r"spool=(\S+)", text).group(1), ignore_errors=True)
    return {key: float(value) for key, value in re.findall(r"(\w+)=([\d.]+)", text)}


@benchmark("trk_log_metric: a million calls in a loop, each timed")
def client(bench):
    for name, is_online in (("offline: spool only", False), ("with the sender delivering meanwhile", True)):
        rows = []
        for _ in range(REPEATS):
            with bench.daemon() as daemon:
                rows.append(client_bench(bench, *([daemon.url] if is_online else [])))
        command(f"client_bench{' http://127.0.0.1:PORT' if is_online else ''}   ({name})")
        figure("median call", [row["median_ns"] / 1000 for row in rows], "µs", 1, at_most=True, digits=3)
        figure("99 % of the calls", [row["p99_ns"] / 1000 for row in rows], "µs", at_most=True, digits=3)
        if is_online:
            figure("logged and delivered", [row["delivered_points_per_s"] for row in rows], "points/s")


@benchmark("The metric store alone, without HTTP")
def store(bench):
    command("metrics_bench FOLDER")
    text = subprocess.run([bench.path("metrics_bench"), bench.folder], capture_output=True, text=True, check=True).stdout
    print("".join(f"    {line}\n" for line in text.splitlines()), end="")


# ---- moving in and out -------------------------------------------------------------------------------------------------------

def make_mlruns(folder, runs, keys, steps):
    """A file store of MLflow with that many curves."""
    os.makedirs(os.path.join(folder, "1"))
    with open(os.path.join(folder, "1", "meta.yaml"), "w") as meta:
        meta.write("experiment_id: '1'\nname: bench\nlifecycle_stage: active\n")
    for run in range(runs):
        name = f"{run + 1:032x}"
        os.makedirs(os.path.join(folder, "1", name, "metrics"))
        with open(os.path.join(folder, "1", name, "meta.yaml"), "w") as meta:
            meta.write(f"run_id: '{name}'\nexperiment_id: '1'\nrun_name: r{run}\nstatus: 3\nstart_time: {run}\n"
                       "lifecycle_stage: active\nuser_id: bench\n")
        for key in range(keys):
            with open(os.path.join(folder, "1", name, "metrics", f"m{key}"), "w") as points:
                points.writelines(f"{1700000000000 + step} {step * 0.37 + run} {step}\n" for step in range(steps))


def timed_trk(bench, daemon, *words):
    """Seconds, and the most memory in MiB: looked at again and again, since at the end the figure is gone."""
    begin, most = time.monotonic(), 0
    process = subprocess.Popen([bench.path("trk"), *words, "--url", daemon.url, "--quiet"])
    while process.poll() is None:
        with contextlib.suppress(OSError, AttributeError):
            most = max(most, memory_of(process, "VmHWM"))
        time.sleep(0.002)
    if process.returncode != 0:
        raise SystemExit(f"trk {' '.join(words)} ended with {process.returncode}")
    return time.monotonic() - begin, most


@benchmark("A folder of MLflow's, in and out: 100 runs of 10 curves")
def mlruns(bench):
    source, target = (os.path.join(bench.folder, name) for name in ("mlruns-in", "mlruns-out"))
    for steps, goal in ((1000, 10), (3000, None)):
        make_mlruns(source, 100, 10, steps)
        rows = []
        for _ in range(REPEATS):
            with bench.daemon() as daemon:
                rows.append((timed_trk(bench, daemon, "import", "mlflow", source),
                             timed_trk(bench, daemon, "export", "mlflow", target), memory_of(daemon.process, "VmHWM")))
            shutil.rmtree(target)
        shutil.rmtree(source)
        command(f"trk import mlflow DIR; trk export mlflow DIR   ({steps * 1000:,} points)")
        figure("import", [row[0][0] for row in rows], "s", goal, at_most=True, digits=2)
        figure("export", [row[1][0] for row in rows], "s", goal, at_most=True, digits=2)
        figure("memory of the import", [row[0][1] for row in rows], "MiB", at_most=True, digits=1)
        figure("memory of the export", [row[1][1] for row in rows], "MiB", at_most=True, digits=1)
        figure("memory of the daemon", [row[2] for row in rows], "MiB", at_most=True, digits=1)


def mlflow_database(path, steps):
    """100 runs with 10 curves each."""
    database = Database(path, "2.10")
    database.experiment(1, "bench", "mlflow-artifacts:/1")
    for number in range(100):
        run_id = f"{number:032x}"
        database.run(run_id, 1, f"mlflow-artifacts:/1/{run_id}/artifacts", f"run {number}", params={"p": "1"})
        database.connection.executemany(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)",
            ((f"metric{curve}", math.exp(-step / 300) + math.sin(step * curve) / 100, TIME + step * 1000, run_id, step)
             for step in range(steps) for curve in range(10)))
    database.close()


@benchmark("Importing an MLflow database: 100 runs of 10 curves")
def imports(bench):
    path = os.path.join(bench.folder, "mlflow.db")
    for steps, goal in ((1000, 10), (3000, None)):
        mlflow_database(path, steps)
        rows = []
        for _ in range(REPEATS):
            with bench.daemon() as daemon:
                rows.append((*timed_trk(bench, daemon, "import", "mlflow", path), memory_of(daemon.process, "VmHWM")))
        os.unlink(path)
        command(f"trk import mlflow mlflow.db   ({steps * 1000:,} points)")
        figure("import", [row[0] for row in rows], "s", goal, at_most=True, digits=2)
        figure("memory of the import", [row[1] for row in rows], "MiB", at_most=True, digits=1)
        figure("memory of the daemon", [row[2] for row in rows], "MiB", at_most=True, digits=1)


# ---- MLflow's client -------------------------------------------------------------------------------------------------------

# Prints requests/s of log_metric and the seconds that all runs take, page by page.
MLFLOW_PROGRAM = """
import sys, time, mlflow
client = mlflow.MlflowClient(sys.argv[1])
experiment, count, wanted = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
run_id = client.create_run(experiment).info.run_id
client.log_metric(run_id, "warm", 1)
begin = time.monotonic()
for step in range(count):
    client.log_metric(run_id, "loss", 1 / (step + 1), step=step)
rate = count / (time.monotonic() - begin)
client.delete_run(run_id)
begin, found, token = time.monotonic(), 0, None
while token != "":
    page = client.search_runs([experiment], max_results=1000, page_token=token)
    found, token = found + len(page), page.token or ""
assert found == wanted, found
print(rate, time.monotonic() - begin)
"""
MLFLOW_METRICS = 300


def fill_released(released):
    """Writes runs straight into the server's own database, which takes seconds instead of minutes."""
    client = Client(released.port)
    experiment = client.call("POST", "experiments/create", {"name": "many"})["experiment_id"]
    client.close()
    ids = [f"{number:032x}" for number in range(RUNS)]
    with contextlib.closing(sqlite3.connect(os.path.join(released.folder, "mlflow.db"), timeout=30)) as database:
        database.executemany(
            "INSERT INTO runs (run_uuid, name, source_type, user_id, status, start_time, lifecycle_stage, artifact_uri,"
            " experiment_id) VALUES (?, ?, 'LOCAL', 'ann', 'FINISHED', ?, 'active', ?, ?)",
            [(run_id, f"run {n}", 1700000000000 + n, f"mlflow-artifacts:/{experiment}/{run_id}/artifacts", int(experiment))
             for n, run_id in enumerate(ids)])
        database.executemany("INSERT INTO params (key, value, run_uuid) VALUES ('alpha', ?, ?)", list(enumerate(ids)))
        for table in ("metrics", "latest_metrics"):
            database.executemany(f"INSERT INTO {table} (key, value, timestamp, run_uuid, step, is_nan)"
                                 " VALUES ('rmse', ?, 1, ?, 1, 0)", [(5 + n / RUNS, run_id) for n, run_id in enumerate(ids)])
        database.commit()
    return experiment


def round_trips(ask, count):
    """(median, 99th percentile) of the microseconds that a call takes."""
    for _ in range(count // 10):
        ask()
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        ask()
        times.append((time.perf_counter() - begin) * 1e6)
    times.sort()
    return statistics.median(times), times[int(count * 0.99)]


def taxi_model(folder):
    path = os.path.join(folder, "taxi-model")
    os.mkdir(path)
    with open(os.path.join(path, "weights.csv"), "w", encoding="utf-8") as file:
        file.write("feature,weight\nbias,5\ndistance,2.3\n74_75,-1.1\n")
    return path


def bare_worker(program, model, record):
    """Round trips to a worker over its pipes."""
    worker = subprocess.Popen([program, "--serve", model], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    line = f'{{"id":1,"records":[{record}]}}\n'.encode()
    pipe_in, pipe_out = worker.stdin.fileno(), worker.stdout.fileno()

    def ask():
        os.write(pipe_in, line)
        os.read(pipe_out, 65536)
    try:
        return round_trips(ask, PREDICTIONS)
    finally:
        worker.stdin.close()
        worker.wait(60)
        worker.stdout.close()


def served_worker(port, record):
    """Round trips over HTTP, by one connection."""
    body = f'{{"dataframe_records":[{record}]}}'
    head = f"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    request = (head + body).encode()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ask():
            connection.sendall(request)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        return round_trips(ask, PREDICTIONS)


@benchmark("trk serve: what it adds to a worker that is asked over its pipes, and requests/s (taxi model, one trip each)")
def serve(bench):
    record = '{"PULocationID":74,"DOLocationID":75,"trip_distance":1.2}'
    predict, trk = (os.path.abspath(bench.path(name)) for name in ("taxi-predict", "trk"))
    model = taxi_model(bench.folder)
    options = ["--model-dir", model, "--cmd", f'exec {predict} --serve "$TRK_MODEL_PATH"', "--workers", "2"]
    command("trk serve --model-dir MODEL --cmd 'exec taxi-predict --serve \"$TRK_MODEL_PATH\"' --workers 2")
    with Server(trk, options, bench.folder, dict(os.environ)) as server:
        server.ready()
        bare, served = [], []
        for _ in range(REPEATS):
            bare.append(bare_worker(predict, model, record))
            served.append(served_worker(server.port, record))
        figure("the bare worker, median of each", [b[0] for b in bare], "µs", at_most=True)
        figure("over HTTP, median of each", [s[0] for s in served], "µs", at_most=True)
        figure("added, median", [s[0] - b[0] for s, b in zip(served, bare)], "µs", at_most=True)
        figure("added, 99th percentile", [s[1] - b[1] for s, b in zip(served, bare)], "µs", at_most=True)
        script = os.path.join(bench.folder, "serve.lua")
        with open(script, "w", encoding="utf-8") as file:
            file.write(f"wrk.method, wrk.body = \"POST\", '{{\"dataframe_records\":[{record}]}}'\n"
                       'wrk.headers["Content-Type"] = "application/json"\n')
        command(f"wrk -t 1 -c {CONNECTIONS} -d 5 -s serve.lua http://127.0.0.1:PORT/invocations")
        rates = []
        for _ in range(REPEATS):
            text = subprocess.run(["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", "5", "-s", script,
                                   f"http://127.0.0.1:{server.port}/invocations"],
                                  check=True, capture_output=True, text=True).stdout
            assert "Non-2xx" not in text, text
            rates.append(float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)))
        figure("requests", rates, "a second")


def redeployments(site, model, versions, moves):
    """Milliseconds from the request that moves the alias to the other `current`, of each move. With --keep 2 each version
    is downloaded anew, since the one after the next was removed."""
    taken = []
    client = site.daemon.connect()
    with Watcher(site, f"{model}@champion", "--keep", "2") as watch:
        watch.expect("active")
        link = os.path.join(watch.to, "current")
        for move in range(moves):
            before = os.readlink(link)
            begin = time.monotonic()
            client.call("POST", "registered-models/alias",
                        {"name": model, "alias": "champion", "version": str(move % versions + 1)})
            while os.readlink(link) == before:
                time.sleep(0.0005)
            taken.append((time.monotonic() - begin) * 1000)
            watch.expect("active")
    client.close()
    return taken


@benchmark("trk deploy --watch: from the move of an alias to the other version in use, downloaded and verified")
def redeploy(bench):
    command("trk deploy MODEL@champion --to DIR --watch --keep 2; then registered-models/alias, again and again")
    with DeploySite("trackerd-bench-watch-", os.path.abspath(bench.path("trk"))) as site:
        for name, size, moves in (("4 KiB", 4096, MOVES), ("100 MiB", 100 * MIB, BIG_MOVES)):
            model = f"m{size}"
            for number in range(1, 5):
                site.version({"weights": bytes([number]) * size}, model=model)
            taken = redeployments(site, model, 4, moves)
            figure(f"{name}, {moves} moves", taken, "ms", 2000, at_most=True, digits=1)
            if moves >= 50:
                figure(f"{name}, 99th percentile", [sorted(taken)[math.ceil(moves * 0.99) - 1]], "ms", at_most=True, digits=1)


@benchmark(f"MLflow's Python client with trackerd and with the released `mlflow server`: log_metric, and {RUNS:,} runs",
           only_asked=True)
def mlflow(bench):
    python = environments.ensure("newest")
    rows = {"mlflow server": [], "trackerd": []}
    with peers.Released(python) as released, bench.daemon() as daemon:
        experiment = fill_released(released)
        timed_trk(bench, daemon, "import", "mlflow", os.path.join(released.folder, "mlflow.db"))
        for _ in range(REPEATS):
            for name, port in (("mlflow server", released.port), ("trackerd", daemon.port)):
                text = subprocess.run([python, "-c", MLFLOW_PROGRAM, f"http://127.0.0.1:{port}", experiment,
                                       str(MLFLOW_METRICS), str(RUNS)], env={**os.environ, **environments.QUIET},
                                      stdout=subprocess.PIPE, text=True, check=True).stdout
                rows[name].append([float(word) for word in text.split()])
    command(f"MlflowClient(URL).log_metric(…) {MLFLOW_METRICS} times; search_runs(…, max_results=1000), page by page")
    for name, results in rows.items():
        figure(f"{name}: log_metric", [rate for rate, _ in results], "calls/s")
        figure(f"{name}: all runs", [seconds for _, seconds in results], "s", at_most=True, digits=2)
    for column, text in ((0, "log_metric"), (1, "all runs")):
        medians = [statistics.median(row[column] for row in results) for results in rows.values()]
        print(f"    {text}: trackerd is {max(medians) / min(medians):.1f} times as "
              f"{'fast' if (medians[1] > medians[0]) == (column == 0) else 'slow'}")


# ---- all of them -------------------------------------------------------------------------------------------------------------

def machine(folder):
    with open("/proc/cpuinfo") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
    system = os.uname()
    disk_of = subprocess.run(["df", "--output=fstype", folder], capture_output=True, text=True).stdout.split()[-1]
    print(f"{os.cpu_count()} × {model.group(1) if model else system.machine}, {system.sysname} {system.release}, "
          f"data on {disk_of} in {folder}")
    print(f"load before: {os.getloadavg()[0]:.1f} (figures of a machine with other work are too low)")


def main():
    names = sys.argv[2:] or [name for name, (_, _, only_asked) in BENCHMARKS.items() if not only_asked]
    unknown = [name for name in names if name not in BENCHMARKS]
    if len(sys.argv) < 2 or unknown:
        sys.exit(f"usage: bench.py FOLDER_OF_BINARIES [NAME...]; there are: {' '.join(BENCHMARKS)}")
    folder = tempfile.mkdtemp(prefix="trackerd-bench-", dir=os.environ.get("BENCH_DIR"))
    try:
        machine(folder)
        bench = Bench(sys.argv[1], folder)
        for name in names:
            title, function, _ = BENCHMARKS[name]
            print(f"\n{title}", flush=True)
            function(bench)
        print(f"\nload after: {os.getloadavg()[0]:.1f}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
