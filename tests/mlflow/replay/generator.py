"""Random cases. A case is a short list of steps on things of its own, so that it can be played again and shortened;
searches read a world that is made once for a seed."""
import fields
import journeys
import searches
from case import Case

KINDS = ((9, fields.case), (5, searches.runs_case), (3, searches.others_case), (2, journeys.metrics_case),
         (4, journeys.case))

__all__ = ["Case", "World", "case"]


class World:
    """What searches find. Its things are variables: {{world_run_3}}."""

    def __init__(self, pair, chance):
        pair.fresh()
        for variables in pair.variables:
            variables["world"] = variables["n"]
        self.facts = searches.Facts(chance)
        for step in self.facts.steps():
            theirs, ours, differences = pair.replay(step)
            if any(difference.what == "answer" for difference in differences):
                raise SystemExit(f"the world differs: {step}\n{theirs.body[:300]}\n{ours.body[:300]}")


def case(world, chance):
    kind = chance.choices([make for _, make in KINDS], [weight for weight, _ in KINDS])[0]
    return kind(world.facts, chance)
