"""Cases that write and read: points of metrics in any order, and random lives of experiments, runs and models."""
from case import API, EXPERIMENT_URI, Case
from steps import Step

VALUES = [0, 1, -1, 0.5, 2, "NaN", "NaN", "Infinity", "-Infinity", 1e308, -0.0, 5e-324]


def start():
    return [Step("POST", API + "experiments/create", {"name": "e{{n}}"}, captures={"experiment": "experiment_id"}),
            Step("POST", API + "runs/create",
                 {"experiment_id": "{{experiment}}", "run_name": "r", "start_time": 1700000000000},
                 captures={"run": "run.info.run_id"})]


def metrics_case(_facts, chance):
    """Which point is the latest, and what the history is."""
    steps = start()
    for _ in range(chance.randint(1, 4)):
        points = [{"key": chance.choice("ab"), "value": chance.choice(VALUES), "timestamp": chance.randrange(4),
                   "step": chance.choice((-1, 0, 1, 2, 2, 3))} for _ in range(chance.randint(1, 6))]
        if len(points) == 1:
            steps.append(Step("POST", API + "runs/log-metric", {"run_id": "{{run}}", **points[0]}))
        else:
            steps.append(Step("POST", API + "runs/log-batch", {"run_id": "{{run}}", "metrics": points}))
    steps.append(Step("GET", API + "runs/get", query=[("run_id", "{{run}}")]))
    for key in "ab":
        steps.append(Step("GET", API + "metrics/get-history", query=[("run_id", "{{run}}"), ("metric_key", key)]))
    steps.append(Step("GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk",
                      query=[("run_id", "{{run}}"), ("metric_key", "a")]))
    query = [("run_ids", "{{run}}"), ("metric_key", "a"), ("max_results", str(chance.choice((1, 2, 5, 100))))]
    if chance.random() < 0.5:
        query += [("start_step", str(chance.choice((-1, 0, 1)))), ("end_step", str(chance.choice((1, 2, 3))))]
    steps.append(Step("GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval", query=query))
    return Case("metrics", steps)


def case(_facts, chance):
    life = chance.choice((experiment_life, run_life, registry_life))
    steps = start() + [life(chance) for _ in range(chance.randint(2, 10))]
    return Case(life.__name__.replace("_", " "), steps)


def experiment_life(chance):
    one = {"experiment_id": "{{experiment}}"}
    return chance.choice((
        lambda: Step("POST", API + "experiments/delete", one),
        lambda: Step("POST", API + "experiments/restore", one),
        lambda: Step("POST", API + "experiments/update", {
            **one, "new_name": chance.choice(("e{{n}}", "f{{n}}", "Default"))}),
        lambda: Step("POST", API + "experiments/create", {"name": chance.choice(("e{{n}}", "f{{n}}", "g{{n}}"))}),
        lambda: Step("POST", API + "experiments/set-experiment-tag", {
            **one, "key": "a", "value": chance.choice(("x", ""))}),
        lambda: Step("POST", API + "experiments/delete-experiment-tag", {**one, "key": chance.choice("ab")}),
        lambda: Step("GET", API + "experiments/get", query=[("experiment_id", "{{experiment}}")]),
        lambda: Step("GET", API + "experiments/get-by-name", query=[
            ("experiment_name", chance.choice(("e{{n}}", "f{{n}}")))]),
        lambda: Step("POST", API + "runs/create", {**one, "run_name": "s", "start_time": chance.randrange(10**12)}),
        lambda: Step("POST", API + "runs/search", {"experiment_ids": ["{{experiment}}"], "run_view_type": "ALL"}),
        lambda: Step("GET", API + "runs/get", query=[("run_id", "{{run}}")]),
        lambda: Step("POST", API + "runs/set-tag", {"run_id": "{{run}}", "key": "a", "value": "b"})))()


def run_life(chance):
    one = {"run_id": "{{run}}"}
    key = chance.choice(("a", "b", "mlflow.runName", "mlflow.user"))
    value = chance.choice(("x", "y", "", "z" * 6001))
    return chance.choice((
        lambda: Step("POST", API + "runs/delete", one),
        lambda: Step("POST", API + "runs/restore", one),
        lambda: Step("POST", API + "runs/update", {**one, "status": chance.choice(("FINISHED", "RUNNING", "FAILED"))}),
        lambda: Step("POST", API + "runs/update", {**one, "end_time": chance.choice((0, 5, "1700000000001"))}),
        lambda: Step("POST", API + "runs/update", {**one, "run_name": chance.choice(("", "new", "other"))}),
        lambda: Step("POST", API + "runs/set-tag", {**one, "key": key, "value": value}),
        lambda: Step("POST", API + "runs/delete-tag", {**one, "key": key}),
        lambda: Step("POST", API + "runs/log-parameter", {**one, "key": key, "value": value}),
        lambda: Step("POST", API + "runs/log-batch", {
            **one, "params": [{"key": key, "value": value}],
            "tags": [{"key": "b", "value": value}, {"key": "b", "value": "2"}]}),
        lambda: Step("POST", API + "runs/log-batch", {**one, "params": [{"key": key, "value": value}] * 2}),
        lambda: Step("POST", API + "runs/log-inputs", {**one, "datasets": [
            {"dataset": {"name": "d", "digest": chance.choice("12"), "source_type": "t", "source": chance.choice("st")},
             "tags": [{"key": "k", "value": chance.choice("vw")}]}]}),
        lambda: Step("POST", API + "experiments/delete", {"experiment_id": "{{experiment}}"}),
        lambda: Step("POST", API + "experiments/restore", {"experiment_id": "{{experiment}}"}),
        lambda: Step("GET", API + "runs/get", query=[("run_id", "{{run}}")])))()


def registry_life(chance):
    name = {"name": chance.choice(("m{{n}}", "m{{n}}", "m{{n}}", "o{{n}}"))}
    version = {**name, "version": str(chance.choice((1, 1, 2, 3)))}
    key = {"key": chance.choice("ab")}
    query = list(name.items())
    return chance.choice((
        lambda: Step("POST", API + "registered-models/create", {**name, "description": "d"}),
        lambda: Step("POST", API + "registered-models/create", {**name, "tags": [{"key": "a", "value": "1"}]}),
        lambda: Step("POST", API + "registered-models/rename", {
            **name, "new_name": chance.choice(("m{{n}}", "o{{n}}"))}),
        lambda: Step("PATCH", API + "registered-models/update", {**name, "description": chance.choice(("", "new"))}),
        lambda: Step("DELETE", API + "registered-models/delete", name),
        lambda: Step("POST", API + "registered-models/set-tag", {**name, **key, "value": chance.choice(("", "v"))}),
        lambda: Step("DELETE", API + "registered-models/delete-tag", {**name, **key}),
        lambda: Step("POST", API + "registered-models/alias", {**version, "alias": chance.choice(("best", "b2"))}),
        lambda: Step("DELETE", API + "registered-models/alias", {**name, "alias": "best"}),
        lambda: Step("GET", API + "registered-models/alias", query=query + [
            ("alias", chance.choice(("best", "latest")))]),
        lambda: Step("POST", API + "model-versions/create", {**name, "source": EXPERIMENT_URI, "run_id": "{{run}}"}),
        lambda: Step("POST", API + "model-versions/create", {**name, "source": EXPERIMENT_URI, "run_id": "{{run}}",
                                                             "tags": [{"key": "a", "value": "1"}], "description": "d"}),
        lambda: Step("GET", API + "model-versions/get", query=list(version.items())),
        lambda: Step("GET", API + "model-versions/get-download-uri", query=list(version.items())),
        lambda: Step("PATCH", API + "model-versions/update", {**version, "description": chance.choice(("", "new"))}),
        lambda: Step("DELETE", API + "model-versions/delete", version),
        lambda: Step("POST", API + "model-versions/set-tag", {**version, **key, "value": "v"}),
        lambda: Step("DELETE", API + "model-versions/delete-tag", {**version, **key}),
        lambda: Step("POST", API + "model-versions/transition-stage", {
            **version, "stage": chance.choice(("Staging", "production", "Archived", "None", "foo")),
            "archive_existing_versions": chance.choice((True, False))}),
        lambda: Step("POST", API + "registered-models/get-latest-versions", {
            **name, "stages": chance.choice(([], ["Staging"], ["production", "None"], ["foo"]))}),
        lambda: Step("GET", API + "registered-models/get", query=query)))()
