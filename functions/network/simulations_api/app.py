"""HTTP: simulating commission plans before one is published."""

from msgspec import UNSET

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.edge.http import Api, Nothing, Request, nobody
from cardstock.flows.callers_wiring import callers, staff_record
from cardstock.network.simulation import schemas
from cardstock.network.simulation.comparison import compare
from cardstock.network.simulation.trial import run

api = Api("simulations", callers=callers, staff=staff_record)


@api.post(
    "/v1/commission-plans/simulations", body=schemas.Simulate, answer=schemas.Simulation, auth="key", concerns=nobody,
    scope="plans:publish", codes=schemas.CODES,
)  # fmt: skip
def simulate_plans(request: Request[schemas.Simulate, Nothing]) -> schemas.Simulation:
    """Compare plans on recorded orders or on a synthetic shop, and pick the best within bounds.

    It uses the rules that pay: the same orders give the same credits. Nothing is stored but that it was asked for. A
    plan does not change what people do, unless its own `market` says so. A synthetic shop has at most 20 000 members
    here, and ten million with the command.
    """
    body = request.body
    trials = schemas.trials_of(body, clock.now())
    orders = None if body.orders is UNSET else schemas.orders_of(body.orders)
    if orders is None:
        schemas.check_size([trial.market for trial in trials])
    outcomes = [run(trial, orders, body.partners) for trial in trials]
    return schemas.Simulation.of(compare(outcomes, schemas.bounds_of(body.bounds)), request.language, chart=body.chart)


handler = api.handler
connect()
