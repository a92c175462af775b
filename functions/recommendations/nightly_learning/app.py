"""Schedule: learns recommendations from purchases."""

from datetime import datetime
from functools import partial
from typing import Any

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.edge import schedule
from cardstock.flows.buying_wiring import purchases
from cardstock.members.wiring import agreeing
from cardstock.recommendations.learning import learn_from
from cardstock.recommendations.wiring import learnt_rows


def learn(_scheduled_at: datetime, _deadline: schedule.Deadline) -> dict[str, Any]:
    """Learn from purchases until now, not until the tick: a late, repeated or early tick must not overwrite newer
    rows."""
    agreed = partial(agreeing, purpose="recommendations")
    return {"rows": learn_from(purchases(), at=clock.now(), rows=learnt_rows(), agreeing=agreed)}


handler = schedule.ticked(learn)
connect()
