#!/usr/bin/env python3
"""libtrk against a real daemon: nothing lost, nothing doubled, whoever is killed.

    client_daemon.py TRACKERD CLIENT_PROGRAM TRAIN_LOOP
"""
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from daemon import Daemon  # noqa: E402

TRACKERD, PROGRAM, TRAIN_LOOP = sys.argv[1:4]
KILLS = int(os.environ.get("CLIENT_KILLS", "5"))
failed = 0


def check(condition, sentence):
    global failed
    if not condition:
        failed += 1
        print("FAILED:", sentence, flush=True)


def call(daemon, path, **query):
    url = daemon.url + path + ("?" + urllib.parse.urlencode(query) if query else "")
    with urllib.request.urlopen(url, timeout=60) as reply:
        return reply.read()


def get(daemon, path, **query):
    return json.loads(call(daemon, path, **query))


def run_of(daemon, run_id):
    return get(daemon, "/api/2.0/mlflow/runs/get", run_id=run_id)["run"]


def steps_of(daemon, run_id, key):
    """The steps of a curve, checked against their values; paged as clients do."""
    sign = 1 if key == "loss" else -1
    steps, token = [], None
    while True:
        query = {"run_id": run_id, "metric_key": key, "max_results": 25000}
        if token:
            query["page_token"] = token
        page = get(daemon, "/api/2.0/mlflow/metrics/get-history", **query)
        for point in page.get("metrics", []):
            check(float(point["value"]) == sign * point["step"], f"value of {key} at {point['step']}")
            steps.append(point["step"])
        token = page.get("next_page_token")
        if not token:
            return sorted(steps)


def environment(daemon, spool, **more):
    return {**os.environ, "TRK_URL": daemon.url, "TRK_SPOOL_DIR": spool, **more}


def spools(spool):
    return [name for name in os.listdir(spool) if name != "rejected"] if os.path.isdir(spool) else []


def run_program(env, *arguments):
    done = subprocess.run([PROGRAM, *arguments], env=env, capture_output=True, text=True, timeout=300)
    check(done.returncode == 0, f"{arguments}: {done.returncode} {done.stdout[-300:]} {done.stderr[-600:]}")
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


def the_example_arrives(daemon, spool):
    done = subprocess.run([TRAIN_LOOP], env=environment(daemon, spool), capture_output=True, text=True, timeout=60)
    check(done.returncode == 0, done.stderr)
    run = run_of(daemon, done.stdout.split()[1])
    check(run["info"]["status"] == "FINISHED", "the example's status")
    tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
    for name in ("mlflow.user", "mlflow.source.name", "trk.host", "trk.command", "trk.compiler", "trk.version"):
        check(tags.get(name), f"tag {name}")
    check(spools(spool) == [], "the example's spool is gone")


def an_offline_run_is_synced(daemon, spool):
    out = run_program(environment(daemon, spool, TRK_OFFLINE="1"), "log", "3000")
    check(len(spools(spool)) == 1, "the offline run is in the spool")
    run_program(environment(daemon, spool), "sync", spool)
    check(steps_of(daemon, out["run"], "loss") == list(range(3000)), "every offline point")
    check(run_of(daemon, out["run"])["info"]["status"] == "FINISHED", "the offline run's status")
    check(spools(spool) == [], "the delivered spool is gone")


def artifacts_arrive_verified(daemon, spool):
    with tempfile.TemporaryDirectory() as folder:
        content = random.Random(1).randbytes(20_000_000)
        path = os.path.join(folder, "data.bin")
        tree = os.path.join(folder, "tree")
        os.makedirs(os.path.join(tree, "deep"))
        with open(path, "wb") as file:
            file.write(content)
        files = {"deep/" + "n" * 120 + ".txt": b"long name", "weights": content[:5_000_000], "empty": b""}
        for name, data in files.items():
            with open(os.path.join(tree, name), "wb") as file:
                file.write(data)
        out = run_program(environment(daemon, spool), "artifacts", path, tree)
    root = run_of(daemon, out["run"])["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
    proxy = "/api/2.0/mlflow-artifacts/artifacts/" + root
    check(call(daemon, proxy + "/files/a%20b.bin") == content, "the file's bytes")
    for name, data in files.items():
        check(call(daemon, f"{proxy}/model/{name}") == data, f"{name} of the directory")
    lines = sorted((name, hashlib.sha256(data).hexdigest()) for name, data in files.items())
    tree_sha256 = hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in lines).encode()).hexdigest()
    manifest = get(daemon, f"/api/trackerd/v1/manifest/{root}/model")
    check(manifest["tree_sha256"] == tree_sha256, "the tree's digest")
    inputs = run_of(daemon, out["run"])["inputs"]["dataset_inputs"]
    check(inputs[0]["dataset"]["name"] == "data.bin", "the dataset's name")
    source = json.loads(inputs[0]["dataset"]["source"])
    check(source["sha256"] == hashlib.sha256(content).hexdigest(), "the dataset's digest")


def refused_records_are_set_aside(daemon, spool):
    out = run_program(environment(daemon, spool), "refused")
    data = run_of(daemon, out["run"])["data"]
    check(data["params"] == [{"key": "alpha", "value": "1"}], "the first value stays")
    check([metric["key"] for metric in data["metrics"]] == ["fine"], "the good metric arrives")
    check("set aside" in out.get("refused", ""), "the sentence")
    with open(os.path.join(spool, "rejected", out["run"] + ".jsonl")) as file:
        check(len(file.readlines()) == 2, "two records are set aside")


def a_killed_program_loses_no_point(daemon, spool):
    env = environment(daemon, spool)
    for number in range(KILLS):
        extra = {"TRK_OFFLINE": "1"} if number % 2 else {}
        program = subprocess.Popen([PROGRAM, "log", "100000000"], env={**env, **extra}, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True)
        run_id = program.stdout.readline().split()[1]
        until = random.randrange(1000, 20000)
        step = 0
        while step < until:
            step = int(program.stdout.readline().split()[1])
        program.send_signal(signal.SIGKILL)
        for line in program.stdout.read().splitlines():
            if line.startswith("step ") and line[5:].isdigit():
                step = max(step, int(line[5:]))
        program.wait(60)
        run_program(env, "sync", spool)
        for key in ("loss", "accuracy"):
            steps = steps_of(daemon, run_id, key)
            check(steps == list(range(len(steps))), f"{key} has no gap and no double")
            check(len(steps) >= step, f"{key} has {len(steps)} points, the program said {step}")
        check(run_of(daemon, run_id)["info"]["status"] == "FAILED", "a killed run is FAILED")
        check(spools(spool) == [], "the killed program's spool is gone")


def a_killed_daemon_loses_no_point(daemon, spool):
    env = environment(daemon, spool)
    count = 300000
    program = subprocess.Popen([PROGRAM, "log", str(count)], env=env, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    run_id = program.stdout.readline().split()[1]
    port = daemon.port
    for _ in range(KILLS):
        time.sleep(random.uniform(0.01, 0.25))  # any moment is as good as another
        daemon.kill()
        daemon.start(port)
    program.stdout.read()
    check(program.wait(300) == 0, "the program ends well")
    for key in ("loss", "accuracy"):
        check(steps_of(daemon, run_id, key) == list(range(count)), f"{key}: every point once")
    check(run_of(daemon, run_id)["info"]["status"] == "FINISHED", "the run is FINISHED")


def main():
    seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
    random.seed(seed)
    tests = [the_example_arrives, an_offline_run_is_synced, artifacts_arrive_verified,
             refused_records_are_set_aside, a_killed_program_loses_no_point, a_killed_daemon_loses_no_point]
    with Daemon(TRACKERD) as daemon:
        for test in tests:
            before = failed
            begin = time.monotonic()
            with tempfile.TemporaryDirectory(prefix="trk-e2e-") as spool:
                test(daemon, spool)
            verdict = "ok" if failed == before else f"FAILED (SEED={seed})"
            print(f"{test.__name__}: {verdict} ({time.monotonic() - begin:.1f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
