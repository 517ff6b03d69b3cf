"""Who a caller is, and what applies to it: read from the call's metadata, once a call.

A caller is known by its token, else by its certificate (mutual TLS), else not at all. Whoever is
not known is let in only where the operator says so, or where nothing was set up and only this
machine can reach the gateway.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from dcodex_gateway.quota import Account
from dcodex_gateway.spans import NEW_TRACE, Parent, parse_traceparent
from dcodex_gateway.tokens import Grant, TokenBook, parse_tokens, valid_tenant
from dcodex_gateway.translate import Terms
from dcodex_gateway.watched import Watched
from dcodex_shared.config import ConfigError, GatewaySettings
from dcodex_shared.endpoints import is_loopback
from dcodex_shared.errors import Reason, Rejected
from dcodex_shared.limits import DEFAULT_CEILING, DEFAULT_LIMITS, Limits, resolve

log = logging.getLogger(__name__)

#: The tenant of everyone who is not known.
ANONYMOUS = "anonymous"
#: Metadata of the caller that asks for stamps, and the trailing metadata that holds them.
TRACE_KEY = "dcodex-trace"
TRACE_REPLY_KEY = "dcodex-stamps"
#: The W3C's, by which a trace goes on from caller to service.
PARENT_KEY = "traceparent"

_NO_TOKEN = "a token is needed, as metadata `authorization: Bearer TOKEN`"


@dataclass(frozen=True, slots=True)
class Visitor:
    """One call's caller."""

    tenant: str
    default: Limits
    ceiling: Limits
    weight: float = 1.0
    #: Its tenant's bounds on this gateway; None: there are none.
    account: Account | None = None
    #: The caller wants to know where the time goes.
    trace: bool = False
    #: What a collector's span of this call belongs under; None: none is made.
    parent: Parent | None = None

    @property
    def stamped(self) -> bool:
        """Whether anybody wants to know where the time goes."""
        return self.trace or self.parent is not None

    def terms(self, offered: tuple[tuple[str, str], ...]) -> Terms:
        """What applies to its requests."""
        return Terms(self.tenant, self.default, self.ceiling, offered, self.weight)


def operator_limits(settings: GatewaySettings) -> tuple[Limits, Limits]:
    """The defaults and the ceiling of everyone."""
    default = Limits(
        cpu_s=settings.sandbox_cpu_limit,
        wall_s=settings.sandbox_wall_limit,
        memory_bytes=settings.sandbox_memory_limit,
        processes=settings.sandbox_process_limit,
        output_bytes=settings.sandbox_output_limit,
        file_size_bytes=DEFAULT_LIMITS.file_size_bytes,
        open_files=DEFAULT_LIMITS.open_files,
    )
    ceiling = Limits(
        cpu_s=settings.max_cpu_limit,
        wall_s=settings.max_wall_limit,
        memory_bytes=settings.max_memory_limit,
        processes=settings.max_process_limit,
        output_bytes=settings.max_output_limit,
        file_size_bytes=DEFAULT_CEILING.file_size_bytes,
        open_files=DEFAULT_CEILING.open_files,
    )
    # An operator who lowers the ceiling alone means the defaults too.
    return resolve({}, default, ceiling), ceiling


class Door:
    """Lets callers in."""

    def __init__(self, settings: GatewaySettings) -> None:
        """Raises ConfigError where anyone could come in whom nobody let in."""
        self._default, self._ceiling = operator_limits(settings)
        self._certificates = bool(settings.tls_client_ca)
        self._tokens: Watched[TokenBook] | None = None
        if settings.tokens:
            path = settings.tokens
            self._tokens = Watched([path], lambda: parse_tokens(Path(path).read_text(), path))
        asked = self._tokens is not None or self._certificates
        reachable = not is_loopback(settings.host)
        if reachable and not asked and not settings.allow_anonymous:
            raise ConfigError(
                f"host {settings.host} can be reached from other machines: set tokens or "
                "tls_client_ca, or --allow_anonymous where everyone may run programs"
            )
        if reachable and self._tokens is not None and not settings.tls_certificate:
            log.warning("tokens travel in the clear unless something in front speaks TLS")
        self._anonymous: Visitor | None = None
        if settings.allow_anonymous or not asked:
            self._anonymous = Visitor(ANONYMOUS, self._default, self._ceiling)
        #: Whether calls are told of to a collector, and of which share that no caller traces.
        self._tells = bool(settings.otlp_endpoint)
        self._trace_ratio = settings.trace_ratio
        #: By tenant; those of tenants that the file no longer names end with their executions.
        self._accounts: dict[str, Account] = {}
        #: By grant, of the file as `_version` had it.
        self._visitors: dict[Grant, Visitor] = {}
        self._version = 0

    def admit(self, context: Any) -> Visitor:
        """The caller of this call; Rejected(UNAUTHENTICATED) where it is nobody."""
        token: str | None = None
        trace = False
        parent: Parent | None = None
        for key, value in context.invocation_metadata() or ():
            if key == TRACE_KEY:
                trace = value == "1"
            elif key == "authorization" and self._tokens is not None:
                token = _bearer(value)
            elif key == PARENT_KEY and self._tells and isinstance(value, str):
                parent = parse_traceparent(value)
        visitor = self._visitor(token, context)
        if self._tells:
            parent = self._sample(parent)
        return replace(visitor, trace=trace, parent=parent) if trace or parent else visitor

    def _sample(self, parent: Parent | None) -> Parent | None:
        """What a span is to belong under: a caller that traces decides for us."""
        if parent is not None:
            return parent if parent.sampled else None
        return NEW_TRACE if random.random() < self._trace_ratio else None

    def _visitor(self, token: str | None, context: Any) -> Visitor:
        if token is not None and self._tokens is not None:
            grant = self._tokens.get().find(token)
            if grant is None:
                raise Rejected(Reason.UNAUTHENTICATED, "unknown token")
            return self._granted(grant)
        if self._certificates:
            return self._certified(context)
        if self._anonymous is None:
            raise Rejected(Reason.UNAUTHENTICATED, _NO_TOKEN)
        return self._anonymous

    def _granted(self, grant: Grant) -> Visitor:
        assert self._tokens is not None
        if self._version != self._tokens.version:
            self._version = self._tokens.version
            self._visitors.clear()
            self._accounts = {name: held for name, held in self._accounts.items() if held.running}
        visitor = self._visitors.get(grant)
        if visitor is None:
            ceiling = grant.lower(self._ceiling)
            default = resolve({}, self._default, ceiling)
            account = self._account(grant)
            visitor = Visitor(grant.tenant, default, ceiling, grant.weight, account)
            self._visitors[grant] = visitor
        return visitor

    def _account(self, grant: Grant) -> Account:
        now = monotonic()
        account = self._accounts.get(grant.tenant)
        if account is None:
            account = self._accounts[grant.tenant] = Account(grant.tenant, grant.allowance, now)
        elif account.allowance != grant.allowance:
            account.change(grant.allowance, now)
        return account

    def _certified(self, context: Any) -> Visitor:
        """gRPC has verified the certificate; the tenant is its common name."""
        names = context.auth_context().get("x509_common_name") or (b"",)
        tenant = names[0].decode(errors="replace")
        if not valid_tenant(tenant):
            raise Rejected(
                Reason.UNAUTHENTICATED, "the certificate's common name cannot be a tenant's"
            )
        return Visitor(tenant, self._default, self._ceiling)


def _bearer(value: str | bytes) -> str:
    """The token of an authorization header; an empty one is none of ours."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else value
    scheme, _, token = text.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
