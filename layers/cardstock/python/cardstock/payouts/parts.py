"""Big batches: their parts are given to a map, which takes them side by side."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from cardstock import clock
from cardstock.payouts.model import Batch, Stage, moved
from cardstock.payouts.needs import StepNeeds

GIVEN_AGAIN_AFTER: Final = timedelta(hours=1)
"""The map takes the parts within this time. Then whatever it left is given to it once more."""
_IN_PARTS: Final[Mapping[Stage, Stage]] = {
    "approved": "sending_parts",
    "sending": "sending_parts",
    "asking": "asking_parts",
}


def give_parts_to_map(needs: StepNeeds, batch: Batch) -> Batch:
    """Give the parts of a big batch to the map, unless that was done within the hour.

    A batch in parts stays in parts, whatever size counts as big by now: nothing else asks about it. Without a map, as
    in the step after the parts, the batch stays as it is.
    """
    if needs.payout_map is None:
        return batch
    now = clock.now()
    if batch.stage in _IN_PARTS:
        if batch.listed <= needs.payout_map.above:
            return batch
        # Before the parts are taken: they look at the stage.
        batch = needs.payouts.replace_batch(moved(batch, _IN_PARTS[batch.stage]))
    elif batch.spread_at is not None and now - batch.spread_at < GIVEN_AGAIN_AFTER:
        return batch
    needs.payout_map(batch)  # Killed here, the next step gives them again.
    return needs.payouts.replace_batch(replace(batch, spread_at=now))
