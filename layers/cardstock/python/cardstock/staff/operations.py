"""How the API document names and introduces the routes of the staff area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, PathValue

FAMILIES: Final = (
    Family(
        "staff",
        "Staff",
        "员工",
        "The brand's own people, whose API keys and approvals are theirs by id.",
        {
            "POST /v1/staff": "createPerson",
            "GET /v1/staff": "listStaff",
            "DELETE /v1/staff/{person_id}": "deactivatePerson",
        },
    ),
)
PATH_VALUES: Final = {
    "person_id": PathValue("stf_01kbdx9q7r5t3v1w8y6z4a2c0e", "Person of the staff who is meant."),
}
