"""Asking a peer with which we share several keys: the first signs, the next one where the peer does not know it (BADKEY).

So a key is rotated in any order of servers: who has the new key already signs with it, and is still understood by who has not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from mailname.errors import TransferError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dns.name import Name

    from mailname.server.context import Context
    from mailname.transfer.actions import Peer

T = TypeVar("T")


def _with(peer: Peer, key: Name) -> Peer:
    return replace(peer, key=key, also_keys=()) if peer.also_keys else peer


def first_of(peer: Peer) -> Peer:
    """Return a peer with the first key that we share with it, or as it is."""
    return _with(peer, peer.keys[0]) if peer.keys else peer


def as_used(context: Context, peer: Peer) -> Peer:
    """Return a secondary with the key first that it last signed with, as far as we have seen it ask.

    While a key is rotated, a server that is behind then gets no NOTIFY that it must refuse. Only who is asked for zones does so:
    a secondary signs with its first key, which tells that it has the new one.
    """
    used = context.key_use.last_used_by(peer.address, peer.keys)
    if used is None or used == peer.key:
        return peer
    return replace(peer, key=used, also_keys=tuple(key for key in peer.keys if key != used))


async def with_each_key(context: Context, peer: Peer, what: str, ask: Callable[[Peer], Awaitable[T]]) -> T:
    """Ask a peer, signed with the keys that we share, one after the other until it knows one.

    Args:
        context: where it is noted which key was answered.
        peer: whom to ask.
        what: one word for ``mailname status``.
        ask: does it, for a peer with one key.

    Raises:
        TransferError: what ``ask`` raises, but for BADKEY while there is another key.

    """
    *first, last = [_with(peer, key) for key in peer.keys] or [peer]
    for one in first:
        try:
            return _noted(context, one, what, await ask(one))
        except TransferError as error:
            if error.reason != "badkey":
                raise
    return _noted(context, last, what, await ask(last))


def _noted(context: Context, peer: Peer, what: str, answer: T) -> T:
    if peer.key is not None:
        context.key_use.answered(peer.key, peer.address, what, context.clock.wall())
    return answer
