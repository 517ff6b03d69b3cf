"""The waiting requests, and whose turn it is: start-time fair queueing by cost.

Theory of operation
-------------------
Two levels of flows: languages, and in each the tenants, both with the operator's weights. Each
flow has a tag: the virtual time at which its next request may start. The backlogged flow with
the least tag is served; its tag then grows by the request's cost over the flow's weight, cost
being worker time in seconds: estimated when served, put right by settle() when measured. A
tenant's weight comes with each request, for it may change while the tenant waits.
A flow that was idle starts at the virtual time, which is the tag of who was served last: it
neither saves up claims nor waits behind what others have piled up. Inside a tenant, batch
waits behind interactive but for one turn in BATCH_TURN, and each class is first in, first out.

The one liberty: among languages whose tags are within `slack_s` of the least, one that an idle
worker is armed for goes first. README.md argues the bound.

push, remove, pop and settle are O(log tenants) plus the (few) languages.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from dcodex_shared.messages import Priority

T = TypeVar("T")

#: Of so many requests of one tenant that could go, one is of its batch class if any waits:
#: interactive hardly notices, and batch never starves.
BATCH_TURN = 16
#: How far a warm language may go ahead of a colder one, in seconds of worker time over weight,
#: and as a share of its own request's cost. Enough to amortize arming anew (5 to 10 ms), and
#: below half a request, so that nobody waits a whole one longer for it.
WARM_SLACK_S = 0.05
WARM_SLACK_SHARE = 0.5
#: Idle flows kept for their debts before they are looked through.
IDLE_FLOWS = 256
#: What a request is thought to cost where none of its language has ended yet, in seconds.
FIRST_COST_S = 0.05
#: The least that a request is charged: tags must move, or the first language would starve all.
LEAST_COST_S = 0.0001
#: Weight of the newest cost in the running mean: ten requests tell a new load.
COST_STEP = 0.1
#: What a tenant's weight is brought to from beyond: a thousandth or a thousand usual tenants, as
#: far as a token may go. A request of one second then moves a tag by 1000 s at the most.
LEAST_TENANT_WEIGHT = 0.001
MOST_TENANT_WEIGHT = 1000.0


class Waiting(Generic[T]):
    """One request in the queue: where it stands, so that it can be removed in O(1)."""

    __slots__ = ("cost_s", "item", "language", "number", "priority", "since", "tenant", "weight")

    def __init__(
        self,
        item: T,
        language: str,
        tenant: str,
        priority: int,
        since: float,
        weight: float = 1.0,
    ) -> None:
        """weight: the tenant's, as of this request; brought into its bounds here."""
        self.item = item
        self.language = language
        self.tenant = tenant
        self.priority = Priority.BATCH if priority == Priority.BATCH else Priority.INTERACTIVE
        #: What its tenant is charged for it is divided by this, then and when it is settled.
        self.weight = _bounded(weight)
        #: What its flows were charged: 0 while it waits.
        self.cost_s = 0.0
        #: When it began to wait.
        self.since = since
        #: Its key in its line: the order of arrival. 0 when it is in no line.
        self.number = 0


class _Tenant(Generic[T]):
    """One tenant's requests in one language."""

    __slots__ = ("interactive_turns", "lines", "tag", "version")

    def __init__(self, tag: float) -> None:
        #: The virtual time (of its language) at which its next request may start.
        self.tag = tag
        #: The number of its current heap entry; 0 when it has none.
        self.version = 0
        #: By Priority: requests in order of arrival.
        self.lines: tuple[OrderedDict[int, Waiting[T]], OrderedDict[int, Waiting[T]]] = (
            OrderedDict(),
            OrderedDict(),
        )
        #: Interactive requests served since batch last had, or needed, a turn.
        self.interactive_turns = 0

    def __bool__(self) -> bool:
        return bool(self.lines[0] or self.lines[1])

    def pop(self) -> Waiting[T]:
        """The request whose turn it is inside the tenant."""
        interactive, batch = self.lines
        if batch and (not interactive or self.interactive_turns >= BATCH_TURN - 1):
            self.interactive_turns = 0
            return batch.popitem(last=False)[1]
        self.interactive_turns = self.interactive_turns + 1 if batch else 0
        return interactive.popitem(last=False)[1]


class _Language(Generic[T]):
    """One language's requests: the tenants' flows, in a heap by tag."""

    __slots__ = (
        "_backlogged",
        "_flows",
        "_heap",
        "_latest",
        "_versions",
        "_virtual",
        "arrived",
        "cost_s",
        "tag",
        "weight",
    )

    def __init__(self, weight: float, tag: float) -> None:
        self.weight = weight
        #: The virtual time (of the whole queue) at which its next request may start.
        self.tag = tag
        #: The running mean of what its requests cost.
        self.cost_s = FIRST_COST_S
        #: Every request in its lines, in order of arrival.
        self.arrived: OrderedDict[int, Waiting[T]] = OrderedDict()
        #: Never decreases.
        self._virtual = 0.0
        #: No flow's tag is beyond this.
        self._latest = 0.0
        #: Heap entries made so far.
        self._versions = 0
        #: Every tenant that waits, and idle ones whose tag is still ahead of the virtual time.
        self._flows: dict[str, _Tenant[T]] = {}
        #: How many of the flows have somebody waiting.
        self._backlogged = 0
        #: (tag, version, tenant): each backlogged flow has exactly one current entry.
        self._heap: list[tuple[float, int, str]] = []

    def push(self, waiting: Waiting[T]) -> None:
        flow = self._flows.get(waiting.tenant)
        if flow is None:
            if len(self._flows) >= 2 * self._backlogged + IDLE_FLOWS:
                self._forget_idle()
            flow = self._flows[waiting.tenant] = _Tenant(self._virtual)
        was_idle = not flow
        flow.lines[waiting.priority][waiting.number] = waiting
        self.arrived[waiting.number] = waiting
        if was_idle:
            flow.tag = max(flow.tag, self._virtual)
            self._backlogged += 1
            self._enter(waiting.tenant, flow)

    def remove(self, waiting: Waiting[T]) -> None:
        flow = self._flows[waiting.tenant]
        del flow.lines[waiting.priority][waiting.number]
        del self.arrived[waiting.number]
        if not flow:
            self._leave(flow)
            self._tidy()

    def pop(self) -> Waiting[T]:
        while True:
            tag, version, tenant = heapq.heappop(self._heap)
            flow = self._flows.get(tenant)
            if flow is not None and flow.version == version:
                break
        waiting = flow.pop()
        del self.arrived[waiting.number]
        waiting.cost_s = self.cost_s
        self._virtual = max(self._virtual, tag)
        flow.tag = tag + waiting.cost_s / waiting.weight
        self._latest = max(self._latest, flow.tag)
        if flow:
            self._enter(tenant, flow)
        else:
            self._leave(flow)
            if not self.arrived:
                # Nobody waits, so nobody is owed: all start even when a line forms again.
                self._virtual = self._latest
        return waiting

    def settle(self, waiting: Waiting[T], cost_s: float, difference_s: float) -> None:
        self.cost_s += COST_STEP * (cost_s - self.cost_s)
        flow = self._flows.get(waiting.tenant)
        if flow is None:
            return
        flow.tag += difference_s / waiting.weight
        self._latest = max(self._latest, flow.tag)
        if flow:
            self._enter(waiting.tenant, flow)

    def ahead(self, tenant: str) -> int:
        """Requests of this tenant that wait."""
        flow = self._flows.get(tenant)
        return 0 if flow is None else len(flow.lines[0]) + len(flow.lines[1])

    def flows(self) -> int:
        """Tenants that are remembered."""
        return len(self._flows)

    def check(self) -> None:
        """Assert what must always hold."""
        lines = [line for flow in self._flows.values() for line in flow.lines]
        assert len(self.arrived) == sum(map(len, lines))
        assert all(number in self.arrived for line in lines for number in line)
        assert all(flow.tag <= self._latest for flow in self._flows.values())
        assert self._backlogged == sum(map(bool, self._flows.values()))
        current = [
            tenant
            for _, version, tenant in self._heap
            if (flow := self._flows.get(tenant)) is not None and flow.version == version
        ]
        assert sorted(current) == sorted(t for t, flow in self._flows.items() if flow)

    def _enter(self, tenant: str, flow: _Tenant[T]) -> None:
        self._versions += 1
        flow.version = self._versions
        heapq.heappush(self._heap, (flow.tag, flow.version, tenant))
        self._tidy()

    def _leave(self, flow: _Tenant[T]) -> None:
        self._backlogged -= 1
        flow.version = 0

    def _tidy(self) -> None:
        if len(self._heap) > 2 * self._backlogged + IDLE_FLOWS:
            self._heap = [(f.tag, f.version, tenant) for tenant, f in self._flows.items() if f]
            heapq.heapify(self._heap)

    def _forget_idle(self) -> None:
        """Drop flows that nobody waits in and that owe nothing."""
        self._flows = {t: f for t, f in self._flows.items() if f or f.tag > self._virtual}
        if len(self._flows) >= 2 * self._backlogged + IDLE_FLOWS:
            # A crowd of tenants that came once: what each still owes is below one request.
            self._flows = {t: f for t, f in self._flows.items() if f}


class FairQueue(Generic[T]):
    """Everything that waits."""

    def __init__(self, weights: dict[str, float]) -> None:
        self._weights = weights
        self._languages: dict[str, _Language[T]] = {}
        #: Never decreases.
        self._virtual = 0.0
        self._arrivals = 0
        #: Requests in all lines.
        self.depth = 0

    def __len__(self) -> int:
        return self.depth

    def push(self, waiting: Waiting[T]) -> None:
        """Let a request wait."""
        language = self._languages.get(waiting.language)
        if language is None:
            weight = self._weights.get(waiting.language, 1.0)
            language = self._languages[waiting.language] = _Language(weight, self._virtual)
        if not language.arrived:
            language.tag = max(language.tag, self._virtual)
        self._arrivals += 1
        waiting.number = self._arrivals
        language.push(waiting)
        self.depth += 1

    def remove(self, waiting: Waiting[T]) -> None:
        """Take a request out that no longer wants to be served."""
        self._languages[waiting.language].remove(waiting)
        waiting.number = 0
        self.depth -= 1

    def pop(self, can_run: Callable[[str], bool], armed: Collection[str]) -> Waiting[T] | None:
        """The request whose turn it is among the languages that can run now; None if none can.

        armed: the languages that idle workers are armed for; they may go a little ahead.
        """
        least: _Language[T] | None = None
        warm: _Language[T] | None = None
        for name, language in self._languages.items():
            if language.arrived and can_run(name):
                if least is None or language.tag < least.tag:
                    least = language
                if name in armed and (warm is None or language.tag < warm.tag):
                    warm = language
        if least is None:
            return None
        self._virtual = max(self._virtual, least.tag)
        chosen = least
        if warm is not None and warm.tag <= least.tag + _slack(warm):
            chosen = warm
        waiting = chosen.pop()
        waiting.number = 0
        chosen.tag += waiting.cost_s / chosen.weight
        self.depth -= 1
        if not self.depth:
            # As among a language's tenants: nobody waits, so nobody is owed.
            self._virtual = max(
                self._virtual, *(language.tag for language in self._languages.values())
            )
        return waiting

    def settle(self, waiting: Waiting[T], cost_s: float) -> None:
        """Say what a served request has really cost, in seconds of worker time."""
        cost_s = max(cost_s, LEAST_COST_S)
        language = self._languages[waiting.language]
        difference_s = cost_s - waiting.cost_s
        waiting.cost_s = cost_s
        language.tag += difference_s / language.weight
        language.settle(waiting, cost_s, difference_s)

    def cost_of(self, language: str) -> float:
        """What a request of this language is thought to cost, in seconds of worker time."""
        found = self._languages.get(language)
        return FIRST_COST_S if found is None else found.cost_s

    def depth_of(self, language: str) -> int:
        """Requests that wait for this language."""
        found = self._languages.get(language)
        return 0 if found is None else len(found.arrived)

    def ahead(self, language: str, tenant: str) -> int:
        """Requests of this language and tenant that wait."""
        found = self._languages.get(language)
        return 0 if found is None else found.ahead(tenant)

    def waiting(self, language: str) -> list[T]:
        """Everything that waits for this language, in order of arrival."""
        found = self._languages.get(language)
        return [] if found is None else [one.item for one in found.arrived.values()]

    def depths(self) -> dict[str, int]:
        """Requests that wait, by every language ever seen."""
        return {name: len(language.arrived) for name, language in self._languages.items()}

    def oldest(self, language: str) -> float | None:
        """When the request of this language that has waited longest began to."""
        found = self._languages.get(language)
        if found is None or not found.arrived:
            return None
        return next(iter(found.arrived.values())).since

    def flows(self) -> int:
        """Tenants' flows that are kept, whether anybody waits in them or not."""
        return sum(language.flows() for language in self._languages.values())

    def check(self) -> None:
        """Assert what must always hold."""
        assert self.depth == sum(self.depths().values())
        for language in self._languages.values():
            language.check()


def _bounded(weight: float) -> float:
    """A tenant's weight within its bounds."""
    # In this order of arguments, what is no number becomes the least.
    return min(MOST_TENANT_WEIGHT, max(LEAST_TENANT_WEIGHT, weight))


def _slack(warm: _Language[T]) -> float:
    """How far this language may go ahead of the least tag."""
    return min(WARM_SLACK_S, WARM_SLACK_SHARE * warm.cost_s) / warm.weight
