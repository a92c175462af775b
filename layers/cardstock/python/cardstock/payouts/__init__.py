"""Payouts: once a month, members are paid what is available to them.

A batch belongs to one month. It has a line for each eligible member: one payment, with its own transfer number. Sending
a line claims its money in the ledger (available to paying) and submits it to a transfer channel: a bank file that a
person uploads, WeChat, Alipay, or a sandbox. The channel's answer ends the line: its money is paid, or available again.
When every line is final, the three books (ledger, batch, channel) agree and no line can be retried any more, the batch
is closed, its report is written, and it settles. A line that the channel itself failed can be retried for three days,
unless finance or the next batch ends that earlier. A person is the human behind one or more members; tax is withheld
per person.

A batch:

    listing        --list_payees-->          counted
    counted        --announce_listing-->     listed | sending
    listed         --approve_batch-->        approved
    approved       --send_lines-->           sending | sending_parts | with_bank | asking
    sending        --send_lines-->           sending_parts | with_bank | asking
    sending        --retry_line-->           sending
    sending_parts  --send_lines-->           with_bank | asking_parts
    sending_parts  --retry_line-->           sending
    with_bank      --confirm_all-->          confirmed
    with_bank      --settle_answered-->      closed
    confirmed      --settle_answered-->      closed
    asking         --ask_channel-->          asking_parts | closed
    asking         --retry_line-->           sending
    asking_parts   --ask_channel-->          closed
    asking_parts   --retry_line-->           sending
    closed         --write_report-->         reported
    reported       --announce_settlement-->  settled

A batch without lines has nothing to approve: it goes from counted to sending. Books that differ keep the batch in its
stage until finance resolves them; so does a line that can be retried. The API calls the stages open (up to listed),
approved, sending (up to closed) and settled.

A line:

    pending        --claim_lines-->          sent
    pending        --drop_lines-->           dropped
    sent           --finish_lines-->         waiting_user | paid | failed | expired
    waiting_user   --finish_lines-->         waiting_user | paid | failed | expired

A corrected line: its contradicting results were cleared by two persons with the outcome that was not booked.

    paid           --cleared-->        failed
    failed         --cleared-->        paid
    expired        --cleared-->        paid

The money moves back or forth in the same transaction (`ledger` kind `corrected`). A written report never changes: it
shows a line as it was when its batch was closed, and the next report names the correction.

Where to look: a batch is in `model.py`, its lines are in `lines.py`, a channel's answers in `transfer_answers.py`, what
people decide about contradicting ones in `contradictions.py`, and the three books in `books.py`. `steps.py` advances a
batch, stage by stage; the steps are in `listing.py`, `sending.py` (amounts in `sizing.py`, big batches in `parts.py`),
`asking.py`, `settling.py` and `reporting.py`; what people do is in `opening.py`, `previewing.py`, `approval.py`,
`results.py`, `retrying.py` and `reading.py`. `drafting.py` makes the draft report that the approver reads. `tax/` has
tables, withholding, and the quarter's file for the tax authority; `report/` the writers; `channels/` the transfer
channels.
"""
