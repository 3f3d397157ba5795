#!/usr/bin/env python3
"""Training programs against a real daemon: the taxi trainer with its results, and runs that outlive kill -9, of the
program and of the daemon.

The data come from $TAXI_DATA, else from ../shared/data/taxi beside the repository, else taxi-sample makes some up; the
table of results is compared for the TLC's files only.

Usage: run_trainer.py FOLDER_OF_BINARIES [PART_OF_A_CASE'S_NAME]
"""
import contextlib
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from cases import case, check, run_cases  # noqa: E402
from daemon import Daemon, binary  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DEADLINE_S = 300
MONTHS = {"training": "2021-01", "validation": "2021-02", "test": "2021-03"}
TOLERANCE = 0.001
# α: RMSE of January (training), February (validation), March (test), by two independent solvers.
TLC_RESULTS = {
    0.01: (4.640879, 7.477818, 7.452247), 0.1: (4.656447, 7.458799, 7.433733), 0.3: (4.746783, 7.451939, 7.428904),
    1: (5.195459, 7.564156, 7.550741), 3: (6.138662, 7.966604, 7.974534), 10: (7.513026, 8.773351, 8.811629)}


@contextlib.contextmanager
def folder():
    path = tempfile.mkdtemp(prefix="trackerd-trainer-")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def environment(daemon, spool):
    mine = {k: v for k, v in os.environ.items() if not k.startswith(("TRK_", "MLFLOW_"))}
    return dict(mine, TRK_URL=daemon.url, TRK_SPOOL_DIR=spool)


def run(binaries, name, *arguments, env=None, status=0):
    """Standard output of a program that ends with `status`."""
    done = subprocess.run([os.path.join(binaries, name), *arguments], env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=DEADLINE_S)
    check(done.returncode == status, f"{name} {arguments}: status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def find_data(binaries, parent):
    """(folder of the three months, are they the TLC's)"""
    for place in (os.environ.get("TAXI_DATA"), os.path.join(ROOT, "..", "shared", "data", "taxi")):
        if place and os.path.isdir(place):
            return place, True
    run(binaries, "taxi-sample", os.path.join(parent, "sample"))
    return os.path.join(parent, "sample"), False


def month_file(data, month):
    path = os.path.join(data, f"green_tripdata_{month}.csv")
    return path if os.path.exists(path) else path + ".gz"


def pairs(items):
    return {item["key"]: item["value"] for item in items}


def history(client, run_id, key):
    """All points of a curve, in the order of steps."""
    rows, token = [], ""
    while True:
        page = client.call("GET", f"metrics/get-history?run_id={run_id}&metric_key={key}&max_results=20000{token}")
        rows += [(m["step"], m["timestamp"], m["value"]) for m in page.get("metrics", [])]
        if not page.get("next_page_token"):
            return sorted(rows)
        token = "&page_token=" + page["next_page_token"]


# ---- the taxi trainer -------------------------------------------------------------------------------------------------

@case
def taxi_trainer(binaries):
    """Six runs with parameters, curves, results, data sets and a model; the results of the TLC's data to ±0.001."""
    with Daemon(os.path.join(binaries, "trackerd")) as daemon, folder() as parent:
        data, is_tlc = find_data(binaries, parent)
        begin = time.monotonic()
        text = run(binaries, "taxi-train", "--data", data, "--experiment", "taxi", env=environment(daemon, parent + "/spool"))
        print(f"        {'TLC' if is_tlc else 'made-up'} data, {time.monotonic() - begin:.1f} s")
        client = daemon.connect()
        experiment = client.call("GET", "experiments/get-by-name?experiment_name=taxi")["experiment"]
        runs = client.call("POST", "runs/search", {"experiment_ids": [experiment["experiment_id"]]})["runs"]
        check(len(runs) == len(TLC_RESULTS), f"{len(runs)} runs")
        for found in runs:
            check_taxi_run(client, found, data, is_tlc, text)
        check_prediction(binaries, client, runs, data, parent)
        check(os.listdir(parent + "/spool") == [], "the spool keeps delivered runs")
        best = client.call("GET", "/api/trackerd/v1/runs/best?experiment_name=taxi&metric=rmse_val&order=min")["runs"]
        least = min(pairs(found["data"]["metrics"])["rmse_val"] for found in runs)
        check(best[0]["value"] == least, f"best {best[0]['value']} instead of {least}")
        check(not is_tlc or pairs(best[0]["run"]["data"]["params"])["alpha"] == "0.3", "another α is best")
        client.close()


def check_taxi_run(client, found, data, is_tlc, text):
    info, params = found["info"], pairs(found["data"]["params"])
    metrics, alpha = pairs(found["data"]["metrics"]), float(params["alpha"])
    check(info["status"] == "FINISHED" and info["run_id"] in text, f"{info}")
    tags = pairs(found["data"]["tags"])
    for key in ("mlflow.user", "mlflow.source.name", "trk.host", "trk.command", "trk.compiler"):
        check(tags.get(key), f"tag {key} is missing")
    results = tuple(metrics[name] for name in ("rmse_train", "rmse_val", "rmse_test"))
    if is_tlc:
        off = max(abs(a - b) for a, b in zip(results, TLC_RESULTS[alpha]))
        check(off <= TOLERANCE, f"α {alpha}: {results} instead of {TLC_RESULTS[alpha]}")
        print(f"        α {alpha:<5} rmse {results[0]:.6f} {results[1]:.6f} {results[2]:.6f}, off by at most {off:.6f}")
    check(f"rmse_test {results[2]:.6f}" in text, "the program printed another result")
    for name in ("rmse_train", "rmse_val"):
        curve = history(client, info["run_id"], name)
        steps = [step for step, _, _ in curve]
        check(steps == list(range(steps[0], steps[0] + int(params["iterations"]))), f"{name}: steps {steps}")
        check(curve[-1][2] == metrics[name] and curve[0][2] >= curve[-1][2], f"{name}: {curve[0]} … {curve[-1]}")
    check_datasets(found, data)


def check_datasets(found, data):
    inputs = {}
    for item in found["inputs"]["dataset_inputs"]:
        inputs[pairs(item["tags"])["mlflow.data.context"]] = item["dataset"]
    check(set(inputs) == set(MONTHS), f"{inputs}")
    for context, month in MONTHS.items():
        path = month_file(data, month)
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        dataset = inputs[context]
        check(dataset["name"] == os.path.basename(path) and dataset["digest"] == digest[:32], f"{dataset}")
        check(json.loads(dataset["source"])["sha256"] == digest, dataset["source"])


def check_prediction(binaries, client, runs, data, parent):
    """The model pulled as a tarball predicts March as well as the run says."""
    for found in runs:
        target = os.path.join(parent, found["info"]["run_id"])
        prefix = found["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
        status, _, body = client.raw("GET", f"/api/trackerd/v1/archive/{prefix}/model?format=tar.gz")
        check(status == 200, f"the model: {status}")
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            check(sorted(archive.getnames()) == ["README.md", "weights.csv"], archive.getnames())
            archive.extractall(target)
        text = run(binaries, "taxi-predict", target, month_file(data, MONTHS["test"]))
        rmse = float(re.search(r"rmse (\S+)", text).group(1))
        logged = pairs(found["data"]["metrics"])["rmse_test"]
        check(abs(rmse - logged) < 1e-6, f"predicted with {rmse}, logged {logged}")


# ---- programs and daemons that die --------------------------------------------------------------------------------------

class Training:
    """A running train_steps, and the points it has printed."""

    def __init__(self, binaries, env, steps, pause_us):
        self.process = subprocess.Popen([os.path.join(binaries, "train_steps"), "steps", str(steps), str(pause_us)], env=env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.run_id = self.process.stdout.readline().strip()
        check(re.fullmatch("[0-9a-f]{32}", self.run_id), f"no run id but {self.run_id!r}")
        self.points = []

    def read(self, count):
        """Reads until `count` more points are printed, or the program ends."""
        for _ in range(count):
            line = self.process.stdout.readline()
            if not line.endswith("\n"):
                return
            step, time_ms = line.split()
            self.points.append((int(step), int(time_ms)))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.read(1 << 30)  # what was printed before
        self.process.wait(DEADLINE_S)
        self.process.stdout.close()

    def finish(self):
        self.read(1 << 30)
        check(self.process.wait(DEADLINE_S) == 0, f"train_steps ended with {self.process.returncode}")
        self.process.stdout.close()


def check_points(client, training, may_have_more):
    """The server has each printed point once; after a kill also one that was kept and not yet printed."""
    expected = {"loss": [(step, ms, step / 8) for step, ms in training.points],
                "square": [(step, ms, float(step * step)) for step, ms in training.points]}
    for key, points in expected.items():
        rows = history(client, training.run_id, key)
        lost = set(points) - set(rows)
        check(not lost, f"{key}: {len(lost)} of {len(points)} points are lost, such as {min(lost, default=None)}")
        more = len(rows) - len(points)
        check(0 <= more <= (1 if may_have_more else 0), f"{key}: {len(rows)} points instead of {len(points)}")
        check(len(rows) == len(set(rows)), f"{key}: a point is there twice")


def run_info(client, run_id):
    return client.call("GET", f"runs/get?run_id={run_id}")["run"]["info"]


def sync(binaries, env, spool):
    run(binaries, "trk", "sync", spool, env=env)


@case
def killed_training(binaries):
    """kill -9 of a training program, 10 times: trk sync delivers every point printed before, and closes the run as FAILED."""
    rng = random.Random(5)
    total = 0
    with Daemon(os.path.join(binaries, "trackerd")) as daemon, folder() as spool:
        env = environment(daemon, spool)
        client = daemon.connect()
        for number in range(10):
            training = Training(binaries, env, 10000000, rng.choice([0, 0, 100]))
            training.read(rng.randrange(1, 4000))
            training.kill()
            sync(binaries, env, spool)
            check_points(client, training, may_have_more=True)
            check(run_info(client, training.run_id)["status"] == "FAILED", "not closed as FAILED")
            total += len(training.points)
        check([name for name in os.listdir(spool) if name != "rejected"] == [], f"left: {os.listdir(spool)}")
        client.close()
    print(f"        10 kills, {total} printed steps, all there")


@case
def killed_training_while_the_daemon_is_away(binaries):
    """Started with nobody there, killed, and delivered when the daemon is up."""
    with Daemon(os.path.join(binaries, "trackerd")) as daemon, folder() as spool:
        env = environment(daemon, spool)
        daemon.stop()
        training = Training(binaries, env, 10000000, 0)
        training.read(5000)
        training.kill()
        daemon.start(daemon.port)
        sync(binaries, env, spool)
        client = daemon.connect()
        check_points(client, training, may_have_more=True)
        info = run_info(client, training.run_id)
        check(info["status"] == "FAILED" and info["end_time"] >= training.points[-1][1] - 1, f"{info}")
        client.close()


def interrupt_daemon(binaries, end):
    with Daemon(os.path.join(binaries, "trackerd")) as daemon, folder() as spool:
        training = Training(binaries, environment(daemon, spool), 6000, 500)
        for _ in range(4):
            training.read(1000)
            end(daemon)
            training.read(200)
            daemon.start(daemon.port)
        training.finish()
        check(len(training.points) == 6000, f"{len(training.points)} points")
        client = daemon.connect()
        check_points(client, training, may_have_more=False)
        check(run_info(client, training.run_id)["status"] == "FINISHED", "not finished")
        check(os.listdir(spool) == [], "the spool keeps a delivered run")
        client.close()


@case
def daemon_restarted_under_a_run(binaries):
    """The daemon is stopped and started four times while a program logs: no point lost or doubled."""
    interrupt_daemon(binaries, Daemon.stop)


@case
def daemon_killed_under_a_run(binaries):
    """The same with kill -9."""
    interrupt_daemon(binaries, Daemon.kill)


@case
def example_with_the_daemon_away(binaries):
    """examples/train_loop.c ends well with nobody there, and says so; trk sync delivers its run later."""
    with Daemon(os.path.join(binaries, "trackerd")) as daemon, folder() as spool:
        env = environment(daemon, spool)
        daemon.stop()
        text = run(binaries, "train_loop", env=env)
        check("trk sync" in text, text)
        run_id = re.search("run ([0-9a-f]{32})", text).group(1)
        daemon.start(daemon.port)
        sync(binaries, env, spool)
        client = daemon.connect()
        check([step for step, _, _ in history(client, run_id, "loss")] == list(range(100)), "not 100 steps")
        check(run_info(client, run_id)["status"] == "FINISHED", "not finished")
        client.close()


if __name__ == "__main__":
    run_cases(os.path.dirname(binary(sys.argv)), only=sys.argv[2] if len(sys.argv) > 2 else "")
