"""What the suites say about clients: which of them a test is for, and what a refused request must look like."""
import contextlib

import pytest
from mlflow.exceptions import MlflowException
from mlflow.version import VERSION

MAJOR = int(VERSION.split(".", maxsplit=1)[0])
requires_3 = pytest.mark.skipif(MAJOR < 3, reason="the clients have it since 3.0")
requires_2 = pytest.mark.skipif(MAJOR > 2, reason="the clients have it until 2.22")


@contextlib.contextmanager
def refused(error_code, message_part):
    """The body must end in an MlflowException with this code and these words."""
    with pytest.raises(MlflowException) as caught:
        yield
    assert caught.value.error_code == error_code, caught.value
    assert message_part in caught.value.message
