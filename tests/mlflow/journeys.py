"""What run_java and run_node share: getting a client from its registry, and running a journey with it."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from daemon import Daemon, binary  # noqa: E402, F401

ATTEMPTS = 3
FETCH_S = 600
JOURNEY_S = 300


def fetch(command, package, registry, folder=None):
    """Runs a package manager, a few times: registries fail now and then."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            result = subprocess.run(command, cwd=folder, timeout=FETCH_S, text=True, capture_output=True, check=False)
            output = result.stdout + result.stderr
            if result.returncode == 0:
                return
        except subprocess.TimeoutExpired:
            output = f"no end within {FETCH_S} s\n"
        print(f"{command[0]}, attempt {attempt} of {ATTEMPTS}:\n{output[-3000:]}", flush=True)
    raise SystemExit(f"{package} could not be installed or compiled: is the package registry of {registry} within "
                     f"reach? The words of {command[0]} are above.")


def print_output(command, environment):
    """Runs a journey; ends this program with its status when that is not 0."""
    status = subprocess.run(command, env=environment, timeout=JOURNEY_S, check=False).returncode
    if status != 0:
        sys.exit(status)
