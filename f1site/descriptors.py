"""How many files and sockets this process may have open at once."""

from __future__ import annotations

from contextlib import suppress

MOST = 65_536  # a core serves about 8,000 pages


def allow_sockets() -> None:
    """A shell usually allows 1,024, which a thousand spectators exceed; each process may ask for more, up to what the
    system allows it. No more than MOST, since some libraries go through all that there may be.
    """
    with suppress(ImportError, OSError, ValueError):  # Windows has no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
