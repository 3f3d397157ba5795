"""Folders of files: what trk exports is what MLflow's own file store reads, and what that writes is what trk imports."""
import contextlib
import math
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import mlflow
import pytest
from clients import MAJOR
from daemon import Daemon, reserve_port
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType
from mlflow.entities.run_status import RunStatus
from mlflow.tracking._tracking_service import utils as tracking_utils

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
from cli_support import tree_of  # noqa: E402

PROGRAM_S = 120
START_S = 180  # of a server with all that MLflow imports
STOP_S = 10
LARGEST = sys.float_info.max


@pytest.fixture(autouse=True)
def allow_file_store(monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # or the newest releases refuse their own folders


@pytest.fixture
def trk(trackerd):
    """Runs the command line; what it prints."""
    def run(*words):
        program = os.path.join(os.path.dirname(trackerd), "trk")
        done = subprocess.run([program, *words], capture_output=True, text=True, timeout=PROGRAM_S)
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout
    return run


@pytest.fixture
def other(trackerd):
    """The URL of a daemon that nobody else uses."""
    with Daemon(trackerd) as daemon:
        yield daemon.url


def fill(uri):
    """Something of everything; the client's own calls, to a server or into a folder."""
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    client = MlflowClient(uri, uri)
    experiment = client.create_experiment("taxi: yes ünï", tags={"a/b": "x\ny", "mlflow.note.content": "hello"})
    run = client.create_run(experiment, run_name="1e3", tags={"team/x": "1", "long": "z" * 3000}).info.run_id
    curve = [0.5, math.nan, math.inf, -math.inf, 1e-7, 1e22, 5]
    client.log_batch(run, [Metric("loss", value, 1000 + i, i) for i, value in enumerate(curve)],
                     [Param("a/b", "1"), Param("c", "ü\n")], [RunTag("t", "'quoted' \"twice\"")])
    client.log_metric(run, "val/loss", 1.25, timestamp=7, step=-4)
    client.log_inputs(run, [DatasetInput(Dataset("d", "123", "local", "{}", profile="p: q"),
                                         [InputTag("mlflow.data.context", "train")])])
    client.log_text(run, "hi", "sub/x.txt")
    client.log_text(run, "", "empty")
    client.log_text(run, "weights", "model/ü ö.bin")
    client.set_terminated(run, "FAILED")
    child = client.create_run(experiment, tags={"mlflow.parentRunId": run}).info.run_id
    client.log_param(child, "p", "v" * 500)
    client.delete_run(client.create_run(experiment).info.run_id)
    gone = client.create_experiment("gone")
    client.create_run(gone)
    client.delete_experiment(gone)
    client.create_registered_model("m 1", tags={"k": "v"}, description="line\nline2: x")
    client.create_registered_model("empty")
    source = client.get_run(run).info.artifact_uri + "/model"
    client.create_model_version("m 1", source, run, tags={"t": "u"})
    client.create_model_version("m 1", source, run, description="a 'q'")
    client.set_registered_model_alias("m 1", "champ", "1")
    client.transition_model_version_stage("m 1", "2", "Staging")
    if MAJOR >= 3:
        fill_3(client, experiment, run)


def fill_3(client, experiment, run):
    from mlflow.entities import LoggedModelInput, LoggedModelOutput

    model = client.create_logged_model(experiment, name="lm", source_run_id=run, tags={"x": "y"},
                                       params={"p": "1"}, model_type="agent").model_id
    with tempfile.TemporaryDirectory() as folder:
        deep = pathlib.Path(folder, "code", "deep")
        deep.mkdir(parents=True)
        pathlib.Path(folder, "MLmodel").write_text("flavors: {}\n", encoding="utf-8")
        (deep / "ü.py").write_text("pass\n", encoding="utf-8")
        client.log_model_artifacts(model, folder)
    client.finalize_logged_model(model, "READY")
    client.log_metric(run, "acc", 0.5, step=3, timestamp=55, model_id=model)
    later = client.create_run(experiment).info.run_id
    client.log_inputs(later, models=[LoggedModelInput(model)])
    client.log_outputs(later, models=[LoggedModelOutput(model, 0)])
    client.create_model_version("m 1", f"models:/{model}", run, model_id=model)
    client.register_prompt("greeting", "Hello {{name}}", tags={"tone": "kind"})
    client.set_prompt_alias("greeting", "live", 1)
    wait_for_links()


def wait_for_links():
    """A registered prompt is tagged with its experiment by a thread of the client: until it ends, it writes."""
    for thread in threading.enumerate():
        if thread.name.startswith("link_prompt_to_experiment"):
            thread.join(PROGRAM_S)
            assert not thread.is_alive()


def number(value):
    """Stores with SQL have no infinities; MLflow's own neither."""
    return "nan" if math.isnan(value) else math.copysign(min(abs(value), LARGEST), value)


def run_of(client, run, tmp):
    info, data = run.info, run.data
    curves = {key: sorted((m.timestamp, m.step, str(number(m.value))) for m in client.get_metric_history(info.run_id, key))
              for key in data.metrics}
    datasets = [(i.dataset.to_dictionary(), sorted((t.key, t.value) for t in i.tags)) for i in run.inputs.dataset_inputs]
    links = []
    if MAJOR >= 3:
        run = client.get_run(info.run_id)  # searches of a server leave out what was read
        links = [sorted(i.model_id for i in run.inputs.model_inputs),
                 sorted((o.model_id, o.step) for o in run.outputs.model_outputs)]
    artifacts = {}
    if info.lifecycle_stage == "active" and client.list_artifacts(info.run_id):
        folder = tmp / f"files-{time.monotonic_ns()}"
        folder.mkdir()
        artifacts = tree_of(client.download_artifacts(info.run_id, "", str(folder)))
    return {"name": info.run_name, "experiment": info.experiment_id, "user": info.user_id, "status": info.status,
            "times": (info.start_time, info.end_time), "stage": info.lifecycle_stage, "params": data.params,
            "tags": data.tags, "latest": {key: str(number(value)) for key, value in data.metrics.items()},
            "curves": curves, "datasets": datasets, "links": links, "artifacts": artifacts}


def version_of(version):
    """Without the addresses, which differ between a server and a folder."""
    return {"description": version.description or "", "stage": version.current_stage, "status": version.status,
            "run": version.run_id, "times": (version.creation_timestamp, version.last_updated_timestamp),
            "tags": version.tags, "aliases": sorted(version.aliases)}


def models_of(client):
    return {model.name: {
        "description": model.description or "", "tags": model.tags, "aliases": {a: str(v) for a, v in model.aliases.items()},
        "times": (model.creation_timestamp, model.last_updated_timestamp),
        "versions": {str(v.version): version_of(v) for v in client.search_model_versions(f"name = '{model.name}'")},
    } for model in client.search_registered_models()}


def model_files(client, model, path=None):
    """[(path, size)] of all files."""
    found = []
    for file in client.list_logged_model_artifacts(model.model_id, path):
        found += model_files(client, model, file.path) if file.is_dir else [(file.path, file.file_size)]
    return sorted(found)


def logged_models_of(client, experiments):
    return {model.model_id: {
        "name": model.name, "type": model.model_type, "run": model.source_run_id, "status": str(model.status),
        "times": (model.creation_timestamp, model.last_updated_timestamp), "tags": model.tags, "params": model.params,
        "metrics": sorted((m.key, m.value, m.step, m.timestamp) for m in model.metrics or []),
        "files": model_files(client, model),
    } for model in client.search_logged_models(experiments)}


def seen(uri, tmp):
    """Everything that a client of that URI sees, addresses left out."""
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    # By run id, whatever the server: else files would be read where they were seen first.
    tracking_utils._artifact_repos_cache.clear()
    client = MlflowClient(uri, uri)
    experiments = client.search_experiments(view_type=ViewType.ALL)
    ids = [e.experiment_id for e in experiments]
    active = [e.experiment_id for e in experiments if e.lifecycle_stage == "active"]
    found = {
        # The default experiment is made with the store, not brought into it.
        "experiments": {e.experiment_id: (e.name, e.lifecycle_stage, e.tags,
                                          e.experiment_id == "0" or (e.creation_time, e.last_update_time))
                        for e in experiments},
        "runs": {run.info.run_id: run_of(client, run, tmp)
                 for run in client.search_runs(ids, run_view_type=ViewType.ALL)},
        "models": models_of(client),
    }
    if MAJOR >= 3:
        found["logged models"] = logged_models_of(client, active)
        prompt = client.get_prompt_version("greeting", 1)
        found["prompt"] = (prompt.template, client.get_prompt("greeting").tags.get("tone"),
                           client.get_prompt_version_by_alias("greeting", "live").version)
    return found


def assert_same(left, right):
    assert left.keys() == right.keys()
    for part in left:
        assert left[part] == right[part], part


def test_an_export_reads_like_the_server(trk, other, tmp_path):
    fill(other)
    folder = tmp_path / "mlruns"
    trk("export", "mlflow", str(folder), "--url", other)
    assert_same(seen(other, tmp_path), seen(f"file://{folder}", tmp_path))


def test_an_export_can_be_written_to(trk, other, tmp_path):
    fill(other)
    folder = tmp_path / "mlruns"
    trk("export", "mlflow", str(folder), "--url", other)
    uri = f"file://{folder}"
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name("taxi: yes ünï")
    run = client.create_run(experiment.experiment_id).info.run_id
    client.log_text(run, "new", "new.txt")
    client.restore_experiment(client.get_experiment_by_name("gone").experiment_id)
    assert client.get_experiment_by_name("gone").lifecycle_stage == "active"
    source = client.get_run(run).info.artifact_uri
    assert int(client.create_model_version("empty", source, run).version) == 1
    trk("export", "mlflow", str(folder), "--url", other)
    assert client.get_run(run).info.status == RunStatus.to_string(RunStatus.RUNNING)


def stop(process):
    """A session of its own: the server and its workers. That of 2.22 does not always hear the first signal."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal_number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
            return


@contextlib.contextmanager
def mlflow_server(folder, store, *options):
    """The URL of MLflow's own server on a store, with its log in the folder."""
    with reserve_port() as reserved, open(folder / "server.log", "w", encoding="utf-8") as log:
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store, "--host", "127.0.0.1", "--port",
                   url.rpartition(":")[2], "--workers", "1", *options]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, cwd=folder)
        try:
            wait_until_healthy(process, url, folder / "server.log")
            yield url
        finally:
            stop(process)


def wait_until_healthy(process, url, log):
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except OSError:  # not there yet, or busy with its own beginning
            time.sleep(0.1)
    raise AssertionError(f"mlflow server did not start: {process.poll()}\n{log.read_text('utf-8', 'replace')[-3000:]}")


def test_the_server_of_mlflow_serves_an_export(trk, other, tmp_path):
    fill(other)
    folder = tmp_path / "mlruns"
    trk("export", "mlflow", str(folder), "--url", other)
    with mlflow_server(tmp_path, f"file://{folder}") as url:
        assert_same(seen(other, tmp_path), seen(url, tmp_path))


def test_a_folder_of_the_client_imports(trk, other, tmp_path):
    folder = tmp_path / "mlruns"
    uri = f"file://{folder}"
    fill(uri)
    trk("import", "mlflow", str(folder), "--url", other)
    assert_same(seen(uri, tmp_path), seen(other, tmp_path))


def test_a_server_comes_back_through_a_folder(trackerd, trk, other, tmp_path):
    fill(other)
    folder = tmp_path / "mlruns"
    trk("export", "mlflow", str(folder), "--url", other)
    with Daemon(trackerd) as second:
        trk("import", "mlflow", str(folder), "--url", second.url)
        assert_same(seen(other, tmp_path), seen(second.url, tmp_path))
