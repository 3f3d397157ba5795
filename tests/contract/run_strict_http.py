#!/usr/bin/env python3
"""Starts the daemon and runs strict_http.py against it.

Usage: run_strict_http.py FOLDER_OF_BINARIES
"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from daemon import Daemon, binary  # noqa: E402

with Daemon(binary(sys.argv)) as daemon:
    outcome = subprocess.run([sys.executable, os.path.join(HERE, "strict_http.py"), f"127.0.0.1:{daemon.port}"])
sys.exit(outcome.returncode)
