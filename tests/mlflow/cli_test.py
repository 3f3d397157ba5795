"""MLflow's command line against the server: experiments, runs, artifacts."""
import os
import subprocess
import sys
import uuid

import mlflow
from click.testing import CliRunner
from mlflow.cli import cli as commands


def cli(*arguments):
    """What `mlflow …` prints, run in this process: starting Python for each takes seconds."""
    result = CliRunner().invoke(commands, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def program(*arguments):
    """The same as a program of its own, which knows the server from the environment."""
    path = os.path.join(os.path.dirname(sys.executable), "mlflow")
    result = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_experiments(client):
    name = f"cli {uuid.uuid4().hex[:8]}"
    printed = cli("experiments", "create", "--experiment-name", name)
    experiment = client.get_experiment_by_name(name)
    assert experiment.experiment_id in printed
    assert name in program("experiments", "search")
    client.create_run(experiment.experiment_id, run_name="row")
    client.log_param(client.search_runs([experiment.experiment_id])[0].info.run_id, "p", "7")
    cli("experiments", "csv", "--experiment-id", experiment.experiment_id, "--filename", "runs.csv")
    with open("runs.csv", encoding="utf-8") as file:
        header, row = file.read().splitlines()
    assert "params.p" in header and ",7" in row
    cli("experiments", "rename", "--experiment-id", experiment.experiment_id, "--new-name", name + "!")
    cli("experiments", "delete", "--experiment-id", experiment.experiment_id)
    got = client.get_experiment(experiment.experiment_id)
    assert (got.name, got.lifecycle_stage) == (name + "!", "deleted")
    cli("experiments", "restore", "--experiment-id", experiment.experiment_id)
    assert client.get_experiment(experiment.experiment_id).lifecycle_stage == "active"


def test_runs(client, experiment, run):
    run_id = run.info.run_id
    client.log_metric(run_id, "loss", 0.125)
    assert run_id in program("runs", "list", "--experiment-id", experiment)
    described = cli("runs", "describe", "--run-id", run_id)
    assert run_id in described and '"loss": 0.125' in described
    cli("runs", "delete", "--run-id", run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    cli("runs", "restore", "--run-id", run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "active"


def test_artifacts(client, run):
    run_id = run.info.run_id
    os.makedirs("folder/sub")
    for path in ("one.txt", "folder/two.txt", "folder/sub/three.txt"):
        with open(path, "w", encoding="ascii") as file:
            file.write(path)
    cli("artifacts", "log-artifact", "--run-id", run_id, "--local-file", "one.txt")
    cli("artifacts", "log-artifacts", "--run-id", run_id, "--local-dir", "folder", "--artifact-path", "all")
    listed = cli("artifacts", "list", "--run-id", run_id, "--artifact-path", "all")
    assert "all/two.txt" in listed and "all/sub" in listed
    os.mkdir("back")
    program("artifacts", "download", "--run-id", run_id, "--artifact-path", "all", "--dst-path", "back")
    with open("back/all/sub/three.txt", encoding="ascii") as file:
        assert file.read() == "folder/sub/three.txt"
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/one.txt") == "one.txt"


def test_a_project(client, experiment):
    with open("MLproject", "w", encoding="ascii") as file:
        file.write("name: tiny\nentry_points:\n  main:\n    parameters: {rate: {type: float, default: 0.1}}\n"
                   "    command: \"%s train.py {rate}\"\n" % sys.executable)
    with open("train.py", "w", encoding="ascii") as file:
        file.write("import sys, mlflow\nmlflow.log_metric('doubled', 2 * float(sys.argv[1]))\n")
    cli("run", ".", "--env-manager", "local", "--experiment-id", experiment, "-P", "rate=0.25")
    found, = client.search_runs([experiment])
    assert found.info.status == "FINISHED"
    assert (found.data.params["rate"], found.data.metrics["doubled"]) == ("0.25", 0.5)
    assert found.data.tags["mlflow.source.type"] == "PROJECT"
    assert found.data.tags["mlflow.project.entryPoint"] == "main"
