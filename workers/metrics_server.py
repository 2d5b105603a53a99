"""Where a process of ours serves its numbers for Prometheus."""

from prometheus_client import CollectorRegistry, start_http_server

from domain.refusal import Refusal


def serve(place: str, registry: CollectorRegistry) -> str:
    """Serve `registry` at `host:port` (port 0: a free one) until the process ends; where it is.

    Raises:
        Refusal: the place is malformed or taken.
    """
    host, _, port = place.rpartition(":")
    try:
        server, _ = start_http_server(int(port), host or "127.0.0.1", registry=registry)
    except (ValueError, OverflowError):
        raise Refusal("--metrics", f"{place} is not host:port") from None
    except OSError as error:
        raise Refusal("--metrics", f"{place} cannot be served: {error.strerror}") from None
    return f"http://{host or '127.0.0.1'}:{server.server_address[1]}/metrics"
