#!/usr/bin/env python3
"""Virtual environments with the released MLflow clients, made under build/mlflow/ and kept between runs.

Usage: environments.py [--refresh] [NAME...]        all without a name; --refresh makes them anew
Python's standard library only.

An environment is whole when its stamp names its packages and this Python; a half-made one is made again. "newest" is
the newest release of the day on which it was made: --refresh, or removing build/mlflow/, looks for a newer one.
"""
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
FOLDER = os.path.join(ROOT, "build", "mlflow")
# What the suites use beside MLflow. xgboost-cpu is XGBoost without its gigabyte for graphics cards.
WITH = ["scikit-learn", "xgboost-cpu", "pytest"]
ENVIRONMENTS = {
    "newest": ["mlflow", *WITH],
    # Tracing of 2.22 ends no span with later releases of OpenTelemetry, and its database does not open with later ones of
    # SQLAlchemy.
    "2.22": ["mlflow==2.22.*", "opentelemetry-sdk<1.34", "sqlalchemy<2.1", *WITH],
}
ATTEMPTS = 3
ATTEMPT_S = 900
# The clients report their use to their makers unless told otherwise.
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


def python(name):
    """The interpreter of an environment that `ensure` has made."""
    return os.path.join(FOLDER, name, "bin", "python")


def stamp_of(name):
    return hashlib.sha256("\n".join([sys.version, *ENVIRONMENTS[name]]).encode()).hexdigest()


def is_whole(name):
    try:
        with open(os.path.join(FOLDER, name, "stamp"), encoding="ascii") as file:
            return file.read() == stamp_of(name)
    except FileNotFoundError:
        return False


def install(name):
    """pip, a few times: registries fail now and then. Raises SystemExit with the sentence to act on."""
    command = [python(name), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
               "--only-binary", ":all:", *ENVIRONMENTS[name]]
    for attempt in range(1, ATTEMPTS + 1):
        try:
            result = subprocess.run(command, timeout=ATTEMPT_S, text=True, capture_output=True, check=False)
            output = result.stdout + result.stderr
            if result.returncode == 0:
                return
        except subprocess.TimeoutExpired:
            output = f"no end within {ATTEMPT_S} s\n"
        print(f"pip, attempt {attempt} of {ATTEMPTS}:\n{output[-2000:]}", flush=True)
    raise SystemExit(f"The packages {', '.join(ENVIRONMENTS[name])} could not be installed: is the package registry "
                     "of Python within reach? The tests with MLflow's clients need it once; pip's words are above.")


def ensure(name, refresh=False):
    """Returns the environment's interpreter and makes the environment first when it is not whole."""
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(FOLDER, f"{name}.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if refresh or not is_whole(name):
            begin = time.monotonic()
            folder = os.path.join(FOLDER, name)
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            install(name)
            # Compiled here, once: an installation without it would be compiled by the first test instead.
            subprocess.run([python(name), "-m", "compileall", "-q", "-j", "2", os.path.join(folder, "lib")],
                           check=False, stdout=subprocess.DEVNULL)
            with open(os.path.join(folder, "stamp"), "w", encoding="ascii") as file:
                file.write(stamp_of(name))
            print(f"made {folder} in {time.monotonic() - begin:.0f} s", flush=True)
    return python(name)


def main():
    names = [argument for argument in sys.argv[1:] if argument != "--refresh"]
    unknown = set(names) - set(ENVIRONMENTS)
    if unknown:
        raise SystemExit(f"environments.py: there is no {', '.join(sorted(unknown))}; there are: "
                         + ", ".join(ENVIRONMENTS))
    for name in names or ENVIRONMENTS:
        print(ensure(name, "--refresh" in sys.argv[1:]))


if __name__ == "__main__":
    main()
