"""Rdata from tokens: dnspython reads every type that it knows, we know which token was at fault and say it plainly."""

from __future__ import annotations

import binascii
import string
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

import dns.exception
import dns.rdata
import dns.tokenizer
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from mailname.zone.name_text import NameTextError, name_from_text
from mailname.zone.ttl import seconds_from_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.zone.scan import Token

# What a record of each common type is made of, as a person would write it.
_FORMS = {
    "A": "A 192.0.2.1",
    "AAAA": "AAAA 2001:db8::1",
    "CAA": 'CAA 0 issue "ca.example.net"',
    "CNAME": "CNAME www",
    "DNAME": "DNAME example.net.",
    "DS": "DS key-tag algorithm digest-type digest",
    "HTTPS": "HTTPS 1 . alpn=h2",
    "MX": "MX 10 mail",
    "NAPTR": 'NAPTR order preference "flags" "service" "regexp" replacement',
    "NS": "NS ns1",
    "PTR": "PTR mail.example.net.",
    "SOA": "SOA ns1 hostmaster ( serial refresh retry expire minimum )",
    "SRV": "SRV priority weight port target",
    "SSHFP": "SSHFP algorithm type fingerprint",
    "SVCB": "SVCB 1 target alpn=h2",
    "TLSA": "TLSA usage selector matching-type data",
    "TXT": 'TXT "text"',
}
_DIGITS = string.digits + string.ascii_lowercase
_END = dns.tokenizer.Token(dns.tokenizer.EOL)


class Unreadable(dns.exception.SyntaxError):
    """The tokens are not such a record. ``token`` is at fault; None when something is missing after the last one."""

    def __init__(self, problem: str, remedy: str, token: Token | None) -> None:
        super().__init__(problem)  # type: ignore[no-untyped-call]  # dnspython has not typed it
        self.problem = problem
        self.remedy = remedy
        self.token = token


class _Piece(dns.tokenizer.Token):
    """A token on its way through dnspython, which tells the feed when it is looked at."""

    def __init__(self, token: Token, feed: TokenFeed) -> None:
        kind = dns.tokenizer.QUOTED_STRING if token.quoted else dns.tokenizer.IDENTIFIER
        super().__init__(kind, token.text, "\\" in token.text)
        self.token = token
        self.feed = feed

    def unescape(self) -> dns.tokenizer.Token:
        self.feed.suspect = self.token
        return super().unescape()

    def unescape_to_bytes(self) -> dns.tokenizer.Token:
        self.feed.suspect = self.token
        return super().unescape_to_bytes()


class TokenFeed(dns.tokenizer.Tokenizer):
    """Hands our tokens to dnspython's rdata parsers, and keeps in mind the one that was asked for last."""

    def __init__(self) -> None:
        super().__init__("")
        self._names: dict[tuple[str, Name], Name] = {}
        self._tokens: Sequence[Token] = ()
        self._next = 0
        self._form = ""
        self._rdtype = ""
        self.suspect: Token | None = None

    def read(self, rdtype: RdataType, tokens: Sequence[Token], origin: Name) -> Rdata:
        """Read one rdata of class IN.

        Raises:
            Unreadable: the tokens are no rdata of that type.

        """
        self._tokens = tokens
        self._next = 0
        self.suspect = None
        self._rdtype = rdtype.name if isinstance(rdtype, RdataType) else f"TYPE{rdtype}"
        form = _FORMS.get(self._rdtype)
        self._form = f"Write it like this: {form}" if form else f"See what {self._rdtype} records are made of."
        try:
            return dns.rdata.from_text(RdataClass.IN, rdtype, self, origin, relativize=False)
        except Unreadable:
            raise
        except dns.exception.SyntaxError as error:
            raise self._translated(error) from None

    def name(self, token: Token, origin: Name) -> Name:
        """Return the name that a token writes.

        Raises:
            Unreadable: it is no name.

        """
        if token.quoted:
            raise Unreadable(f'"{token.text}" is in quotes, but a name belongs here.', "Write the name without quotes.", token)
        known = self._names.get((token.text, origin))
        if known is None:
            try:
                known = name_from_text(token.text, origin)
            except NameTextError as mistake:
                raise Unreadable(mistake.problem, mistake.remedy, token) from None
            self._names[token.text, origin] = known
        return known

    # What dnspython's rdata parsers call.

    def get(self, want_leading: bool = False, want_comment: bool = False) -> dns.tokenizer.Token:  # noqa: ARG002 - dnspython's signature
        """Return the next token; the end of the line when there is none."""
        if self._next >= len(self._tokens):
            self._next = len(self._tokens) + 1
            self.suspect = None
            return _END
        token = self._tokens[self._next]
        if want_leading and not token.glued:
            return dns.tokenizer.Token(dns.tokenizer.WHITESPACE, " ")
        self._next += 1
        self.suspect = token
        return _Piece(token, self)

    def unget(self, token: dns.tokenizer.Token) -> None:  # noqa: ARG002 - dnspython's signature
        """Take the last token back."""
        self._next -= 1

    def get_eol_as_token(self) -> dns.tokenizer.Token:
        """Insist on the end of the record."""
        token = self.get()
        if not token.is_eol_or_eof():
            raise self._at_fault(f"{shown(self.suspect)} is too much: the {self._rdtype} record is complete before it.")
        return token

    def get_ttl(self) -> int:
        """Read a time: the SOA's timers may have units as well."""
        token = self.get()
        self._insist(token, "a time in seconds")
        seconds = seconds_from_text(token.value)
        if seconds is None:
            raise self._at_fault(f"{shown(self.suspect)} is not a time.", "Write seconds, or units as in 1h30m or 2w.")
        return seconds

    def as_name(
        self,
        token: dns.tokenizer.Token,
        origin: Name | None = None,
        relativize: bool = False,  # noqa: ARG002 - dnspython's signature
        relativize_to: Name | None = None,  # noqa: ARG002 - dnspython's signature
    ) -> Name:
        """Read a name; never relative, whatever is asked."""
        self._insist(token, "a name", quotes=True)
        assert isinstance(token, _Piece)
        return self.name(token.token, origin or dns.name.root)

    def as_int(self, token: dns.tokenizer.Token, base: int = 10) -> int:
        """Read a number without sign."""
        self._insist(token, "a number")
        if not token.value or not set(_DIGITS[:base]).issuperset(token.value):
            raise self._at_fault(f"{shown(self.suspect)} is not a whole number.")
        return int(token.value[:1000], base)  # longer ones are too large anyway, and slow to convert

    def _as_bounded(self, token: dns.tokenizer.Token, base: int, bits: int) -> int:
        value = self.as_int(token, base)
        if value >= 1 << bits:
            raise self._at_fault(f"{shown(self.suspect)} is too large: at most {(1 << bits) - 1} can stand here.")
        return value

    def as_uint8(self, token: dns.tokenizer.Token) -> int:
        """Read a number of 8 bits."""
        return self._as_bounded(token, 10, 8)

    def as_uint16(self, token: dns.tokenizer.Token, base: int = 10) -> int:
        """Read a number of 16 bits."""
        return self._as_bounded(token, base, 16)

    def as_uint32(self, token: dns.tokenizer.Token, base: int = 10) -> int:
        """Read a number of 32 bits."""
        return self._as_bounded(token, base, 32)

    def as_string(self, token: dns.tokenizer.Token, max_length: int | None = None) -> str:
        """Read a string, quoted or not."""
        self._insist(token, "a string", quotes=True)
        return super().as_string(token, max_length)

    def as_bytes(self, token: dns.tokenizer.Token, max_length: int | None = None) -> bytes:
        """Read octets, quoted or not."""
        self._insist(token, "a string", quotes=True)
        if max_length is not None and len(token.value) > max_length:
            raise self._at_fault(
                f"this string is {len(token.value)} octets long; at most {max_length} can stand here.", "Split or shorten it."
            )
        return super().as_bytes(token, max_length)

    def as_identifier(self, token: dns.tokenizer.Token) -> str:
        """Read a word without quotes."""
        self._insist(token, "a word")
        return super().as_identifier(token)

    def concatenate_remaining_identifiers(self, allow_empty: bool = False) -> str:
        """Read all words to the end: hexadecimal or base64 digits."""
        digits = []
        while not (token := self.get()).is_eol_or_eof():
            self._insist(token, "a word of digits")
            digits.append(token.unescape().value)
        self.unget(token)
        if not digits and not allow_empty:
            raise self._ends_early()
        self.suspect = self._tokens[-1]
        return "".join(digits)

    # How mistakes are told.

    def _insist(self, token: dns.tokenizer.Token, what: str, *, quotes: bool = False) -> None:
        if token.is_eol_or_eof():
            raise self._ends_early()
        if token.is_quoted_string() and not quotes:
            raise self._at_fault(f"{shown(self.suspect)} is in quotes, but {what} belongs here.", "Write it without quotes.")

    def _ends_early(self) -> Unreadable:
        return Unreadable(f"the {self._rdtype} record ends here, but something is missing.", self._form, None)

    def _at_fault(self, problem: str, remedy: str = "") -> Unreadable:
        return Unreadable(problem, remedy or self._form, self.suspect)

    def _translated(self, error: dns.exception.SyntaxError) -> Unreadable:
        token = self.suspect or (self._tokens[-1] if self._tokens else None)
        if token is None or isinstance(error, dns.exception.UnexpectedEnd):
            return self._ends_early()
        self.suspect = token
        if self._rdtype in ("A", "AAAA"):
            return self._not_an_address(token)
        cause = error.__cause__
        if isinstance(cause, UnicodeEncodeError):
            return self._at_fault(f"{shown(token)} contains octets that are not UTF-8.", r"Write them as \DDD, in decimal.")
        if isinstance(cause, binascii.Error):
            return self._at_fault(f"{shown(token)} is wrong: these are not whole octets in hexadecimal or base64.")
        if str(error) == "string too long":
            return self._at_fault(
                "this string is longer than 255 octets.",
                'Split it into several strings on one record: "first part" "second part"',
            )
        if "\\" in token.text and cause is None and str(error) == str(dns.exception.SyntaxError()):
            problem = f"a backslash in {shown(token)} is not followed by a character or by a number from 000 to 255."
            return self._at_fault(problem, r"Write \\ for a backslash, \" for a quote, \DDD for an octet.")
        detail = " ".join(str(cause or error).split()).rstrip(".")
        return self._at_fault(f"{shown(token)} is wrong in this {self._rdtype} record" + (f": {detail}." if detail else "."))

    def _not_an_address(self, token: Token) -> Unreadable:
        version = 4 if self._rdtype == "A" else 6
        problem = f"{shown(token)} is not an IPv{version} address."
        for other, kind, rdtype in ((4, IPv4Address, "A"), (6, IPv6Address, "AAAA")):
            if other != version:
                try:
                    kind(token.text)
                except ValueError:
                    continue
                return self._at_fault(problem, f"Use {rdtype} for an IPv{other} address.")
        if token.text.strip(".").replace(".", "").replace("-", "").isalpha() and version == 4:
            return self._at_fault(problem, "An A record holds an address; use CNAME to point at a name.")
        return self._at_fault(problem)


def shown(token: Token | None) -> str:
    """Return a token for a message: not too long, and nothing unprintable in it."""
    text = token.text if token else ""
    text = text if len(text) <= 60 else text[:57] + "..."
    return text if text.isprintable() and text.isascii() and text else ascii(text)
