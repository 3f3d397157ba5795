"""What the generators make."""


class Case:
    def __init__(self, name, steps):
        self.name, self.steps = name, steps


API = "/api/2.0/mlflow/"
EXPERIMENT_URI = "mlflow-artifacts:/{{experiment}}/{{run}}/artifacts/model"
