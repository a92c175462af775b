"""HTTP: the seals of the ledger, and proofs that an entry is in one."""

from cardstock.aws.tables import connect
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.ledger import errors
from cardstock.ledger import proofs_schemas as models
from cardstock.ledger import wiring as ledger_wiring
from cardstock.partners import wiring as partners_wiring

api = Api("proofs", callers=partners_wiring.callers)


@api.get(
    "/v1/ledger/proofs/{transaction_id}",
    answer=models.LedgerProof,
    auth="member",
    codes=(NOT_FOUND, errors.NOT_SEALED_YET),
)
def get_proof(request: Request[Nothing, Nothing]) -> models.LedgerProof:
    """Download the proof that an entry of the member is in the sealed ledger.

    `transaction_id` is the `entry_id` of a statement. An entry is sealed in the night after it. This answer is enough
    to check it offline: the leaf hash is SHA-256 of a zero byte and the bytes of `transaction`; the audit path leads
    from it to the seal's root (RFC 6962); compare that with the root published for the seal.
    """
    from cardstock.ledger import sealing

    proof = sealing.prove(
        request.path["transaction_id"],
        request.caller.id,
        books=ledger_wiring.books(),
        seals=ledger_wiring.seals(),
        archive=ledger_wiring.seal_archive(),
    )
    return models.LedgerProof.of(proof)


@api.get("/v1/ledger/seals", query=PageQuery, answer=models.SealPage)
def list_seals(request: Request[Nothing, PageQuery]) -> models.SealPage:
    """List the seals of the ledger, newest first.

    Open to everybody: with a root kept today anybody can check tomorrow whether anything before it was changed. Each
    root covers its own entries and, through `previous`, all seals before.
    """
    seals, following = read_page(edge_wiring.signer(), "seals", request.query, ledger_wiring.seals().list_seals)
    return models.SealPage.of(seals, following)


handler = api.handler
connect()
