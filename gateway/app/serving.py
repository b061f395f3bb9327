"""What lives as long as a configuration: the ways of its requests, its policies, and who answers by them.

Invariants: it is made whole or not at all, and changes nothing of what serves meanwhile, so that it can be made in
another thread. Requests that began by one end by it; what is the same in the next is taken over.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from gateway.edge.admission import Admission, Clients
from gateway.edge.forward import Forwarder
from gateway.edge.intake import Intake
from gateway.edge.limiting.budgets import Budgets
from gateway.edge.proxy import Proxy
from gateway.edge.replies import Replies
from gateway.edge.standing import Standing
from gateway.edge.ways import Ways
from gateway.limits.stores import BudgetedStore

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from gateway.app.lasting import Lasting
    from gateway.config.load import Configuration


class Serving:
    """Answers requests by one configuration."""

    def __init__(
        self,
        config: Configuration,
        environ: Mapping[str, str],
        lasting: Lasting,
        loop: asyncio.AbstractEventLoop,
        before: Serving | None = None,
    ) -> None:
        """Put the parts together; `loop` is the one that will serve. `before` is what serves now.

        Raises ValueError for a configuration that cannot work, ConfigError for files that cannot be used.
        """
        self.config = config
        self._lasting = lasting
        clock = lasting.clock
        self.budgets: Budgets = Budgets(config, clock, random.random, None if before is None else before.budgets)
        if lasting.exchange is None and lasting.shared_by > 1:
            self.budgets.share(lasting.shared_by)
        self.ways: Ways = Ways(config, environ, self.budgets, loop, None if before is None else before.ways)
        self.admission = self._admission(before)
        self.proxy = self._proxy()
        self.standing = Standing(config, self.admission, lasting.store.where, self.budgets, clock)

    def _admission(self, before: Serving | None) -> Admission:
        lasting = self._lasting
        return Admission(
            self.config.gateway,
            secret=lasting.secret,
            clock=lasting.clock,
            store=BudgetedStore(lasting.counts, self.budgets.held),
            metrics=lasting.limit_metrics,
            before=None if before is None else before.admission,
        )

    def _proxy(self) -> Proxy:
        gateway, lasting = self.config.gateway, self._lasting
        replies = Replies(gateway, lasting.clock)
        intake = Intake(
            gateway=gateway,
            ways=self.ways,
            admission=self.admission,
            clients=Clients(gateway),
            views=self.ways.views_of(gateway.clients),
            lifecycle=lasting.lifecycle,
            clock=lasting.clock,
            ids=lasting.ids,
        )
        return Proxy(
            gateway,
            intake=intake,
            forwarder=Forwarder(replies, self.budgets, lasting.clock),
            replies=replies,
            lifecycle=lasting.lifecycle,
            clock=lasting.clock,
            observers=lasting.observers,
            log=lasting.log,
        )
