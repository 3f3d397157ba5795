"""Runs the suites with one of the released Python clients: what run_python_newest and run_python_old share."""
import os
import signal
import subprocess
import sys

import environments

HERE = os.path.dirname(os.path.abspath(__file__))
SUITE_S = 1500  # on an idle machine of two cores they take about a tenth of it
# Settings of the client under test. A request that fails is tried again at most twice: a wrong answer must show at
# once; the test of the retries asks for more. Pictures are drawn without a screen.
SETTINGS = {
    **environments.QUIET,
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    "MPLBACKEND": "Agg",
    "PYTHONDONTWRITEBYTECODE": "1",
    "NO_PROXY": "127.0.0.1",
    "OMP_NUM_THREADS": "1",
}


def versions(python):
    """One line with what the environment really holds."""
    packages = ("mlflow", "scikit-learn", "xgboost-cpu", "pandas", "numpy")
    program = f"import importlib.metadata as m; print(', '.join(f'{{p}} {{m.version(p)}}' for p in {packages}))"
    return subprocess.run([python, "-c", program], check=True, capture_output=True, text=True).stdout.strip()


def run(environment):
    """Usage of the calling program: FOLDER_OF_BINARIES [PYTEST_ARGUMENT...]"""
    if len(sys.argv) < 2:
        raise SystemExit(f"usage: {os.path.basename(sys.argv[0])} FOLDER_OF_BINARIES [PYTEST_ARGUMENT...]")
    python = environments.ensure(environment)
    print(f"clients: {versions(python)}", flush=True)
    # The client's own settings must not leak in from whoever runs the tests.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    command = [python, "-m", "pytest", "-c", os.path.join(HERE, "pytest.ini"), "--rootdir", HERE,
               "--binaries", os.path.abspath(sys.argv[1]), *sys.argv[2:]]
    if not any(".py" in argument for argument in sys.argv[2:]):
        command.append(HERE)  # whose conftest.py knows --binaries
    # A session of its own: when time is up, the daemons that the suites started end with them.
    with subprocess.Popen(command, env={**inherited, **SETTINGS}, start_new_session=True) as suites:
        try:
            sys.exit(suites.wait(SUITE_S))
        finally:
            if suites.poll() is None:
                os.killpg(suites.pid, signal.SIGKILL)
                print(f"no end within {SUITE_S} s", flush=True)
