from __future__ import annotations

import pytest
from tests.plan.marked_plans import GOOD, plan

from mailname.plan import expand
from mailname.plan.guard import guard
from mailname.zone import Serial
from mailname.zone.text import read_zone, write_zone

OLD = expand(plan(), Serial(1))
MAIL = "[[mail_host]]" + GOOD.partition("[[mail_host]]")[2]
NULL_MX = '[[record]]\nname = "@"\ntype = "MX"\ndata = "0 ."\n'


def codes(*changes: tuple[str, str], more: str = "") -> list[str]:
    return [objection.code for objection in guard(OLD, expand(plan(*changes, more=more), Serial(2)))]


class TestGuard:
    def test_the_first_publication_is_free(self) -> None:
        """Nothing can be lost."""
        assert guard(None, OLD) == ()

    def test_an_ordinary_change_is_free(self) -> None:
        """Another TTL, another address, one more record."""
        assert (
            codes(
                ("86400", "3600"),
                ('["198.51.100.2"]', '["203.0.113.9"]'),
                more='[[record]]\nname = "x"\ntype = "TXT"\ndata = "a"\n',
            )
            == []
        )

    def test_more_than_half_of_the_records_gone(self) -> None:
        """Whatever the reason, a person should look."""
        more = "zone_text = '''\n" + "".join(f"h{n} A 192.0.2.{n}\n" for n in range(20)) + "'''\n"
        big = expand(plan(("[soa]", more + "[soa]")), Serial(1))
        (objection,) = guard(big, OLD)
        assert objection.code == "many-removed"
        assert "20 of 29" in objection.says

    def test_all_name_servers_replaced(self) -> None:
        """The registry still names the old ones."""
        changes = (('"ns1.example.tech"', '"a"'), ('"ns2.example.tech"', '"b"'))
        assert "name-servers-replaced" in codes(*changes)

    def test_one_name_server_gone(self) -> None:
        """Also then."""
        objections = guard(OLD, expand(plan(('"ns1.example.tech"', '"ns3"')), Serial(2)))
        assert ["ns1.example.tech would no longer be" in objection.says for objection in objections] == [True]

    @pytest.mark.parametrize("instead", ["", "@ MX 0 ."])
    def test_the_mx_gone(self, instead: str) -> None:
        """Without one, or with a null MX, no mail arrives."""
        lines = [line for line in write_zone(OLD).split("\n") if " MX " not in line]
        mail_less = read_zone("\n".join([*lines, instead]), "x.zone", OLD.apex).zone
        assert [objection.code for objection in guard(OLD, mail_less)] == ["mx-gone"]

    def test_a_null_mx_gone_is_free(self) -> None:
        """Mail that was refused may come again."""
        assert guard(expand(plan((MAIL, ""), more=NULL_MX), Serial(1)), OLD) == ()
