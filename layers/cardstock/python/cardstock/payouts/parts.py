"""Big batches: a payout map processes their parts concurrently."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from cardstock import clock
from cardstock.payouts.model import Batch, Stage, moved
from cardstock.payouts.needs import StepNeeds

GIVEN_AGAIN_AFTER: Final = timedelta(hours=1)
"""The payout map needs less than this for all parts. After it, unfinished parts are given again."""
_IN_PARTS: Final[Mapping[Stage, Stage]] = {
    "approved": "sending_parts",
    "sending": "sending_parts",
    "asking": "asking_parts",
}


def give_parts_to_map(needs: StepNeeds, batch: Batch) -> Batch:
    """Give the parts of a big batch to the payout map, unless that was done within the hour.

    A batch in parts stays in parts, even if the limit for big batches has changed. Without a map, as in the step after
    the parts, the batch stays as it is.
    """
    if needs.payout_map is None:
        return batch
    now = clock.now()
    if batch.stage in _IN_PARTS:
        if batch.listed <= needs.payout_map.above:
            return batch
        # Before the map gets the parts, because they read the stage.
        batch = needs.payouts.replace_batch(moved(batch, _IN_PARTS[batch.stage]))
    elif batch.spread_at is not None and now - batch.spread_at < GIVEN_AGAIN_AFTER:
        return batch
    needs.payout_map(batch)  # Killed here, the next step gives them again.
    return needs.payouts.replace_batch(replace(batch, spread_at=now))
