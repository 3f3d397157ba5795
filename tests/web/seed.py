"""Fills a tracking server over its REST interface, as clients do."""
import concurrent.futures
import http.client
import json
import math
import random
import struct
import urllib.parse
import zlib

HOUR_MS = 3600 * 1000
HOSTILE = '<img src=x onerror="window.hacked=1"> & "quotes"'
HOSTILE_MODEL = "<img src=x onerror=window[1]=1>"  # names of logged models hold no quotes and dots


class Rest:
    """One kept-alive connection."""

    def __init__(self, port):
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        reply = self.connection.getresponse()
        return reply.status, reply.read()

    def json(self, method, path, body=None, user=""):
        status, content = self.send(method, path, None if body is None else json.dumps(body),
                                    {"Content-Type": "application/json", "X-Trackerd-User": user.encode()})
        if status != 200:
            raise AssertionError(f"{method} {path}: {status} {content[:300]!r} for {json.dumps(body)[:300]}")
        return json.loads(content or b"{}")

    def post(self, path, **body):
        return self.json("POST", "/api/2.0/mlflow/" + path, body)

    def own(self, method, path, body=None, user=""):
        """trackerd's own interface."""
        return self.json(method, "/api/trackerd/v1/" + path, body, user)

    def put_file(self, path, content):
        status, answer = self.send("PUT", "/api/2.0/mlflow-artifacts/artifacts/" + urllib.parse.quote(path), content)
        assert status == 200, (path, status, answer)

    def create_run(self, experiment_id, name, start_ms, tags=None, **more):
        tags = [{"key": k, "value": v} for k, v in (tags or {}).items()]
        run = self.post("runs/create", experiment_id=experiment_id, run_name=name, start_time=start_ms, tags=tags, **more)
        return run["run"]["info"]["run_id"]

    def log(self, run_id, metrics=(), params=None, tags=None):
        params = [{"key": k, "value": str(v)} for k, v in (params or {}).items()]
        tags = [{"key": k, "value": str(v)} for k, v in (tags or {}).items()]
        metrics = [{"key": k, "value": text_if_odd(v), "step": s, "timestamp": t} for k, v, s, t in metrics]
        for i in range(0, max(1, len(metrics)), 900):
            last = i + 900 >= len(metrics)
            self.post("runs/log-batch", run_id=run_id, metrics=metrics[i:i + 900],
                      params=params if i == 0 else [], tags=tags if last and i == 0 else [])

    def finish(self, run_id, end_ms, status="FINISHED"):
        self.post("runs/update", run_id=run_id, status=status, end_time=end_ms)


def text_if_odd(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def png(width, height):
    """A picture with a gradient."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(v for x in range(width) for v in (40, 85 + y % 120, 255 * x // width))
                    for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


ALPHAS = {0.01: (4.640879, 7.477818, 7.452247), 0.1: (4.656447, 7.458799, 7.433733), 0.3: (4.746783, 7.451939, 7.428904),
          1: (5.195459, 7.564156, 7.550741), 3: (6.138662, 7.966604, 7.974534), 10: (7.513026, 8.773351, 8.811629)}
FILES = {
    "model/README.md": b"# Ridge regression\n\nColumns: `PULocationID_DOLocationID` one-hot, `trip_distance`.\n",
    "model/weights.bin": bytes(range(256)) * 40,
    "model/columns.json": b'{"count": 13221, "first": ["74_75", "74_41"], "intercept": 9.25}',
    "predictions.csv": b"pair,distance,predicted\n" + b"".join(b"%d_%d,%.2f,%.3f\n" % (74 + i % 9, 41 + i % 7, i / 7, 9 + i / 11)
                                                               for i in range(60)),
    "plots/residuals.png": png(480, 240),
    "log.txt": "α = 0.3\nconverged after 41 iterations\n".encode(),
}


def taxi(rest, now_ms):
    """An experiment of six trainings, of which one model is registered. → ids."""
    rng = random.Random(7)
    experiment = rest.post("experiments/create", name="green-taxi-duration")["experiment_id"]
    rest.post("experiments/set-experiment-tag", experiment_id=experiment, key="mlflow.note.content",
              value="Ridge regression of the duration of green taxi trips, January to March 2021.")
    ids = {}
    for n, (alpha, (train, val, test)) in enumerate(ALPHAS.items()):
        start = now_ms - (len(ALPHAS) - n) * HOUR_MS
        run = rest.create_run(experiment, f"ridge-alpha-{alpha}", start, user_id="carol", tags={
            "mlflow.user": "carol", "mlflow.source.name": "taxi-train", "mlflow.source.type": "LOCAL",
            "mlflow.source.git.commit": "4f06d4459f8f9c3099ec243a76001234567890ab", "reviewed": "yes" if n == 2 else "no"})
        points = []
        for i in range(48):
            shrink = math.exp(-i / (5 + alpha)) * 9
            points.append(("rmse_train", train + shrink, i, start + i * 400))
            points.append(("rmse_val", val + shrink * .7 + (.02 * rng.random()), i, start + i * 400))
            points.append(("solver/residual", 10 ** (3 - i / 6) * (0.8 + .4 * rng.random()), i, start + i * 400))
        points += [("rmse_train", train, 48, start + 20000), ("rmse_val", val, 48, start + 20000),
                   ("rmse_test", test, 0, start + 20000)]
        rest.log(run, points, {"alpha": alpha, "solver": "conjugate-gradient", "features": "pairs+distance",
                               "rows": 73908, "tolerance": "1e-6" if n % 2 else "1e-8"})
        for context, digest in (("train", "9d8be1f8c2e0"), ("validation", "11aa02bb45cd")):
            rest.post("runs/log-inputs", run_id=run, datasets=[{
                "tags": [{"key": "mlflow.data.context", "value": context}],
                "dataset": {"name": f"green_tripdata_{context}", "digest": digest, "source_type": "local",
                            "source": f"data/taxi/{context}.csv.gz"}}])
        for path, content in FILES.items():
            rest.put_file(f"{experiment}/{run}/artifacts/{path}", content)
        rest.finish(run, start + 21000 + n * 1300, "FAILED" if alpha == 10 else "FINISHED")
        ids[alpha] = run
    rest.post("runs/set-tag", run_id=ids[0.3], key="mlflow.note.content", value="Best of the sweep.\n<b>Not markup.</b>")
    rest.post("registered-models/create", name="taxi-duration", description="Minutes of a green taxi trip.")
    for alpha in (1, 0.1, 0.3):
        rest.post("model-versions/create", name="taxi-duration", run_id=ids[alpha],
                  source=f"mlflow-artifacts:/{experiment}/{ids[alpha]}/artifacts/model")
    rest.post("registered-models/alias", name="taxi-duration", alias="champion", version="3")
    return experiment, ids


def remembered(rest):
    """Rules, a tag and three targets for the model of taxi(). → number of the event that set its alias, a deployment's id."""
    rest.own("PUT", "models/taxi-duration/rules", {"requirements": ["rmse_val <= candidate + 0.5%", "size < 200M"]}, "carol")
    rest.json("POST", "/api/2.0/mlflow/registered-models/set-tag", {"name": "taxi-duration", "key": "team", "value": "routes"}, "ana")
    for i, (version, environment, state, reason) in enumerate((
            ("3", "prod", "active", ""), ("2", "prod", "active", "kept for the comparison of both"),
            ("3", "staging", "failed", "health check exited with 1: no answer on port 8080 within 30 s"))):
        rest.own("PUT", f"deployments/{i:032x}", {
            "model": "taxi-duration", "version": version, "alias": "champion", "environment": environment, "target": f"predict-{i + 1}",
            "host": f"node-{i + 1}.example", "path": "/srv/models/taxi-duration", "state": state, "reason": reason,
            "heartbeat_ms": 0}, "carol")
    events = rest.own("GET", "models/taxi-duration/history?order=desc")["events"]
    return next(e["seq"] for e in events if e["kind"] == "alias.set"), f"{2:032x}"


def long_curve(rest, experiment, now_ms, points=20000):
    """A run with a long curve, a spike of one step, NaN and infinite values."""
    rng = random.Random(11)
    start = now_ms - 2 * HOUR_MS + 60000
    run = rest.create_run(experiment, "long-run", start)
    spike = points // 2 + 7
    rest.log(run, [("loss", 1000.0 if i == spike else 2 * math.exp(-i / 6000) + .2 * rng.random(), i, start + i * 10)
                   for i in range(points)])
    odd = [1.0, 0.8, float("nan"), 0.6, float("inf"), 0.5, 0.4]
    rest.log(run, [("odd", v, i, start + i * 10) for i, v in enumerate(odd)])
    rest.log(run, [("always_nan", float("nan"), 0, start)])
    rest.finish(run, start + points * 10)
    return run, spike


def hostile(rest, now_ms):
    """Names that would be markup, if anyone took them for it."""
    experiment = rest.post("experiments/create", name=HOSTILE)["experiment_id"]
    run = rest.create_run(experiment, HOSTILE, now_ms - HOUR_MS, tags={
        "evil": HOSTILE, "mlflow.source.name": HOSTILE, "mlflow.note.content": HOSTILE,
        "mlflow.source.git.repoURL": "javascript:window.hacked=2"})
    rest.log(run, [("loss", 1.0, 0, now_ms), ("loss", 0.5, 1, now_ms)], {"path": HOSTILE})
    rest.put_file(f"{experiment}/{run}/artifacts/page.html", b"<script>window.hacked=3</script>")
    rest.put_file(f"{experiment}/{run}/artifacts/picture.svg",
                  b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><script>window.hacked=4</script>'
                  b'<rect width="40" height="40" fill="red"/></svg>')
    return experiment, run


def logged_models(rest, now_ms):
    """An experiment with a run that logs two models, and a run that uses one. → experiment, run, user, model ids."""
    experiment = rest.post("experiments/create", name="logged")["experiment_id"]
    run = rest.create_run(experiment, "logger", now_ms - HOUR_MS)
    user = rest.create_run(experiment, "evaluator", now_ms - HOUR_MS // 2)
    ids = {}
    for name, rmse, kind in (("ridge", 7.5, "sklearn"), (HOSTILE_MODEL, 8.5, "agent")):
        model = rest.post("logged-models", experiment_id=experiment, name=name, model_type=kind, source_run_id=run,
                          params=[{"key": "alpha", "value": "0.3"}], tags=[{"key": "team", "value": "routes"}])["model"]
        ids[rmse] = model["info"]["model_id"]
        rest.post("runs/log-metric", run_id=run, key="rmse", value=rmse, timestamp=now_ms, step=3, model_id=ids[rmse],
                  dataset_name="taxi-train", dataset_digest="4f06d445")
    rest.post("runs/outputs", run_id=run, models=[{"model_id": m, "step": 3} for m in ids.values()])
    rest.post("runs/log-inputs", run_id=user, models=[{"model_id": ids[7.5]}], datasets=[{
        "dataset": {"name": "taxi-train", "digest": "4f06d445", "source_type": "local", "source": "{}"}}])
    rest.put_file(f"{experiment}/models/{ids[7.5]}/artifacts/MLmodel", b"flavors: {}\n")
    rest.json("PATCH", f"/api/2.0/mlflow/logged-models/{ids[7.5]}", {"status": "LOGGED_MODEL_READY"})
    rest.post("registered-models/create", name="logged-ridge")
    rest.post("model-versions/create", name="logged-ridge", source=f"models:/{ids[7.5]}", model_id=ids[7.5], run_id=run)
    return experiment, run, user, ids


def versions(rest, now_ms, name, losses):
    """A model with a version for each loss, from a run of its own with a file. → run ids."""
    experiment = rest.post("experiments/create", name=f"for {name}")["experiment_id"]
    rest.post("registered-models/create", name=name)
    ids = []
    for i, loss in enumerate(losses):
        run = rest.create_run(experiment, f"{name}-{i + 1}", now_ms - HOUR_MS + i)
        rest.log(run, [("loss", loss, 0, now_ms)], {"depth": i + 3, "kind": "tree"})
        rest.put_file(f"{experiment}/{run}/artifacts/model/tree.txt", b"%d leaves" % (i + 1))
        rest.finish(run, now_ms - HOUR_MS + 1000)
        rest.post("model-versions/create", name=name, run_id=run, source=f"mlflow-artifacts:/{experiment}/{run}/artifacts/model")
        ids.append(run)
    return ids


LONG_WORD = "a-name-that-nobody-broke-" + "abcdefghij" * 12
RIGHT_TO_LEFT = "\u05e2\u05d1\u05e8\u05d9\u05ea \u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u202e!sdrawkcab"  # with an override that nothing ends
UNICODE = "モデル-données-\U0001f695-e\u0301"
ODD_NAMES = (HOSTILE, LONG_WORD, RIGHT_TO_LEFT, UNICODE)
STATES = ("deploying", "active", "rolled_back", "failed", "active")  # the last ones turn stale


def plenty(rest, now_ms, versions_count=80, aliases=60, targets=70):
    """A model of which there is much of everything, with names that fit nowhere. → name"""
    name = f"plenty {UNICODE}"
    experiment = rest.post("experiments/create", name=f"for {name}")["experiment_id"]
    text = f"{HOSTILE} {RIGHT_TO_LEFT}\n" + "All there is to say of it, and more. " * 130
    rest.post("registered-models/create", name=name, description=text[:5000],
              tags=[{"key": f"{LONG_WORD[:30 * i]}k", "value": word} for i, word in enumerate(ODD_NAMES)])
    runs = []
    for i, word in enumerate(ODD_NAMES):
        runs.append(rest.create_run(experiment, word, now_ms - HOUR_MS + i, tags={"mlflow.source.git.commit": word}))
        rest.log(runs[i], [("loss", 1e300 / 3 ** i, 0, now_ms), (LONG_WORD, -1e-300 * (i + 1), 0, now_ms), ("none", math.nan, 0, now_ms)],
                 {"path": word, LONG_WORD: i})
        rest.put_file(f"{experiment}/{runs[i]}/artifacts/model/{'deep/' * 12}{LONG_WORD}.bin", b"%d" % i)
    for i in range(versions_count):
        run = runs[i % len(runs)]
        rest.post("model-versions/create", name=name, run_id=run, source=f"mlflow-artifacts:/{experiment}/{run}/artifacts/model",
                  description=text[:5000] if i == versions_count - 1 else ODD_NAMES[i % 4],
                  tags=[{"key": "word", "value": ODD_NAMES[i % 4]}])
    for i in range(aliases):
        alias = f"alias-{i}" if i > 2 else ("champion", "a" + "long" * 60, "b-2")[i]
        rest.json("POST", "/api/2.0/mlflow/registered-models/alias",
                  {"name": name, "alias": alias, "version": str(versions_count - i % 7), "reason": ODD_NAMES[i % 4]}, ODD_NAMES[(i + 1) % 2])
    rest.post("model-versions/transition-stage", name=name, version=str(versions_count), stage="Production")
    rest.own("PUT", f"models/{urllib.parse.quote(name)}/rules", {
        "requirements": [f"`{LONG_WORD}` <= champion + 0.5%", "loss < 1e-300", "size < 200M"], "protected_aliases": ["champion", "alias-9"]})
    for i in range(targets):
        word = ODD_NAMES[i % 7 % 4]
        rest.own("PUT", f"deployments/{5000 + i:032x}", {
            "model": name, "version": str(versions_count - i % 9), "alias": "champion", "environment": ("prod", "staging", RIGHT_TO_LEFT, "")[i % 4],
            "target": f"{i:03} {word}", "host": word, "path": f"/srv/{'models/' * (i % 40)}{word}", "state": STATES[i % 5],
            "reason": f"{word} exited with 1: " + "no answer " * (i % 60) if i % 5 > 1 else "", "heartbeat_ms": 1000 if i % 50 == 4 else 0}, word[:40])
    return name


def many(port, now_ms, count, threads=12):
    """An experiment with so many runs. → its id, the number of the run with the smallest loss."""
    rng = random.Random(3)
    rest = Rest(port)
    experiment = rest.post("experiments/create", name="sweep-of-many")["experiment_id"]
    losses = [1 + rng.random() for _ in range(count)]
    rates = [10 ** -rng.uniform(1, 5) for _ in range(count)]

    def part(offset):
        mine = Rest(port)
        for i in range(offset, count, threads):
            start = now_ms - 30 * 24 * HOUR_MS + i * 60000
            run = mine.create_run(experiment, f"trial-{i:05}", start)
            mine.log(run, [("loss", losses[i] + 1, 0, start), ("loss", losses[i], 1, start + 10),
                           ("accuracy", 2 - losses[i], 1, start)], {"lr": f"{rates[i]:.2e}", "layers": i % 8})
            mine.finish(run, start + 30000)

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(part, n) for n in range(threads)]:
            done.result()
    return experiment, losses.index(min(losses))
