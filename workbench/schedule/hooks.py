"""Webhooks where no keeper runs: what happened is told, and what waits goes out.

A keeper beside the score service does the same every second; what it takes is not taken here.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select

from workbench.casebook.tables import webhook_deliveries as deliveries
from workbench.instance import keyring, open_casebook
from workbench.schedule.job import Did, Turn
from workbench.webhooks.addresses import Policy, Way
from workbench.webhooks.courier import Courier
from workbench.webhooks.deliver import deliver_due, settle
from workbench.webhooks.events import anything_new, publish

PATIENCE = 20.0
"""Seconds for one turn; what hangs is written down, and tried again as webhooks are."""

KEEPER = timedelta(seconds=30)
"""What waits for longer is left to us."""


def wanted(db: Connection, now: datetime) -> bool:
    free = or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= now)
    late = select(deliveries.c.event_id).where(deliveries.c.next_at <= now - KEEPER, free).limit(1)
    return db.execute(late).first() is not None or anything_new(db)


def deliver(turn: Turn) -> Did:
    with (
        open_casebook(turn.settings) as casebook,
        Courier(keyring(turn.settings), Way(Policy.read(os.environ))) as courier,
    ):
        told = publish(casebook, now=turn.clock())
        done = deliver_due(casebook, turn.clock, courier, patience=PATIENCE) + settle(casebook, turn.clock, courier)
    trouble = f"receivers did not take {done.failed} of what was sent" if done.failed else ""
    numbers = {"told": told, "delivered": done.delivered, "failed": done.failed, "given_up": done.given_up}
    return Did(numbers, trouble)
