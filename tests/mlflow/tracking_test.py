"""Experiments, runs, parameters, metrics and tags, as the fluent API and MlflowClient write and read them."""
import math
import time
from concurrent.futures import ThreadPoolExecutor

import mlflow
from clients import requires_3
from daemon import Daemon
from mlflow.entities import Metric, Param, RunStatus, RunTag, ViewType

MAX_FLOAT = 1.7976931348623157e308


def test_a_run_that_was_logged_reads_back(client, experiment):
    begin = int(time.time() * 1000)
    with mlflow.start_run(run_name="first", tags={"team": "blue"}, description="what it is for") as active:
        mlflow.log_param("depth", 3)
        mlflow.log_params({"rate": 0.1, "name": "größe", "nothing": None})
        mlflow.log_metric("loss", 0.5)
        mlflow.log_metric("loss", 0.25, step=1)
        mlflow.log_metrics({"auc": 0.75, "f1": 1}, step=7)
        mlflow.set_tag("empty", "")
        mlflow.set_tags({"a/b.c d-e_f": "odd key", "lines": "one\ntwo"})
    end = int(time.time() * 1000)
    got = client.get_run(active.info.run_id)
    assert got.info.status == "FINISHED"
    assert got.info.run_name == "first"
    assert got.info.experiment_id == experiment
    assert begin <= got.info.start_time <= got.info.end_time <= end
    assert got.info.lifecycle_stage == "active"
    assert got.info.artifact_uri == f"mlflow-artifacts:/{experiment}/{active.info.run_id}/artifacts"
    assert got.data.params == {"depth": "3", "rate": "0.1", "name": "größe", "nothing": "None"}
    assert got.data.metrics == {"loss": 0.25, "auc": 0.75, "f1": 1.0}
    tags = got.data.tags
    assert tags["team"] == "blue"
    assert tags["empty"] == ""
    assert tags["a/b.c d-e_f"] == "odd key"
    assert tags["lines"] == "one\ntwo"
    assert tags["mlflow.note.content"] == "what it is for"


def test_the_clients_system_tags_are_kept(client, experiment):
    with mlflow.start_run() as active:
        pass
    got = client.get_run(active.info.run_id)
    assert got.data.tags["mlflow.user"] == got.info.user_id != ""
    assert got.data.tags["mlflow.source.type"] == "LOCAL"
    assert "mlflow.source.name" in got.data.tags
    assert got.data.tags["mlflow.runName"] == got.info.run_name != "", "a name is made up when none was given"


def test_the_name_of_a_run_and_its_tag_stay_in_step(client, run):
    run_id = run.info.run_id
    client.update_run(run_id, name="by update")
    assert client.get_run(run_id).data.tags["mlflow.runName"] == "by update"
    client.set_tag(run_id, "mlflow.runName", "by tag")
    got = client.get_run(run_id)
    assert got.info.run_name == "by tag"
    assert got.info.status == "RUNNING", "a new name leaves the status alone"


def test_status_and_times_are_what_the_client_says(client, experiment):
    run = client.create_run(experiment, start_time=123)
    assert (run.info.start_time, run.info.end_time, run.info.status) == (123, None, "RUNNING")
    client.set_terminated(run.info.run_id, status="KILLED", end_time=456)
    got = client.get_run(run.info.run_id).info
    assert (got.start_time, got.end_time, got.status) == (123, 456, "KILLED")
    client.update_run(run.info.run_id, status="FAILED")
    got = client.get_run(run.info.run_id).info
    assert (got.end_time, got.status) == (456, "FAILED")
    assert RunStatus.from_string(got.status) == RunStatus.FAILED


def test_a_body_that_raises_fails_its_run(client, experiment):
    try:
        with mlflow.start_run() as active:
            raise KeyError("stop")
    except KeyError:
        pass
    assert client.get_run(active.info.run_id).info.status == "FAILED"


def test_a_history_is_in_the_order_of_time_then_step(client, run):
    run_id = run.info.run_id
    points = [(0.5, 30, 1), (0.4, 10, 5), (0.3, 20, -2), (0.2, 20, 0), (0.1, 20, 0)]
    for value, timestamp, step in points:
        client.log_metric(run_id, "loss", value, timestamp=timestamp, step=step)
    client.log_metric(run_id, "loss", 0.5, timestamp=30, step=1)  # once more: it stays one point
    got = [(point.timestamp, point.step, point.value) for point in client.get_metric_history(run_id, "loss")]
    assert got == [(10, 5, 0.4), (20, -2, 0.3), (20, 0, 0.1), (20, 0, 0.2), (30, 1, 0.5)]
    assert client.get_run(run_id).data.metrics == {"loss": 0.4}, "the latest is that of the greatest step"
    assert client.get_metric_history(run_id, "never logged") == []


def test_nan_and_infinities_survive(client, run):
    run_id = run.info.run_id
    client.log_metric(run_id, "nan", math.nan)
    client.log_metric(run_id, "up", math.inf)
    client.log_metric(run_id, "down", -math.inf)
    got = client.get_run(run_id).data.metrics
    assert math.isnan(got["nan"])
    # MLflow's own store saturates infinities; both readings are what its users live with.
    assert got["up"] in (math.inf, MAX_FLOAT)
    assert got["down"] in (-math.inf, -MAX_FLOAT)
    assert math.isnan(client.get_metric_history(run_id, "nan")[0].value)


def test_doubles_keep_every_bit(client, run):
    values = [0.1 + 0.2, 5e-324, 1 / 3, MAX_FLOAT, 2.0**53 + 2, -1e-300]
    metrics = [Metric(f"m{index}", value, 0, 0) for index, value in enumerate(values)]
    client.log_batch(run.info.run_id, metrics=metrics)
    got = client.get_run(run.info.run_id).data.metrics
    assert [got[f"m{index}"].hex() for index in range(len(values))] == [value.hex() for value in values]


def test_steps_of_64_bits_are_kept(client, run):
    for step in (2**63 - 1, -(2**63), 2**53 + 1):
        client.log_metric(run.info.run_id, "wide", 1.0, timestamp=1, step=step)
    got = [point.step for point in client.get_metric_history(run.info.run_id, "wide")]
    assert got == [-(2**63), 2**53 + 1, 2**63 - 1]


def test_a_long_history_comes_in_pages_and_whole(client, run):
    count = 26_000  # the client asks for 25,000 at a time
    for begin in range(0, count, 1000):
        client.log_batch(run.info.run_id, metrics=[Metric("m", float(i), i, i) for i in range(begin, begin + 1000)])
    got = client.get_metric_history(run.info.run_id, "m")
    assert [point.step for point in got] == list(range(count))
    assert client.get_run(run.info.run_id).data.metrics["m"] == count - 1


def test_more_than_a_batch_is_split_by_the_fluent_client(client, experiment):
    with mlflow.start_run() as active:
        mlflow.log_params({f"p{index}": index for index in range(250)})
        mlflow.log_metrics({f"m{index}": index for index in range(1100)})
    got = client.get_run(active.info.run_id).data
    assert got.params == {f"p{index}": str(index) for index in range(250)}
    assert got.metrics == {f"m{index}": float(index) for index in range(1100)}


def test_a_batch_writes_all_three_kinds(client, run):
    client.log_batch(run.info.run_id, [Metric("m", 1.5, 10, 2), Metric("m", 2.5, 11, 3)], [Param("p", "")],
                     [RunTag("t", "v")])
    got = client.get_run(run.info.run_id).data
    assert (got.metrics, got.params, got.tags["t"]) == ({"m": 2.5}, {"p": ""}, "v")
    assert [point.value for point in client.get_metric_history(run.info.run_id, "m")] == [1.5, 2.5]


def test_long_values_are_cut_not_refused(client, run):
    client.log_param(run.info.run_id, "long", "ä" * 6001)
    client.set_tag(run.info.run_id, "long", "t" * 8001)
    got = client.get_run(run.info.run_id).data
    assert got.params["long"] == "ä" * 6000
    assert got.tags["long"] == "t" * 8000
    client.log_param(run.info.run_id, "long", "ä" * 6001)  # the same again is no change


def test_a_tag_can_be_deleted(client, run):
    client.set_tag(run.info.run_id, "gone", "1")
    client.delete_tag(run.info.run_id, "gone")
    assert "gone" not in client.get_run(run.info.run_id).data.tags


def test_a_deleted_run_can_be_restored(client, experiment, run):
    client.delete_run(run.info.run_id)
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    assert client.search_runs([experiment]) == []
    assert [found.info.run_id for found in client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)] == [
        run.info.run_id
    ]
    client.restore_run(run.info.run_id)
    assert len(client.search_runs([experiment])) == 1


def test_an_experiment_reads_back(client):
    name = f"Versuch {time.time_ns()}"
    experiment_id = client.create_experiment(name, tags={"team": "blue", "mlflow.note.content": "why"})
    got = client.get_experiment_by_name(name)
    assert got.experiment_id == experiment_id
    assert got.artifact_location == f"mlflow-artifacts:/{experiment_id}"
    assert got.lifecycle_stage == "active"
    assert got.tags == {"team": "blue", "mlflow.note.content": "why"}
    assert abs(got.creation_time - time.time() * 1000) < 60_000
    client.set_experiment_tag(experiment_id, "team", "green")
    client.rename_experiment(experiment_id, name + "!")
    got = client.get_experiment(experiment_id)
    assert (got.name, got.tags["team"]) == (name + "!", "green")
    assert got.last_update_time >= got.creation_time
    assert client.get_experiment_by_name(name) is None


def test_a_location_of_ones_own_is_where_runs_keep_their_files(client):
    experiment_id = client.create_experiment(f"elsewhere {time.time_ns()}", artifact_location="mlflow-artifacts:/else/where")
    run = client.create_run(experiment_id)
    assert run.info.artifact_uri == f"mlflow-artifacts:/else/where/{run.info.run_id}/artifacts"
    client.log_text(run.info.run_id, "here", "a.txt")
    assert mlflow.artifacts.load_text(run.info.artifact_uri + "/a.txt") == "here"


def test_deleting_an_experiment_takes_its_runs_along(client, experiment, run):
    client.delete_experiment(experiment)
    assert client.get_experiment(experiment).lifecycle_stage == "deleted"
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    client.restore_experiment(experiment)
    assert client.get_experiment(experiment).lifecycle_stage == "active"
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "active"


def test_the_default_experiment_is_there(client):
    got = client.get_experiment("0")
    assert (got.name, got.lifecycle_stage) == ("Default", "active")


def test_a_nested_run_knows_its_parent(client, experiment):
    with mlflow.start_run(run_name="parent") as parent:
        with mlflow.start_run(run_name="child", nested=True) as child:
            with mlflow.start_run(nested=True) as grandchild:
                mlflow.log_metric("deep", 1)
        mlflow.log_metric("outer", 2)
    assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert client.get_run(grandchild.info.run_id).data.tags["mlflow.parentRunId"] == child.info.run_id
    assert client.get_run(parent.info.run_id).data.metrics == {"outer": 2.0}
    assert mlflow.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    assert [found.info.run_id for found in children] == [child.info.run_id]


def test_a_run_under_a_parent_that_is_over(client, experiment):
    with mlflow.start_run() as parent:
        pass
    with mlflow.start_run(parent_run_id=parent.info.run_id) as child:
        pass
    assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == parent.info.run_id


def test_a_run_can_be_resumed(client, experiment):
    with mlflow.start_run(run_name="two sittings") as first:
        mlflow.log_metric("loss", 2, step=0)
    ended = client.get_run(first.info.run_id).info
    with mlflow.start_run(run_id=first.info.run_id, tags={"sitting": "second"}) as second:
        assert client.get_run(first.info.run_id).info.status == "RUNNING"
        mlflow.log_metric("loss", 1, step=1)
    got = client.get_run(first.info.run_id)
    assert second.info.run_id == first.info.run_id
    assert got.info.status == "FINISHED"
    assert got.info.run_name == "two sittings"
    assert got.info.start_time == ended.start_time
    assert got.info.end_time >= ended.end_time
    assert got.data.tags["sitting"] == "second"
    assert [point.value for point in client.get_metric_history(first.info.run_id, "loss")] == [2, 1]


def test_the_last_active_run_is_found_again(client, experiment):
    with mlflow.start_run() as active:
        mlflow.log_param("p", 1)
    assert mlflow.last_active_run().info.run_id == active.info.run_id
    assert mlflow.get_run(active.info.run_id).data.params == {"p": "1"}


def test_the_environment_names_the_run(client, run, monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    with mlflow.start_run() as active:
        mlflow.log_param("p", 1)
    assert active.info.run_id == run.info.run_id
    assert client.get_run(run.info.run_id).data.params == {"p": "1"}


def test_children_that_log_side_by_side(client, experiment, run):
    """A search of parameters: each child in a thread of its own."""
    def train(index):
        tags = {"mlflow.parentRunId": run.info.run_id}
        child = client.create_run(experiment, tags=tags, run_name=f"child {index}").info.run_id
        client.log_param(child, "index", index)
        for step in range(10):
            client.log_metric(child, "score", index * step, step=step)
        client.set_terminated(child)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(train, range(24)))
    found = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{run.info.run_id}'",
                               order_by=["metrics.score DESC"])
    assert [child.data.metrics["score"] for child in found] == [index * 9.0 for index in range(23, -1, -1)]
    assert {child.info.status for child in found} == {"FINISHED"}
    assert {child.data.params["index"] for child in found} == {str(index) for index in range(24)}


def test_one_run_written_to_by_many_threads(client, run):
    run_id = run.info.run_id

    def write(index):
        client.log_batch(run_id, [Metric("m", float(index), index, index)], [Param(f"p{index}", "v")],
                         [RunTag("same", str(index))])
        client.log_param(run_id, "agreed", "yes")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(80)))
    got = client.get_run(run_id).data
    assert got.metrics == {"m": 79.0}
    assert got.params == {**{f"p{index}": "v" for index in range(80)}, "agreed": "yes"}
    assert got.tags["same"] in {str(index) for index in range(80)}
    assert len(client.get_metric_history(run_id, "m")) == 80


def test_a_pause_longer_than_the_server_waits(trackerd):
    """The server closes idle connections; the client must not stumble over that."""
    with Daemon(trackerd, options=("--idle-timeout-ms", "50")) as daemon:
        client = mlflow.MlflowClient(daemon.url)
        run_id = client.create_run("0").info.run_id
        for step in range(20):
            client.log_metric(run_id, "m", step, step=step)
            time.sleep(0.04 + 0.001 * step)  # up to the very moment of closing, and past it
        assert [point.step for point in client.get_metric_history(run_id, "m")] == list(range(20))


@requires_3
def test_a_tag_of_an_experiment_can_be_deleted(client, experiment):
    client.set_experiment_tag(experiment, "gone", "1")
    client.delete_experiment_tag(experiment, "gone")
    assert "gone" not in client.get_experiment(experiment).tags


def test_many_programs_that_name_the_same_new_experiment(client):
    name = f"race {time.time_ns()}"
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: mlflow.set_experiment(name).experiment_id, range(8)))
    assert set(ids) == {client.get_experiment_by_name(name).experiment_id}


def test_an_address_with_a_slash_and_credentials(server, monkeypatch):
    """There is nobody to check them against: they do no harm."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    client = mlflow.MlflowClient(server + "/")
    run_id = client.create_run("0").info.run_id
    client.log_text(run_id, "x", "x.txt")
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME")
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "token")
    assert [info.path for info in client.list_artifacts(run_id)] == ["x.txt"]
