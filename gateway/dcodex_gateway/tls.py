"""TLS for callers: certificate, key and the callers' CA from files, read again when they change."""

from __future__ import annotations

import ssl
from pathlib import Path

import grpc

from dcodex_gateway.watched import Watched
from dcodex_shared.config import ConfigError, GatewaySettings

_PEM_BEGIN = b"-----BEGIN "


def credentials(settings: GatewaySettings) -> grpc.ServerCredentials | None:
    """What to serve with; None: no TLS is asked for. Raises ConfigError naming the setting."""
    if not settings.tls_certificate and not settings.tls_key:
        if settings.tls_client_ca:
            raise ConfigError("tls_client_ca needs tls_certificate and tls_key")
        return None
    if not settings.tls_certificate or not settings.tls_key:
        raise ConfigError("tls_certificate and tls_key need each other")
    paths = [settings.tls_certificate, settings.tls_key]
    if settings.tls_client_ca:
        paths.append(settings.tls_client_ca)
    files = Watched(paths, lambda: _read(settings))
    told = files.version

    def changed() -> grpc.ServerCertificateConfiguration | None:
        """Asked by gRPC at every handshake, in a thread of its own; None: as before."""
        nonlocal told
        configuration = files.get()
        if files.version == told:
            return None
        told = files.version
        return configuration

    return grpc.dynamic_ssl_server_credentials(
        files.value,
        changed,  # type: ignore[arg-type] # None is documented, and left out of the stubs
        require_client_authentication=bool(settings.tls_client_ca),
    )


def _read(settings: GatewaySettings) -> grpc.ServerCertificateConfiguration:
    _check_pair(settings)
    key = _pem("tls_key", settings.tls_key)
    chain = _pem("tls_certificate", settings.tls_certificate)
    roots = _pem("tls_client_ca", settings.tls_client_ca) if settings.tls_client_ca else None
    return grpc.ssl_server_certificate_configuration([(key, chain)], roots)


def _check_pair(settings: GatewaySettings) -> None:
    """gRPC would take a key of another certificate, and then fail every handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # An empty password: a key that needs one is an error, not a prompt.
        context.load_cert_chain(settings.tls_certificate, settings.tls_key, password="")
    except OSError as error:
        raise ConfigError(
            f"tls_certificate {settings.tls_certificate} and tls_key {settings.tls_key} "
            f"do not work together: {_words(error)}"
        ) from None
    if settings.tls_client_ca:
        try:
            context.load_verify_locations(settings.tls_client_ca)
        except OSError as error:
            raise ConfigError(
                f"tls_client_ca: cannot use {settings.tls_client_ca}: {_words(error)}"
            ) from None


def _words(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or str(error)


def _pem(setting: str, path: str) -> bytes:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{setting}: cannot read {path}: {error.strerror}") from None
    if _PEM_BEGIN not in data:
        raise ConfigError(f"{setting}: {path} is not PEM")
    return data
