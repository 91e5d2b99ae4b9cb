from __future__ import annotations

import pytest
from dns.rcode import Rcode

from mailname.wire.edns import Edns, ExtendedError, OptionCode, read_opt, write_opt


class TestReadOpt:
    def test_reads_payload_version_do_and_options(self) -> None:
        """Class is the payload, the TTL holds version and DO, the rdata options (RFC 6891 section 6.1.2)."""
        assert read_opt(4096, 0x00018000, b"\0\x03\0\0\xfd\xe9\0\x02hi") == Edns(4096, 1, True, ((3, b""), (65001, b"hi")))

    def test_ignores_flags_it_does_not_know(self) -> None:
        """Z bits are ignored (RFC 6891 section 6.1.4)."""
        assert read_opt(1232, 0x7FFF, b"") == Edns(1232)

    @pytest.mark.parametrize("rdata", [b"\0", b"\0\x03\0", b"\0\x03\0\x01", b"\0\x03\0\0\0\x03\0\x05abcd"])
    def test_options_that_overrun_are_malformed(self, rdata: bytes) -> None:
        """An option that is longer than the record makes the record none."""
        assert read_opt(1232, 0, rdata) is None


class TestWriteOpt:
    def test_carries_the_upper_bits_of_the_rcode(self) -> None:
        """BADVERS is 16: 1 in the OPT record, 0 in the header (RFC 6891 section 6.1.3)."""
        assert write_opt(Rcode.BADVERS, do=False) == bytes.fromhex("00 0029 04d0 01 00 0000 0000")

    def test_copies_do(self) -> None:
        """DO comes back (RFC 3225 section 3)."""
        assert write_opt(Rcode.NOERROR, do=True).hex() == "00002904d0000080000000"

    def test_carries_options(self) -> None:
        """Code, length, data, one after the other (RFC 6891 section 6.1.2)."""
        written = write_opt(Rcode.NOERROR, do=False, options=((OptionCode.NSID, b"ns1"), ExtendedError.NOT_READY.option))
        assert written.hex() == "00002904d000000000000d" + "00030003" + b"ns1".hex() + "000f0002000e"


class TestEdns:
    def test_of_equal_options_the_first_counts(self) -> None:
        """As RFC 7873 section 5.2 wants it of cookies."""
        edns = Edns(1232, options=((10, b"one"), (10, b"two")))
        assert (edns.option(OptionCode.COOKIE), edns.option(OptionCode.NSID)) == (b"one", None)
