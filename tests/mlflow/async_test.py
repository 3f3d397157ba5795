"""Asynchronous logging: the client's background threads send batches of one run side by side and out of order."""
import mlflow
from mlflow.entities import Metric, Param, RunTag


def test_everything_that_was_queued_arrives(client, experiment):
    with mlflow.start_run() as active:
        operations = [mlflow.log_metric("loss", 1000 - step, step=step, synchronous=False) for step in range(400)]
        operations.append(mlflow.log_params({f"p{index}": index for index in range(120)}, synchronous=False))
        operations += [mlflow.log_param("single", "x", synchronous=False), mlflow.set_tag("t", "v", synchronous=False)]
        operations.append(mlflow.log_metrics({"a": 1, "b": 2}, synchronous=False))
        for operation in operations:
            operation.wait()
    data = client.get_run(active.info.run_id).data
    assert data.metrics == {"loss": 601.0, "a": 1.0, "b": 2.0}, "the latest is of the last step, whatever came last"
    assert data.params == {**{f"p{index}": str(index) for index in range(120)}, "single": "x"}
    assert data.tags["t"] == "v"
    history = client.get_metric_history(active.info.run_id, "loss")
    assert sorted(point.step for point in history) == list(range(400))


def test_flushing_waits_for_all(client, run):
    run_id = run.info.run_id
    for step in range(50):
        client.log_metric(run_id, "m", step, step=step, synchronous=False)
    client.log_batch(run_id, [Metric("n", 1.0, 1, 1)], [Param("p", "1")], [RunTag("t", "1")], synchronous=False)
    mlflow.flush_async_logging()
    data = client.get_run(run_id).data
    assert (data.metrics, data.params, data.tags["t"]) == ({"m": 49.0, "n": 1.0}, {"p": "1"}, "1")
    assert len(client.get_metric_history(run_id, "m")) == 50


def test_async_logging_for_all_calls(client, experiment):
    mlflow.config.enable_async_logging(True)
    try:
        with mlflow.start_run() as active:
            for step in range(20):
                mlflow.log_metric("m", step * 0.5, step=step)
            mlflow.log_text("later", "note.txt")
    finally:
        mlflow.flush_async_logging()
        mlflow.flush_artifact_async_logging()
        mlflow.config.enable_async_logging(False)
    assert len(client.get_metric_history(active.info.run_id, "m")) == 20
    assert mlflow.artifacts.load_text(f"runs:/{active.info.run_id}/note.txt") == "later"
