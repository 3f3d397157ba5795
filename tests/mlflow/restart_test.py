"""A daemon that dies while a training logs and comes back: the clients' retries lose nothing and double nothing."""
import os
import threading

import mlflow
import pytest
from daemon import Daemon
from mlflow.entities import Metric, Param, RunTag

STEPS = 120
KILLS_AT = (30, 80)  # steps
END_S = 90


@pytest.fixture
def mortal(trackerd, tmp_path, monkeypatch):
    """A daemon of the test's own, to be killed, with as many retries as the clients have unless told otherwise."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "7")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0.1")
    with Daemon(trackerd, data=str(tmp_path / "data")) as daemon:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", daemon.url)
        mlflow.set_tracking_uri(daemon.url)
        yield daemon


class Training(threading.Thread):
    """Logs with every call that may be repeated; tells how far it is."""

    def __init__(self, client, run_id):
        super().__init__(daemon=True)
        self.client = client
        self.run_id = run_id
        self.reached = {step: threading.Event() for step in KILLS_AT}
        self.failure = None

    def run(self):
        try:
            for step in range(STEPS):
                if step in self.reached:
                    self.reached[step].set()
                self.log(step)
        except Exception as failure:  # whatever it is, the test must tell of it
            self.failure = failure

    def log(self, step):
        client, run_id = self.client, self.run_id
        client.log_metric(run_id, "one", step / 4, step=step)
        client.log_metric(run_id, "queued", step / 8, step=step, synchronous=False)
        client.log_batch(run_id, [Metric("batch", step * 2.0, 1000 + step, step)], [Param(f"p{step}", str(step))],
                         [RunTag(f"t{step}", str(step))])
        client.set_tag(run_id, "last", str(step))
        if step % 20 == 0:
            client.log_param(run_id, f"at {step}", step)
            client.log_text(run_id, f"step {step}", f"notes/{step}.txt")


def test_kills_while_logging_lose_and_double_nothing(mortal):
    client = mlflow.MlflowClient(mortal.url)
    run_id = client.create_run("0", run_name="survivor").info.run_id
    training = Training(client, run_id)
    training.start()
    port = mortal.port
    for step in KILLS_AT:
        assert training.reached[step].wait(END_S), f"stuck before step {step}: {training.failure}"
        mortal.kill()
        mortal.start(port)
    training.join(END_S)
    assert training.failure is None and not training.is_alive()
    mlflow.flush_async_logging()
    client.set_terminated(run_id)

    for key, factor in (("one", 1 / 4), ("queued", 1 / 8), ("batch", 2.0)):
        history = sorted((point.step, point.value) for point in client.get_metric_history(run_id, key))
        assert history == [(step, step * factor) for step in range(STEPS)], key
    got = client.get_run(run_id)
    assert got.info.status == "FINISHED"
    assert got.data.metrics == {"one": (STEPS - 1) / 4, "queued": (STEPS - 1) / 8, "batch": (STEPS - 1) * 2.0}
    assert got.data.params == {**{f"p{step}": str(step) for step in range(STEPS)},
                               **{f"at {step}": str(step) for step in range(0, STEPS, 20)}}
    assert {key: got.data.tags[key] for key in ("t0", f"t{STEPS - 1}", "last")} == {
        "t0": "0", f"t{STEPS - 1}": str(STEPS - 1), "last": str(STEPS - 1)}
    folder = client.download_artifacts(run_id, "notes", os.getcwd())
    for step in range(0, STEPS, 20):
        with open(os.path.join(folder, f"{step}.txt"), encoding="ascii") as file:
            assert file.read() == f"step {step}"
    assert len(client.search_runs(["0"])) == 1


def test_a_client_waits_for_a_daemon_that_starts_late(mortal):
    client = mlflow.MlflowClient(mortal.url)
    run_id = client.create_run("0").info.run_id
    port = mortal.port
    mortal.stop()
    waiting = threading.Thread(target=client.log_metric, args=(run_id, "m", 1.0), daemon=True)
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive(), "the client tries again"
    mortal.start(port)
    waiting.join(END_S)
    assert client.get_run(run_id).data.metrics == {"m": 1.0}
