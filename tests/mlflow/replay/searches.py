"""Cases that search: a world of runs, experiments and models whose keys and values meet often, and random filters,
orders and pages over it. Start times differ, because the order of ids, which ends every order, differs by server."""
from case import API, EXPERIMENT_URI, Case
from steps import Step

RUNS = 24
DEEDS = 5          # deleted things
METRICS = ["loss", "acc", "a b", "x.y", "val/loss"]
PARAMS = ["lr", "depth", "a b", "x.y"]
TAGS = ["team", "note", "a b", "mlflow.user"]
WORDS = ["a", "b", "A", "ab", "a%b", "a_b", "ß", "", "10", "9", "0.1", "it's"]
NUMBERS = [0, 1, -1, 0.5, 2, 1e300, 1e-300, 3]
STATUSES = ["FINISHED", "FAILED", "KILLED", "RUNNING", "SCHEDULED"]
COMPARE = ["=", "!=", ">", ">=", "<", "<="]
TEXT = ["=", "!=", "LIKE", "ILIKE"]
BROKEN = ["", "   ", "metrics.loss", "metrics.loss >", "= 1", "metrics.loss > 'a'", "params.lr = 1", "params.lr > 'a'",
          "tags.team = a", "foo.bar = 'x'", "nothing = 'x'", "metrics. > 1", "metrics.loss > 1 AND",
          "AND metrics.loss > 1", "metrics.loss > 1 metrics.acc > 1", "params.lr LIKE 5", "start_time = 'x'",
          "status > 'a'", "metrics.loss == 1", "params.`lr = 'a'", "params.\"lr\" = \"a\"", "tags.`a b` = 'a'",
          "metrics.loss > 1;", "metrics.loss > 1; metrics.acc > 1", "attributes.nothing = 'x'", "run_id IN ('a')",
          "run_id IN (a)", "run_id IN ()", "run_id NOT IN ('a', 'b')", "metrics.loss IN (1)", "params.lr IN ('a')",
          "params.lr IS NULL", "params.lr is not null", "tags.team IS NULL", "metrics.loss IS NULL", "status IS NULL",
          "end_time IS NULL", "datasets.name = 'd1'", "dataset.digest IN ('1', '2')", "datasets.context LIKE 'tr%'",
          "datasets.foo = 'x'", "name = 'a'", "`run name` = 'r1'", "run_name = 'r1'", "\"run_name\" = 'r1'",
          "Created > 5", "metrics.loss > nan", "metrics.loss > 1e1", "metrics.loss > -1", "metrics.loss > +1",
          "metrics.loss > .5", "metrics.loss > 1.", "params.lr = 'a' AND params.lr = 'a'", "param.lr = 'a'",
          "parameters.lr = 'a'", "run.status = 'FINISHED'", "attr.status = 'FINISHED'", "tag.team ='a'",
          "tags.team='a'",
          "TAGS.team = 'a'", "params.lr like 'a'", "params.lr Like 'a'", "metrics.loss>1", "metrics.loss > '1'",
          "tags.team = 'a' and tags.note = 'b'", "metrics.loss > 1 AND AND metrics.acc > 1", "order = 'x'",
          "creation_time > 0", "last_update_time > 0", "version_number > 0", "source_path = 'x'", "name LIKE '%'",
          "version_number = '1'", "run_id = ''", "name ILIKE 'W%'", "tags.team != 'a'", "current_stage = 'None'",
          "version > 1", "name IN ('x')", "creation_timestamp > 0", "experiment_id = '0'", "aliases = 'x'"]
ORDERS = ["metrics.loss", "metrics.acc DESC", "metrics.`a b` ASC", "metrics.\"x.y\" DESC", "params.lr",
          "params.lr DESC",
          "params.`a b`", "tags.team DESC", "tags.`mlflow.user`", "start_time", "start_time DESC", "end_time DESC",
          "end_time", "status", "attributes.start_time ASC", "run_name DESC", "attributes.status desc", "Created",
          "tag.note", "metric.loss asc", "metrics.gap", "metrics.gap DESC"]
BAD_ORDERS = ["metrics.loss UP", "foo.bar", "nothing", "metrics", "", "loss DESC ASC", "datasets.name", "metrics.loss,",
              "tags.team AS", "start_time DESC, end_time", "metrics.val/loss"]


class Facts:
    """The world of a seed."""

    def __init__(self, chance):
        self.chance = chance
        self.runs = RUNS

    def steps(self):
        chance = self.chance
        for number in range(3):
            yield Step("POST", API + "experiments/create",
                       {"name": f"world{{{{n}}}} {'aAb'[number]}", "tags": [{"key": "team", "value": WORDS[number]}]},
                       captures={f"world_experiment_{number}": "experiment_id"})
        for number in range(self.runs):
            yield Step("POST", API + "runs/create", {
                "experiment_id": f"{{{{world_experiment_{chance.randrange(3)}}}}}", "run_name": f"r{number % 5}",
                "user_id": chance.choice(["ada", "Ada", "bo"]), "start_time": 1700000000000 + number * 1000,
                "tags": self.pairs(TAGS)}, captures={f"world_run_{number}": "run.info.run_id",
                                                     f"world_home_{number}": "run.info.experiment_id"})
            yield self.logging(number)
            if chance.random() < 0.4:
                yield Step("POST", API + "runs/log-inputs", {"run_id": f"{{{{world_run_{number}}}}}", "datasets": [
                    {"dataset": {"name": chance.choice(["d1", "D2"]), "digest": str(chance.randrange(3)),
                                 "source_type": "local", "source": "s"},
                     "tags": [{"key": "mlflow.data.context", "value": chance.choice(["training", "test"])}]}]})
            if chance.random() < 0.7:
                yield Step("POST", API + "runs/update", {
                    "run_id": f"{{{{world_run_{number}}}}}", "status": chance.choice(STATUSES),
                    "end_time": 1700000100000 + chance.randrange(4) * 1000})
        for _ in range(DEEDS):
            yield Step("POST", API + "runs/delete", {"run_id": f"{{{{world_run_{chance.randrange(self.runs)}}}}}", "force": True})
        yield from self.registry()
        yield Step("POST", API + "experiments/delete", {"experiment_id": "{{world_experiment_2}}", "force": True})

    def registry(self):
        chance = self.chance
        for number in range(6):
            name = f"world{{{{n}}}} {['w', 'W', 'x', 'y', 'ß', 'w_1'][number]}"
            yield Step("POST", API + "registered-models/create",
                       {"name": name, "description": chance.choice(["", "words"]), "tags": self.pairs(TAGS)})
            for _ in range(chance.randrange(3)):
                yield Step("POST", API + "model-versions/create", {
                    "name": name, "source": EXPERIMENT_URI.replace("{{experiment}}", "{{world_home_0}}")
                    .replace("{{run}}", "{{world_run_0}}"), "run_id": "{{world_run_0}}", "tags": self.pairs(TAGS)})

    def pairs(self, keys):
        return [{"key": key, "value": self.chance.choice(WORDS)} for key in keys if self.chance.random() < 0.5]

    def logging(self, number):
        chance = self.chance
        metrics = [{"key": key, "value": chance.choice(NUMBERS), "timestamp": chance.randrange(3),
                    "step": chance.randrange(3)} for key in METRICS for _ in range(chance.choice((0, 1, 1, 3)))]
        # Filters take NaN for 0 in the released server, so it is only ordered by.
        metrics.append({"key": "gap", "value": chance.choice(NUMBERS + ["NaN", "NaN"]), "timestamp": 5})
        return Step("POST", API + "runs/log-batch", {"run_id": f"{{{{world_run_{number}}}}}", "metrics": metrics,
                                                     "params": self.pairs(PARAMS)})


def quoted(key, chance):
    if " " in key or chance.random() < 0.3:
        return chance.choice(("`%s`", '"%s"')) % key
    return key


def literal(text, chance):
    return f'"{text}"' if "'" in text or chance.random() < 0.2 else f"'{text}'"


def run_comparison(chance):
    kind = chance.choice(("metric", "param", "tag", "status", "time", "name", "id", "dataset", "broken"))
    if kind == "metric":
        return f"metrics.{quoted(chance.choice(METRICS), chance)} {chance.choice(COMPARE)} {chance.choice(NUMBERS)}"
    if kind in ("param", "tag"):
        key = quoted(chance.choice(PARAMS if kind == "param" else TAGS), chance)
        return f"{kind}s.{key} {text_test(chance)}"
    if kind == "status":
        return f"attributes.status {chance.choice(('=', '!='))} '{chance.choice(STATUSES)}'"
    if kind == "time":
        return (f"{chance.choice(('start_time', 'attributes.end_time', 'end_time'))} {chance.choice(COMPARE)} "
                f"{1700000000000 + chance.randrange(RUNS) * 1000}")
    if kind == "name":
        name = chance.choice(("run_name", "attributes.run_name", "user_id"))
        return f"{name} {text_test(chance, ['r1', 'R%', 'ada'])}"
    if kind == "id":
        ids = [f"'{{{{world_run_{chance.randrange(RUNS)}}}}}'" for _ in range(3)]
        return chance.choice((f"run_id = {ids[0]}", f"attributes.run_id IN ({', '.join(ids)})",
                              f"run_id NOT IN ({', '.join(ids)})", f"run_id != {ids[0]}"))
    if kind == "dataset":
        return (f"{chance.choice(('dataset', 'datasets'))}.{chance.choice(('name', 'digest', 'context'))} "
                f"{text_test(chance, ['d1', 'd%', '1', 'training', 't%'])}")
    return chance.choice(BROKEN) if chance.random() < 0.6 else "params.lr = 'a'"


def text_test(chance, words=None):
    operator = chance.choice(TEXT)
    text = chance.choice(words or WORDS + ["a%", "%b", "_", "%"])
    return f"{operator} {literal(text, chance)}"


def conjunction(comparison, chance):
    joint = chance.choice((" AND ", " AND ", " and "))
    return joint.join(comparison(chance) for _ in range(chance.choice((1, 1, 1, 2, 3))))


def runs_case(facts, chance):
    body = {"experiment_ids": [f"{{{{world_experiment_{i}}}}}" for i in range(3) if chance.random() < 0.8]}
    if chance.random() < 0.8:
        body["filter"] = conjunction(run_comparison, chance)
    if chance.random() < 0.5:
        body["order_by"] = chance.sample(ORDERS, chance.choice((1, 1, 2, 3)))
        if chance.random() < 0.15:
            body["order_by"].append(chance.choice(BAD_ORDERS + body["order_by"]))
    if chance.random() < 0.5:
        body["run_view_type"] = chance.choice(("ACTIVE_ONLY", "DELETED_ONLY", "ALL"))
    return Case("POST runs/search", pages(Step("POST", API + "runs/search", body), chance))


def pages(step, chance):
    """Up to three pages of a search."""
    if chance.random() < 0.5:
        return [step]
    size = chance.choice((1, 2, 3, 5))
    steps = []
    for number in range(3):
        more = [("max_results", str(size))] + ([("page_token", f"{{{{token_{number - 1}}}}}")] if number else [])
        captures = {f"token_{number}": "next_page_token"}
        if step.body is None:
            steps.append(step.copy(query=step.query + more, captures=captures))
        else:
            steps.append(step.copy(body={**step.body, **dict(more)}, captures=captures))
    return steps


def others_case(facts, chance):
    kind = chance.choice(("experiments", "registered-models", "model-versions"))
    names = {"experiments": ["name", "attributes.name"], "registered-models": ["name"],
             "model-versions": ["name", "source_path", "run_id"]}[kind]
    numbers = {"experiments": ["creation_time", "last_update_time"], "registered-models": [],
               "model-versions": ["version_number"]}[kind]

    def comparison(chance):
        roll = chance.random()
        if roll < 0.2:
            return chance.choice(BROKEN)
        if roll < 0.5:
            return f"{chance.choice(('tag', 'tags'))}.{quoted(chance.choice(TAGS), chance)} {text_test(chance)}"
        if numbers and roll < 0.6:
            return f"{chance.choice(numbers)} {chance.choice(COMPARE)} {chance.choice((0, 1, 2, 17e11))}"
        return f"{chance.choice(names)} {text_test(chance, ['%w', '%W', '%a', 'world%', '%world%', 'x'])}"

    # Only this world's things: other cases leave theirs behind.
    scope = f"name LIKE 'world{{{{world}}}} %'"
    query = [("filter", scope + " AND " + conjunction(comparison, chance))] if chance.random() < 0.9 else [
        ("filter", scope)]
    orders = {"experiments": ["name", "name DESC", "experiment_id", "experiment_id DESC", "foo",
                              "creation_time ASC, x"],
              "registered-models": ["name", "name DESC", "foo", "name UP", "version_number"],
              "model-versions": ["name, version_number", "name", "version_number DESC", "foo"]}[kind]
    if kind == "model-versions":
        query.append(("order_by", "name ASC"))
    query += [("order_by", order) for order in chance.sample(orders, chance.choice((0, 1, 1, 2)))]
    if kind == "experiments":
        query.append(("view_type", chance.choice(("ACTIVE_ONLY", "DELETED_ONLY", "ALL"))))
    steps = pages(Step("GET", API + kind + "/search", query=query), chance)
    if kind == "experiments":
        steps = [step if any(name == "max_results" for name, _ in step.query)
                 else step.copy(query=step.query + [("max_results", "100")]) for step in steps]
    return Case(f"GET {kind}/search", steps)
