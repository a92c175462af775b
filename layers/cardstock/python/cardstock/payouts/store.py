"""Payouts in DynamoDB.

Table `payouts`, partition key `pk`, sort key `sk`:

| Access pattern | Key | Cost |
|---|---|---|
| batches, newest period first | `batches` / batch id, query backwards, then their heads | 1 query, 1 read |
| batches of given periods | batch id / `batch` | 1 read |
| one batch | batch id / `batch` | 1 read |
| a batch with its lines | batch id / from `batch` to the last `line#` | query |
| lines of a batch, by transfer number | batch id / `line#<number>` | query |
| lines by number (results, last month's tax) | batch id / `line#<number>` | 1 read per 100 |
| lines of a member: the number follows from member, period and attempt | batch id / `line#<number>` | 1 read per 50 |
| lines of a person's year (the certificate) | batch id / `line#<number>` | 1 read per 100 |
| who is not listed, and why | batch id / `out#<member>` | query |
| why a member is not listed | batch id / `out#<member>` | 1 read |
| answers of the channel, by number | batch id / `answer#<number>` | query; 1 read per 100 |
| lines whose end was corrected in a period | `corrections` / milliseconds # cause | query; 1 read per 100 |

A step of k lines is one transaction of 3k items: the ledger's entry (put if absent), the member's balance, the line.
That is 6 WCU a line and k/33 calls. Sending also reads the payees of every 99 lines, queries the batch with its lines
once, puts the batch once at the end, and writes the bank file.

Clearing an open item about contradicting answers takes six items with a correction, and three without: the item, the
answers, the line; the ledger's entry, the balance, the corrected line's name. The batch is one more until it is closed.
"""

from cardstock.payouts.answer_store import AnswerStore
from cardstock.payouts.left_out_store import LeftOutStore


class DynamoPayouts(AnswerStore, LeftOutStore):
    """`payouts.ports.Payouts`."""
